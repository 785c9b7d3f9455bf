"""Memory of the machine, from ``/proc/meminfo``."""

import re
from dataclasses import dataclass
from pathlib import Path

from edge_arseg.runtime.device.file_tree import FileTree

_KILOBYTES = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class HostMemory:
    """Bytes; 0 where they cannot be read. On a Jetson the GPU takes from the same memory, but never from the swap."""

    total: int = 0
    available: int = 0
    swap_free: int = 0


def host_memory(root: Path = Path("/")) -> HostMemory:
    """Read the memory of the machine; what is missing or broken is 0.

    Args:
        root: of the file system that ``/proc`` is read from.
    """
    kilobytes: dict[str, int] = {}
    for line in FileTree(root).text("proc/meminfo").splitlines():
        name, _, rest = line.partition(":")
        number = rest.split()[:1]
        if number and _KILOBYTES.fullmatch(number[0]):
            kilobytes[name.strip()] = int(number[0])
    return HostMemory(*(1024 * kilobytes.get(name, 0) for name in ("MemTotal", "MemAvailable", "SwapFree")))
