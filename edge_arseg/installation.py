"""What to type for this program, or to install what is missing: one place, true for a checkout and for a wheel.

The package is on no index, so its name with an extra installs nothing. From a checkout the extra is installed beside
the code; from a wheel, the packages of the extra are named, as the wheel's own metadata lists them.
"""

import os
import re
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from shlex import quote

PROJECT = "edge-arseg"
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
"""Where PyTorch's own wheels for CPUs are; 0.2 GB. The one that pip takes elsewhere brings 6 GB of CUDA on x86."""

_EXTRA = re.compile(r"""extra\s*==\s*['"]([\w.-]+)['"]""")


def install_extra(extra: str, *, package: Path | None = None) -> str:
    """Return the command that installs an extra of this package into this very Python.

    Args:
        extra: ``cpu``, ``openvino``, ``host``, ``dev``, ... as in ``setup.cfg``.
        package: the folder of the package, in place of the one that runs.
    """
    checkout = checkout_of(package)
    rest = "" if checkout is None else f" -e {quote(f'{checkout}[{extra}]')}"
    if checkout is None:
        rest = "".join(f" {quote(name)}" for name in requirements(extra) if not (extra == "host" and _is_torch(name)))
    if extra == "timm" and (torch := _torch_for_cpus()):
        return f"{pip(f'install {torch} torchvision --index-url {TORCH_CPU_INDEX}')} && {pip(f'install{rest}')}"
    if extra != "host":
        return pip(f"install{rest}")
    return f"{install_torch()} && {pip(f'install{rest}')}" if find_spec("torch") is None else pip(f"install{rest}")


def install_torch() -> str:
    """Return the command that installs PyTorch for CPUs, 0.2 GB."""
    return pip(f"install torch --index-url {TORCH_CPU_INDEX}")


def host_advice() -> str:
    """Return what to type for the host half, and which PyTorch that is."""
    note = ""
    if find_spec("torch") is None:
        note = " (PyTorch for CPUs, 0.2 GB; to train on an NVIDIA GPU leave out --index-url and its address: 6 GB)"
    return install_extra("host") + note


def reinstall(*, package: Path | None = None) -> str:
    """Return what to type where files of the package itself are missing, or a newer one is needed."""
    checkout = checkout_of(package)
    if checkout is not None:
        return f"git -C {quote(str(checkout))} pull && {pip(f'install -e {quote(str(checkout))}')}"
    return pip("install --force-reinstall --no-deps") + " WHEEL, with the wheel that you installed or a newer one"


def install_packages(*names: str, again: bool = False) -> str:
    """Return the command that installs packages from pip's index; ``again``: over those that are there."""
    return pip("install " + ("--force-reinstall " if again else "") + " ".join(map(quote, names)))


def pip(arguments: str) -> str:
    """Return a pip command for the Python that runs: plain ``pip`` where that is its own."""
    if _is_ours("pip"):
        return f"pip {arguments}"
    if find_spec("pip") is None and shutil.which("uv") is not None:
        return f"uv pip {arguments} --python {quote(sys.executable)}"
    return f"{quote(sys.executable)} -m pip {arguments}"


def program() -> str:
    """Return what to type for this program: ``edge-arseg``, or the path of it where a shell would not find it."""
    if _is_ours(PROJECT):
        return PROJECT
    script = Path(sys.executable).parent / PROJECT
    if not script.exists():
        return f"{quote(sys.executable)} -m edge_arseg"
    near = os.path.relpath(script)
    return quote(str(script) if near.startswith(os.pardir) else near)


def _is_ours(name: str) -> bool:
    """Return whether the shell takes this program from the folder of the Python that runs."""
    found = shutil.which(name)
    return found is not None and os.path.realpath(Path(found).parent) == os.path.realpath(Path(sys.executable).parent)


def checkout_of(package: Path | None = None) -> Path | None:
    """Return the checkout that the package lies in; ``None`` where it was installed from a wheel."""
    folder = (package or Path(__file__).parent).parent
    try:
        ours = f"name = {PROJECT}" in (folder / "setup.cfg").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    return folder if ours else None


def requirements(extra: str | None = None) -> list[str]:
    """Return the packages of an extra as pip takes them, ``numba>=0.59``; without one, those that every part needs."""
    from importlib.metadata import PackageNotFoundError, requires  # 15 ms, which no start has to spend

    try:
        lines = requires(PROJECT) or []
    except PackageNotFoundError:  # run as it lies, never installed
        return []
    found = []
    for line in lines:
        name, _, marker = line.partition(";")
        wanted = _EXTRA.search(marker)
        if (wanted[1] if wanted else None) == extra:
            found.append(name.strip())
    return found


def _torch_for_cpus() -> str | None:
    """Return the PyTorch that is installed as pip takes it, where it is one for CPUs: what needs a build beside it,
    as timm needs torchvision, would else bring pip's own, with 6 GB of CUDA."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        release, _, build = version("torch").partition("+")
    except PackageNotFoundError:
        return None
    return f"torch=={release}" if build == "cpu" else None


def _is_torch(requirement: str) -> bool:
    return re.fullmatch(r"torch\b(?!-).*", requirement) is not None
