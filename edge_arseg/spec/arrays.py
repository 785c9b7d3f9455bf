"""Dataclasses of arrays as ``.npz`` content, without pickle."""

import io
from dataclasses import MISSING, fields
from typing import Any, TypeVar

import numpy as np

from edge_arseg.errors import BundleError

T = TypeVar("T")


def bytes_from_arrays(value: Any) -> bytes:
    """Return a dataclass whose fields are arrays as the content of an ``.npz`` file."""
    file = io.BytesIO()
    np.savez_compressed(file, **{field.name: getattr(value, field.name) for field in fields(value)})
    return file.getvalue()


def arrays_from_bytes(kind: type[T], content: bytes, *, where: str) -> T:
    """Read what ``bytes_from_arrays`` wrote of a ``kind``; nothing in it is unpickled.

    Raises:
        BundleError: not such a file, or arrays are missing.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            needed = [f.name for f in fields(kind) if f.default_factory is MISSING or f.name in arrays]  # type: ignore[arg-type]
            return kind(**{name: arrays[name] for name in needed})
    except Exception as error:  # zip, zlib, numpy and key errors: whatever a damaged file can cause
        raise BundleError(
            f"{where}: not a file of {kind.__name__} ({error or type(error).__name__}); export the bundle again"
        ) from error
