"""What a still says of itself and FFmpeg leaves out."""

from typing import Any

import av

from edge_arseg.video.decoding.orientation import Orientation, orientation_from_picture
from edge_arseg.video.decoding.stills.exif import KINDS, orientation_of_still
from edge_arseg.video.decoding.stills.tiff import TIFF, say_colours


def said_of_still(picture: av.VideoFrame, decoder: str, packet: Any) -> Orientation | None:
    """Let a picture say what its colours are, and return how it is to be shown; ``None`` where it does not say it.

    Args:
        picture: as decoded.
        decoder: FFmpeg's name of it.
        packet: that the picture was decoded from; only those of stills are looked into.
    """
    if decoder not in KINDS:
        return None
    data = bytes(packet)
    if decoder == TIFF:
        say_colours(picture, data)
    return orientation_from_picture(picture) or orientation_of_still(decoder, data)
