"""Whether a video is still the one that results were made from."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge_arseg.video.sources.images import image_paths
from edge_arseg.video.sources.kinds import SourceKind
from edge_arseg.video.uri import Source

BLOCKS, BLOCK = 16, 4096
"""Parts of a file that are compared where its time differs, and the bytes of each: a long video is not read
whole."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a video is known by.

    Attributes:
        size: bytes.
        changed_ns: time of its last change.
        content: digest of ``BLOCKS`` parts of it, evenly spread, and of its size.
    """

    size: int
    changed_ns: int
    content: str

    def row(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)

    def fits(self, source: Source) -> bool:
        """Whether a video is this one: the same size, and the same time or, where it was copied, content."""
        path = source.path
        try:
            if path is not None:
                found = path.stat()
                if found.st_size != self.size:
                    return False
                if found.st_mtime_ns == self.changed_ns:
                    return True
            return fingerprint_of(source).content == self.content
        except OSError:
            return False


def fingerprint_of(source: Source) -> Fingerprint:
    """Return what a video is known by.

    Raises:
        OSError: it cannot be read.
    """
    if source.path is not None:
        found = source.path.stat()
        return Fingerprint(found.st_size, found.st_mtime_ns, _content(source.path, found.st_size))
    if source.kind == SourceKind.IMAGES:
        stats = [(path.name, path.stat()) for path in image_paths(source)]
        text = "\n".join(f"{name} {found.st_size} {found.st_mtime_ns}" for name, found in stats)
        newest = max((found.st_mtime_ns for _, found in stats), default=0)
        return Fingerprint(sum(found.st_size for _, found in stats), newest, _digest(text.encode()))
    return Fingerprint(0, 0, _digest(source.uri.encode()))


def _content(path: Path, size: int) -> str:
    parts = [str(size).encode()]
    with path.open("rb") as file:
        for part in range(BLOCKS):
            file.seek((size - BLOCK) * part // (BLOCKS - 1) if size > BLOCK else 0)
            parts.append(file.read(BLOCK))
    return _digest(b"".join(parts))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
