"""Clips and cameras to frames with vectors; class maps to files and streams."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_arseg.video.reader import VideoReader, open_video
    from edge_arseg.video.sources.kinds import SourceKind
    from edge_arseg.video.uri import Source, source_from_uri

__all__ = ["Source", "SourceKind", "VideoReader", "open_video", "source_from_uri"]

_HOMES = {
    "Source": "uri",
    "SourceKind": "sources.kinds",
    "VideoReader": "reader",
    "open_video": "reader",
    "source_from_uri": "uri",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is asked for: the help of a command has options of the overlay, and needs no PyAV."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
