"""The heap of the C library, which keeps what was freed for later, once for each thread."""

import ctypes
import os
import sys

_ARENA_MAX = -8
"""``M_ARENA_MAX`` of glibc's ``malloc.h``."""


def one_heap() -> bool:
    """Have all threads share one heap from now on, so that what one of them freed serves the others.

    While engines are opened, more is taken than stays, by threads of their own; decoders and encoders take as much soon
    after, by others. It holds for the whole process, so a command asks for it, and the package as a library does not.
    ``MALLOC_ARENA_MAX`` and ``GLIBC_TUNABLES`` of the environment count for more.

    Returns:
        Whether it was done: of the C libraries, glibc alone has a heap for each thread. Those that have one keep it.
    """
    if sys.platform != "linux" or {"MALLOC_ARENA_MAX", "GLIBC_TUNABLES"} & set(os.environ):
        return False
    library = ctypes.CDLL(None)
    return hasattr(library, "gnu_get_libc_version") and bool(library.mallopt(_ARENA_MAX, 1))
