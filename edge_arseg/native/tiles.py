"""AMX, which a process may use once it has asked for it: the kernel then keeps eight more kilobytes for each thread."""

import ctypes
import functools
import platform
import sys
from pathlib import Path

_ARCH_PRCTL, _ASK, _TILE_DATA = 158, 0x1023, 18
"""Numbers of the system call, of what it is asked (``ARCH_REQ_XCOMP_PERM``), and of the tiles; Linux 5.16 has it."""
_FLAGS = {"amx_tile", "amx_bf16"}


@functools.cache
def tiles_allowed() -> bool:
    """Ask for AMX with bfloat16, and return whether this process and its threads have it."""
    if sys.platform != "linux" or platform.machine() != "x86_64" or _FLAGS - _flags(Path("/proc/cpuinfo")):
        return False
    return ctypes.CDLL(None).syscall(_ARCH_PRCTL, _ASK, _TILE_DATA) == 0


def _flags(path: Path) -> set[str]:
    try:
        with path.open(errors="replace") as file:
            line = next((line for line in file if line.startswith("flags")), "")
    except OSError:
        return set()
    return set(line.partition(":")[2].split())
