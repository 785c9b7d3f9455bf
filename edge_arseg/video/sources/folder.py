"""Folders, and patterns of names, as people type them: pictures in order, or videos."""

import glob
import os
from pathlib import Path

from edge_arseg.quantity import counted
from edge_arseg.storage.url import printable
from edge_arseg.video.sources.pattern import is_glob, natural

PICTURES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".pnm"),
    *(".tga", ".jp2", ".j2k", ".avif", ".heic", ".heif", ".hif"),
)
"""Endings of files that hold one picture."""

VIDEOS = (
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv", ".flv"),
    *(".3gp", ".ogv", ".y4m", ".h264", ".264", ".hevc", ".h265", ".265", ".mjpeg", ".mjpg", ".vob", ".mxf"),
    *(".asf", ".3g2", ".f4v", ".qt", ".m2v", ".divx", ".dv", ".mod", ".tod", ".dav", ".insv", ".ivf", ".nut"),
    *(".rm", ".apng"),
)
"""Endings of files that hold a video."""

PLAYLISTS = (".m3u8", ".m3u", ".ffconcat")
"""Endings of files that name the files of a video."""


def files_in(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    """Return the files of a folder with these endings in order of their names; hidden ones are left out.

    A link that leads nowhere is among them: whoever reads it says so, and no later picture moves up to its place.

    Raises:
        OSError: the folder cannot be looked into.
    """
    names = (path for path in folder.iterdir() if not path.name.startswith(".") and path.suffix.lower() in endings)
    return sorted((path for path in names if _is_named_file(path)), key=natural)


def _is_named_file(path: Path) -> bool:
    """Whether it is a file, or a link whose file is gone."""
    return path.is_file() or (path.is_symlink() and not os.path.exists(path))  # noqa: PTH110 - never raises


def videos_from_text(text: str) -> list[str]:
    """Return the videos that a folder or a pattern stands for; none where it stands for something else.

    ``*`` and ``?`` may stand in any part of a path, ``**`` for any folders. A folder stands for the videos in it, not
    for those in its subfolders.

    Args:
        text: as typed; a name that is there is no pattern.

    Raises:
        OSError: a folder cannot be looked into.
    """
    if "://" in text:
        return []
    if os.path.isdir(text):  # noqa: PTH112 - never raises
        found = files_in(Path(text), VIDEOS)
        return [] if files_in(Path(text), PICTURES) else [str(path) for path in found]
    if not is_glob(text) or os.path.lexists(text):
        return []
    matches = map(Path, glob.glob(text.replace("[", "[[]"), recursive=True))  # noqa: PTH207 - takes absolute patterns
    paths = [path for path in matches if _is_named_file(path)]
    if not paths or not all(path.suffix.lower() in VIDEOS for path in paths):
        return []
    return [str(path) for path in sorted(paths, key=lambda path: (natural(path.parent), natural(path)))]


def fault_of_folder(folder: Path) -> str | None:
    """Say why a folder is no source of pictures, and what to type instead; ``None`` where it is one.

    Raises:
        OSError: the folder cannot be looked into.
    """
    pictures, videos = files_in(folder, PICTURES), files_in(folder, VIDEOS)
    shown = printable(str(folder))
    if videos and pictures:
        return (
            f"a folder with {counted(len(videos), 'video')} and {counted(len(pictures), 'picture')}; type "
            f"'{shown}/*{videos[0].suffix}' or '{shown}/*{pictures[0].suffix}'"
        )
    if videos:
        return fault_of_videos([str(path) for path in videos])
    if not pictures:
        return f"no video and no picture in this folder; for videos in its subfolders type '{shown}/**/*.mp4'"
    return None


def fault_of_videos(videos: list[str]) -> str:
    """Say what to type where one source was expected and several videos were named."""
    return (
        f"{len(videos)} videos, {printable(videos[0])} the first; name one of them, or give all to `edge-arseg run` "
        "with {stem} in the names of its sinks"
    )
