"""Pictures of a video in an object store, read in parts as they are needed."""

from typing import Any

from edge_arseg.storage.object_store import opened_store, store_errors
from edge_arseg.video.decoding.decode import Decoder
from edge_arseg.video.decoding.faults import source_faults
from edge_arseg.video.decoding.picture import PictureSource
from edge_arseg.video.sources.kinds import Wishes
from edge_arseg.video.uri import Source


class ObjectFile:
    """What FFmpeg reads from; the store's errors are ``OSError``.

    Args:
        source: in a store.

    Raises:
        EnvironmentUnfitError, OSError: see ``opened_store``.
    """

    def __init__(self, source: Source) -> None:
        store, path = opened_store(source.location)
        with store_errors():
            self._file: Any = store.open(path, "rb")

    def read(self, count: int = -1) -> bytes:
        """Return at most ``count`` bytes; none at the end."""
        with store_errors():
            data: bytes = self._file.read(count)
            return data

    def seek(self, place: int, whence: int = 0) -> int:
        """Continue at another place."""
        with store_errors():
            return int(self._file.seek(place, whence))

    def tell(self) -> int:
        """Return the place."""
        return int(self._file.tell())

    def close(self) -> None:
        """Let go."""
        self._file.close()


def data_of(source: Source) -> ObjectFile:
    """Open a video in a store for FFmpeg.

    Raises:
        SourceError: it cannot be read.
    """
    with source_faults(source.label):
        return ObjectFile(source)


def pictures_from_object(source: Source, wishes: Wishes) -> PictureSource:
    """Open a video in a store; errors are those of ``Decoder`` and ``data_of``."""
    return Decoder(source, own_vectors=wishes.own_vectors, stream=wishes.stream, data=data_of(source))
