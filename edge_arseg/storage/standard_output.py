"""The standard output of this process, below Python's stream of it."""

import os
import sys
from contextlib import suppress

STDOUT = 1
"""Its descriptor, wherever Python's stream leads."""


def descriptor_of_stdout() -> int | None:
    """Flush the standard output, and return its descriptor; ``None`` where it has none, as in a notebook.

    A stream of Python is locked while it is written to. Who reads it no longer would keep everybody from it who flushes
    it, the interpreter at its end among them.

    Raises:
        OSError: what is in it cannot be written.
    """
    if sys.stdout is None:
        return None
    sys.stdout.flush()
    try:
        return sys.stdout.fileno()
    except (OSError, ValueError, AttributeError):
        return None


def forget_stdout() -> None:
    """Send what is still buffered nowhere: the interpreter would flush it at its end and complain once more."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
