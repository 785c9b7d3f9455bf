"""Dataclasses of arrays as ``.npz`` content, without pickle."""

import io
from dataclasses import MISSING, fields
from typing import Any, Protocol, TypeVar

import numpy as np

from edge_arseg.errors import BundleError


class ArrayRecord(Protocol):
    """A dataclass whose fields are arrays."""

    def faults(self) -> list[str]:
        """Return what is wrong with types and shapes, in words."""


T = TypeVar("T", bound=ArrayRecord)


def bytes_from_arrays(value: Any) -> bytes:
    """Return a dataclass whose fields are arrays as the content of an ``.npz`` file."""
    file = io.BytesIO()
    np.savez_compressed(file, **{field.name: getattr(value, field.name) for field in fields(value)})
    return file.getvalue()


def arrays_from_bytes(kind: type[T], content: bytes, *, where: str) -> T:
    """Read what ``bytes_from_arrays`` wrote of a ``kind``; nothing in it is unpickled.

    Raises:
        BundleError: not such a file, or arrays are missing or of another type or shape.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            needed = [f.name for f in fields(kind) if f.default_factory is MISSING or f.name in arrays]  # type: ignore[arg-type]
            value = kind(**{name: arrays[name] for name in needed})
        if faults := value.faults():
            raise ValueError("; ".join(faults))
        return value
    except Exception as error:  # zip, zlib, numpy and key errors: whatever a damaged file can cause
        raise BundleError(
            f"{where}: not a file of {kind.__name__} ({error or type(error).__name__}); export the bundle again"
        ) from error
