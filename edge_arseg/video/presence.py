"""Whether a source is there and can be asked again, before engines are opened for it."""

import os
from pathlib import Path

from edge_arseg.errors import OptionError, SourceError
from edge_arseg.storage.url import part_of_label, printable
from edge_arseg.suggestion import did_you_mean
from edge_arseg.video.cameras import DEVICES, no_camera
from edge_arseg.video.sources.folder import PICTURES, VIDEOS
from edge_arseg.video.sources.kinds import SourceKind
from edge_arseg.video.sources.pattern import is_glob, is_pattern
from edge_arseg.video.sources.playlists import fault_of_list
from edge_arseg.video.uri import Source


def refuse_missing(source: Source) -> None:
    """Refuse a file, a folder or a camera that is not there, and name one that is like it.

    Streams and servers are asked when they are opened. A camera that is waited for (``--wait``) is no matter for this.

    Raises:
        SourceError: there is no such file or device, or no images of these names; or the file is empty, or a list of
            files that are not there.
    """
    if source.kind == SourceKind.IMAGES:
        from edge_arseg.video.sources.images import image_paths

        image_paths(source)
    path = _place(source)
    if path is not None and not os.path.lexists(path):
        raise SourceError(missing(source.label, path))
    if source.kind != SourceKind.DEVICE and path is not None and path.is_file() and path.stat().st_size == 0:
        raise SourceError(f"{source.label}: an empty file; was it copied or recorded to its end?")
    if path is not None and (fault := fault_of_list(path)) is not None:
        raise SourceError(f"{source.label}: {fault}")


def refuse_live(source: Source) -> None:
    """Refuse a source whose frames cannot be asked for again, where they are compared with something.

    Raises:
        OptionError: it is live.
    """
    if source.live:
        raise OptionError(f"{source.label}: a live source never gives the same frames twice; record it to a file first")


def missing(label: str, path: Path) -> str:
    """Return the message for a source that is not there.

    Args:
        label: of the source.
        path: where it was looked for.
    """
    folder = path.parent
    shown = part_of_label(label, str(folder))
    try:
        there = sorted(folder.iterdir())
    except OSError:
        return f"{label}: there is no such file or device, and no folder {shown}; check the path"
    if folder == DEVICES:
        return no_camera(label, path)
    if is_pattern(path.name):
        wider = "" if is_glob(path.name) else "; %d takes numbers of any width"
        return f"{label}: there is no such file or device, and none in {shown} that fits the pattern{wider}"
    readable = (*VIDEOS, *PICTURES)
    fit = [one for one in there if one.suffix.lower() in readable or one.is_dir()]
    fit.sort(key=lambda one: one.suffix == path.suffix)  # of two with one stem that with the ending typed
    stems = {one.stem: printable(str(one)) for one in fit}
    meant = did_you_mean(path.stem, stems, shown=stems)
    return f"{label}: there is no such file or device; {meant or 'check the path'}"


def _place(source: Source) -> Path | None:
    """Return what has to be there on this machine; ``None`` where that is not known before it is opened."""
    if source.kind == SourceKind.DEVICE:
        return Path(source.location)
    return source.path
