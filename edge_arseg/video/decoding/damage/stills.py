"""Files of one picture, as FFmpeg opens them."""

import io
from typing import Any

from edge_arseg.errors import SourceError
from edge_arseg.video.decoding.notices import notice
from edge_arseg.video.decoding.stills.tiff import JPEG_IN_TIFF, MORE_PAGES, TIFF, has_more_pages, is_jpeg_in_tiff

_ENDINGS = ("_pipe", "image2")
_FORGIVING = "mjpeg"
"""The decoder that gives a picture out of a file that lacks a part of it: the rest is grey or green, and no word is
said. Others refuse such a file. Being strict, that of TIFF refuses sound ones for their EXIF data."""


def is_still(container: str) -> bool:
    """Whether a container is a bare picture.

    Args:
        container: FFmpeg's name of it.
    """
    return container.endswith(_ENDINGS)


def demand_whole(label: str, container: str, context: Any, packet: Any) -> None:
    """Let a decoder refuse a still of which a part is missing; what is wrong beside its pixels is no matter.

    A line says where there are more pages than the one that is given.

    Args:
        label: of the source, for messages.
        container: FFmpeg's name of it.
        context: of the decoder, before its first packet.
        packet: the first; of a still it holds the whole file, and only then it is looked into.

    Raises:
        SourceError: FFmpeg would give an empty picture.
    """
    if not is_still(container):
        return
    if context.name == _FORGIVING:
        context.options = {"err_detect": "explode"}
    if context.name != TIFF:
        return
    file = io.BytesIO(bytes(packet))
    if is_jpeg_in_tiff(file):
        raise SourceError(f"{label}: {JPEG_IN_TIFF}")
    if has_more_pages(file):
        notice(f"{label}: {MORE_PAGES}")
