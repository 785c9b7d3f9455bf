"""Results and records in an object store."""

from pathlib import Path

from edge_arseg.storage.object_store import opened_store, store_errors
from edge_arseg.video.sinks.class_ids.masks import is_mask_name


class StoreShelf:
    """A ``Shelf`` in an object store. Each object appears whole; a folder of masks does not, its record comes last.

    Args:
        url: of the folder, or of the object that an empty name stands for.

    Raises:
        EnvironmentUnfitError, OSError: see ``opened_store``.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._store, self._path = opened_store(self._url)

    def inside(self, name: str) -> "StoreShelf":
        """See ``Shelf``."""
        return StoreShelf(f"{self._url}/{name}")

    def read(self, name: str) -> bytes | None:
        """See ``Shelf``."""
        with store_errors():
            self._store.invalidate_cache()
            try:
                data: bytes = self._store.cat_file(self._at(name))
            except FileNotFoundError:
                return None
            return data

    def write(self, name: str, data: bytes) -> None:
        """See ``Shelf``."""
        with store_errors():
            self._store.pipe_file(self._at(name), data)

    def size(self, name: str) -> int | None:
        """See ``Shelf``."""
        with store_errors():
            self._store.invalidate_cache()
            try:
                found = self._store.info(self._at(name))
            except FileNotFoundError:
                return None
            return int(self._store.du(self._at(name)) if found["type"] == "directory" else found["size"])

    def remove(self, name: str) -> None:
        """See ``Shelf``."""
        with store_errors():
            if self._store.exists(self._at(name)):
                self._store.rm(self._at(name), recursive=True)

    def put(self, made: Path, name: str) -> None:
        """See ``Shelf``."""
        place = self._at(name)
        with store_errors():
            if not made.is_dir():
                self._store.put_file(str(made), place)
                return
            files = sorted(path for path in made.rglob("*") if path.is_file())
            names = {str(path.relative_to(made)) for path in files}
            older = [path for path in self._listed(place) if is_mask_name(path.rpartition("/")[2])]
            gone = [path for path in older if path.rpartition("/")[2] not in names]
            self._store.put([str(path) for path in files], [f"{place}/{path.relative_to(made)}" for path in files])
            if gone:
                self._store.rm(gone)

    def local(self, name: str, scratch: Path) -> Path:
        """See ``Shelf``."""
        place = self._at(name)
        with store_errors():
            made = scratch / place.rpartition("/")[2]
            if not self._store.isdir(place):
                self._store.get_file(place, str(made))
                return made
            made.mkdir()
            files = self._listed(place)
            self._store.get(files, [str(made / path.rpartition("/")[2]) for path in files])
            return made

    def _listed(self, place: str) -> list[str]:
        try:
            return [str(path) for path in self._store.find(place)]
        except FileNotFoundError:
            return []

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}" if name else str(self._path)
