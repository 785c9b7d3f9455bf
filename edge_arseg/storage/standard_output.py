"""The standard output of this process, once nobody reads it any more."""

import os
import sys
from contextlib import suppress


def forget_stdout() -> None:
    """Send what is still buffered nowhere: the interpreter would flush it at its end and complain once more."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
