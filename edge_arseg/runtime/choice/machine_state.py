"""What an outcome of engines depends on beside bundle and options: this machine and its software."""

import hashlib
import os
import re
import sys
from pathlib import Path
from typing import Any

from edge_arseg import __version__
from edge_arseg.runtime.device.cores import usable_cores
from edge_arseg.runtime.device.cpu_features import cpu_features
from edge_arseg.runtime.device.cuda import gpu_devices
from edge_arseg.runtime.device.file_tree import FileTree
from edge_arseg.runtime.device.jetson_signs import power_mode_id

_LIBRARIES = re.compile(
    r"(numpy|onnxruntime[a-z_]*|openvino|numba|llvmlite|tensorrt[a-z_0-9]*|pycuda)-([^-]+?)(?:-py[\d.]+)?"
    r"\.(?:dist|egg)-info",
    re.IGNORECASE,
)
_VARIABLES = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "CUDA_VISIBLE_DEVICES")
_RUNTIME = Path(__file__).parents[1]


def machine_state() -> dict[str, Any]:
    """Return all of this machine and its software that a trial depends on, as plain JSON."""
    cpu = cpu_features()
    return {
        "version": __version__,
        "code": code_state(),
        "cpu": cpu.model,
        "features": list(cpu.present),
        "cores": usable_cores(),
        "libraries": library_versions(),
        "variables": {name: os.environ[name] for name in _VARIABLES if name in os.environ},
        "power mode": power_mode_id(FileTree()),
        "devices": gpu_devices(),
    }


def library_versions() -> dict[str, str]:
    """Return the versions of the engine libraries that this Python finds, first come first.

    They are read off the names of ``NAME-VERSION.dist-info``: ``importlib.metadata`` takes 20 ms to import and another
    one for each package.
    """
    found: dict[str, str] = {}
    for folder in sys.path:
        try:
            names = sorted(entry.name for entry in Path(folder or ".").iterdir())
        except OSError:
            continue
        for match in filter(None, map(_LIBRARIES.fullmatch, names)):
            found.setdefault(match[1].lower(), match[2])
    return dict(sorted(found.items()))


def code_state() -> str:
    """Return a digest that changes with the modules that run bundles: between two versions they change too."""
    files = sorted((str(file.relative_to(_RUNTIME)), file.stat()) for file in _RUNTIME.rglob("*.py"))
    text = repr([(name, stat.st_size, stat.st_mtime_ns) for name, stat in files])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
