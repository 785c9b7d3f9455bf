"""Which Python owns TensorRT, and what to type where this one does not."""

import sys
from importlib.util import find_spec
from pathlib import Path


def tensorrt_is_here() -> bool:
    """Return whether this Python can see TensorRT; nothing is imported."""
    try:
        return find_spec("tensorrt") is not None
    except ValueError:  # loaded already, without a spec
        return True


def tensorrt_owner(root: Path = Path("/")) -> str | None:
    """Return the name of the system's Python that has TensorRT's bindings, like ``python3.10``.

    ``dist-packages`` of ``python3`` belongs to whichever version the system's ``python3`` is.
    """
    found = sorted((root / "usr/lib").glob("python3*/dist-packages/tensorrt"))
    return found[-1].parents[1].name if found else None


def tensorrt_advice(root: Path = Path("/")) -> str:
    """Return what to type where TensorRT is missing in this Python."""
    owner = tensorrt_owner(root)
    if owner is None:
        return "sudo apt install python3-libnvinfer (TensorRT comes with JetPack, never from pip)"
    version = owner.removeprefix("python")
    same = version in ("3", f"{sys.version_info.major}.{sys.version_info.minor}")
    if same:
        return f"{owner} -m venv --system-site-packages .venv"
    return (
        f"{owner} -m venv --system-site-packages .venv (TensorRT was made for {owner}, "
        f"this is Python {sys.version_info.major}.{sys.version_info.minor})"
    )
