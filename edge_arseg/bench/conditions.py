"""The conditions of a measurement: machine, versions, load. No number is kept without them."""

import os
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from edge_arseg.quantity import counted
from edge_arseg.runtime.device.cores import usable_cores
from edge_arseg.runtime.device.cpu_features import cpu_features, cpu_model
from edge_arseg.runtime.device.host_memory import host_memory
from edge_arseg.runtime.engines.opening import packages_of_backends

PACKAGES = ("edge-arseg", "numpy", "av", "numba", "torch", "onnx")
"""Those that take part whatever the engine; each backend names its own."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a measurement was taken on.

    Attributes:
        machine: architecture, like ``x86_64``.
        cpu: model name, as the kernel gives it.
        cpu_features: those of ``CpuFeatures`` that are present; ``None`` where they are not known.
        cores: that this process may use.
        memory_mb: physical memory, 10^6 bytes.
        system: kernel and release.
        python: version.
        packages: installed versions by name; absent ones are left out.
        load: the one-minute load average when it was taken.
    """

    machine: str
    cpu: str
    cpu_features: tuple[str, ...] | None
    cores: int
    memory_mb: int
    system: str
    python: str
    packages: dict[str, str]
    load: float


def busy_from_conditions(conditions: Conditions) -> str:
    """Return what is to be said where more wanted to run than the cores of this process bear; else an empty text.

    The load is that of the whole machine, which may have more cores.
    """
    if conditions.load <= conditions.cores:
        return ""
    cores = counted(conditions.cores, "core")
    return f"the load average was {conditions.load:.1f} when it began, and this process may use {cores}"


def conditions_now(root: Path = Path("/")) -> Conditions:
    """Read the conditions of this process.

    Args:
        root: of the file system that ``/proc`` is read from.
    """
    features = cpu_features(root)
    return Conditions(
        machine=platform.machine(),
        cpu=cpu_model(root),
        cpu_features=features.present if features.known else None,
        cores=usable_cores(),
        memory_mb=memory_mb(root),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        packages=installed_versions(),
        load=os.getloadavg()[0],
    )


def memory_mb(root: Path = Path("/")) -> int:
    """Return the physical memory, 10^6 bytes; 0 where it cannot be read."""
    return host_memory(root).total // 1_000_000


def installed_versions() -> dict[str, str]:
    """Return the versions of the packages that take part, without importing them."""
    found = {}
    for name in (*PACKAGES, *packages_of_backends()):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
