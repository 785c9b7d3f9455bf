"""Playlists and lists of files: what they name, and what FFmpeg would leave out of them."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from edge_arseg.storage.url import printable
from edge_arseg.video.sources.folder import PLAYLISTS

LONGEST = 1 << 20
"""Characters of a playlist that are looked at."""
_CONCAT, _HLS = "ffconcat version", "#EXTM3U"
"""How playlists begin, by which FFmpeg knows them, whatever their names are."""
_SEGMENT = "#EXTINF"
END = "#EXT-X-ENDLIST"
"""The last line of a playlist that is finished."""
_NEEDED = "#EXT-X-MAP"
"""The tag of what comes before all segments; other tags may name what is not there yet."""
_MOST = 1000
"""Playlists within playlists that are looked into."""

_SAFE = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*")
"""Names that FFmpeg takes out of a list of files."""
_FILE = re.compile(r"file\s+(?P<name>.*)")
_IN_NAME = re.compile(r"'(?P<quoted>[^']*)'|\\(?P<escaped>.)|(?P<plain>[^\s'\\]+)|(?P<end>\s)")
_ATTRIBUTE = re.compile(r'\bURI="(?P<name>[^"]*)"')


def files_named(path: Path) -> list[Path]:
    """Return a file, and those that it names where it is a playlist, or a list of files."""
    found, behind = {path: None}, [path]
    for _ in range(_MOST):
        if behind:
            named = dict.fromkeys(_named_by(behind.pop()))
            behind += [name for name in named if name.suffix.lower() in PLAYLISTS and name not in found]
            found.update(named)
    return list(found)


def fault_of_list(path: Path) -> str | None:
    """Say which file of a list (``ffconcat``, HLS) FFmpeg will not read; ``None`` where it is none, or a good one."""
    lines = _lines_of_list(path)
    if not _begins(lines, _CONCAT):
        return _fault_of_playlist(path, lines)
    for name in _named_in_concat(lines):
        if "://" in name:
            continue
        shown = printable(name)
        if _SAFE.fullmatch(name) is None:
            return (
                f"a list of files that names {shown}; FFmpeg takes names of files beside the list or below it, of "
                "letters, digits, _ - and . alone: rename the file, or make a link of such a name"
            )
        if not (path.parent / name).exists():
            return f"a list of files that names {shown}, and there is no such file; names count from the list's folder"
    return None


def _fault_of_playlist(path: Path, lines: list[str]) -> str | None:
    """FFmpeg leaves out a segment that it cannot open, with its pictures."""
    if not _begins(lines, _HLS):
        return None
    segments = any(line.startswith(_SEGMENT) for line in lines)
    for line in lines:
        named = line if not line.startswith("#") else ""
        if line.startswith(_NEEDED) and (match := _ATTRIBUTE.search(line)):
            named = match["name"]
        if not named or ":" in named or "\0" in named:
            continue
        file = path.parent / named
        if not segments and file.suffix.lower() in PLAYLISTS and (fault := fault_of_list(file)) is not None:
            return fault
        if segments and not file.exists():
            return (
                f"a playlist that names {printable(named)}, and there is no such file; copy it there, or take its "
                "line out of the playlist"
            )
    return None


def is_unfinished(path: Path) -> bool:
    """Whether a file is a playlist of HLS that has no end mark, as one that is still written."""
    lines = _lines_of_list(path)
    return _begins(lines, _HLS) and any(line.startswith(_SEGMENT) for line in lines) and END not in lines


def _named_by(path: Path) -> Iterator[Path]:
    lines = _lines_of_list(path)
    is_concat = _begins(lines, _CONCAT) or path.suffix.lower() == ".ffconcat"
    for name in _named_in_concat(lines) if is_concat else _named_in_hls(lines):
        if name and "://" not in name and "\0" not in name:
            yield path.parent / name.removeprefix("file:")


def _lines_of_list(path: Path) -> list[str]:
    """The lines of a list of files or a playlist, as far as it is looked at; none of other files."""
    text = ""
    with suppress(OSError):
        if path.is_file():
            with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
                text = file.read(len(_CONCAT))
                if path.suffix.lower() in PLAYLISTS or text.startswith((_CONCAT, _HLS)):
                    text += file.read(LONGEST)
                    if file.read(1):
                        text = text[: text.rfind("\n") + 1]  # the rest of a line is no name
    return [line.strip() for line in text.splitlines()]


def _begins(lines: list[str], mark: str) -> bool:
    return bool(lines) and lines[0].startswith(mark)


def _named_in_concat(lines: list[str]) -> Iterator[str]:
    """Names as FFmpeg reads them: parts in single quotes are literal, elsewhere a backslash goes before a character."""
    for line in lines:
        if match := _FILE.fullmatch(line):
            name = ""
            for part in _IN_NAME.finditer(match["name"]):
                if part["end"]:
                    break
                name += part["quoted"] or part["escaped"] or part["plain"] or ""
            yield name


def _named_in_hls(lines: list[str]) -> Iterator[str]:
    """Segments, other playlists, and what tags name: first parts, keys, sound."""
    for line in lines:
        if line.startswith("#"):
            yield from (match["name"] for match in _ATTRIBUTE.finditer(line))
        else:
            yield line
