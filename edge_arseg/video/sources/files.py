"""The files of this machine that a source is read from."""

import re
from contextlib import suppress
from pathlib import Path

from edge_arseg.video.sources.kinds import SourceKind
from edge_arseg.video.uri import Source

PLAYLISTS = (".m3u8", ".m3u", ".ffconcat")
LONGEST = 1 << 20
"""Characters of a playlist that are looked at."""

_CONCAT = re.compile(r"file\s+(?P<quote>['\"]?)(?P<name>.*?)(?P=quote)\s*")


def files_of_source(source: Source) -> list[Path]:
    """Return the file of a source, and those that it names where it is a playlist; none where it is not of files.

    Images are not among them: see ``image_paths``.
    """
    if source.kind == SourceKind.REPLAY:
        return [Path(source.location)]
    if source.path is None:
        return []
    return [source.path, *_named_by(source.path)]


def _named_by(path: Path) -> list[Path]:
    if path.suffix.lower() not in PLAYLISTS:
        return []
    text = ""
    with suppress(OSError), path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        text = file.read(LONGEST)
    lines = [line.strip() for line in text.splitlines()]
    if path.suffix.lower() == ".ffconcat":
        names = [match["name"] for line in lines if (match := _CONCAT.fullmatch(line))]
    else:
        names = [line for line in lines if line and not line.startswith("#")]
    return [path.parent / name.removeprefix("file:") for name in names if "://" not in name and "\0" not in name]
