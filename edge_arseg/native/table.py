"""The arguments of a compiled kernel as a table of 64-bit words.

A number takes one word; an array its address, then its length along each axis; a tuple what its parts take.
"""

import struct
from collections.abc import Iterable
from operator import index
from typing import Any

import numpy as np


def table_of(arguments: Iterable[Any]) -> np.ndarray:
    """Return the table, ``[words] int64``.

    Types and layouts are not in it, so they are the caller's to check: arrays are contiguous, of the types that the
    kernel was compiled for, and must live as long as the table is used.

    Args:
        arguments: integers, floats (as double), arrays, and tuples of such.
    """
    words: list[int] = []
    _append(words, arguments)
    return np.array(words, np.int64)


def _append(words: list[int], arguments: Iterable[Any]) -> None:
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            words.append(argument.__array_interface__["data"][0])
            words.extend(argument.shape)
        elif isinstance(argument, tuple):
            _append(words, argument)
        elif isinstance(argument, float):
            words.append(struct.unpack("q", struct.pack("d", argument))[0])
        else:
            words.append(index(argument))
