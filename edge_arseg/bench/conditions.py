"""The conditions of a measurement: machine, versions, load. No number is kept without them."""

import os
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from edge_arseg.runtime.host_memory import host_memory
from edge_arseg.spec.cores import usable_cores

PACKAGES = ("edge-arseg", "numpy", "av", "onnxruntime", "numba", "torch", "onnx", "tensorrt", "pycuda")


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a measurement was taken on.

    Attributes:
        machine: architecture, like ``x86_64``.
        cpu: model name, as the kernel gives it.
        cores: that this process may use.
        memory_mb: physical memory, 10^6 bytes.
        system: kernel and release.
        python: version.
        packages: installed versions by name; absent ones are left out.
        load: the one-minute load average when it was taken.
    """

    machine: str
    cpu: str
    cores: int
    memory_mb: int
    system: str
    python: str
    packages: dict[str, str]
    load: float


def conditions_now(root: Path = Path("/")) -> Conditions:
    """Read the conditions of this process.

    Args:
        root: of the file system that ``/proc`` is read from.
    """
    return Conditions(
        machine=platform.machine(),
        cpu=cpu_model(root),
        cores=usable_cores(),
        memory_mb=memory_mb(root),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        packages=installed_versions(),
        load=os.getloadavg()[0],
    )


def cpu_model(root: Path = Path("/")) -> str:
    """Return the CPU's name from ``/proc/cpuinfo``, or the architecture where it has none."""
    return _field(root / "proc/cpuinfo", "model name") or platform.processor() or platform.machine()


def memory_mb(root: Path = Path("/")) -> int:
    """Return the physical memory, 10^6 bytes; 0 where it cannot be read."""
    return host_memory(root).total // 1_000_000


def installed_versions() -> dict[str, str]:
    """Return the versions of the packages that take part, without importing them."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _field(path: Path, name: str) -> str:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == name), "")
