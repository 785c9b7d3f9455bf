"""The archive of an ``npz`` sink: how its arrays are written, and read back without having class ids in memory."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

BLOCK = 1 << 20
"""Bytes of class ids that are copied at once."""

_CLASS_IDS = "class_ids.npy"


def new_archive(place: Path | str, mode: str) -> zipfile.ZipFile:
    """Open an archive to write, compressed as quickly as can be.

    Args:
        place: of the file.
        mode: ``w``, or ``x`` for a file that may not be there.
    """
    return zipfile.ZipFile(place, mode, zipfile.ZIP_DEFLATED, compresslevel=1)  # type: ignore[call-overload]


@contextmanager
def class_ids_written(archive: zipfile.ZipFile, shape: tuple[int, ...]) -> Iterator[IO[bytes]]:
    """Give a file for the bytes of ``class_ids``, ``[N, H, W] uint8`` in C order."""
    with archive.open(_CLASS_IDS, "w", force_zip64=True) as member:
        np.lib.format.write_array_header_1_0(member, {"descr": "|u1", "fortran_order": False, "shape": shape})
        yield member


@contextmanager
def class_ids_read(place: Path) -> Iterator[tuple[tuple[int, ...], IO[bytes]]]:
    """Give the shape of an archive's ``class_ids``, and a file that stands at their bytes."""
    with zipfile.ZipFile(place) as archive, archive.open(_CLASS_IDS) as member:
        np.lib.format.read_magic(member)
        yield np.lib.format.read_array_header_1_0(member)[0], member


def write_array(archive: zipfile.ZipFile, name: str, array: NDArray[np.generic]) -> None:
    """Add a small array."""
    held = io.BytesIO()
    np.save(held, array)
    archive.writestr(f"{name}.npy", held.getvalue(), zipfile.ZIP_DEFLATED)
