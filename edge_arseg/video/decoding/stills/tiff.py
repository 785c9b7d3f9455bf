"""What a TIFF says of its pixels and FFmpeg leaves out."""

import io
from typing import BinaryIO

import av

from edge_arseg.video.decoding.stills.tags import places_of_tags, tag_numbers

_PACKED, _COLOUR, _COEFFICIENTS, _BLACK_AND_WHITE = 259, 262, 529, 532
"""Tags: how the pixels are packed, and what their values are."""
_JPEG, _YCBCR = (6, 7), 6
_KIND, _BESIDE = 254, 1 | 4  # a tag, and its bits for a smaller copy of a picture and for a mask
_FULL, _BT709 = 2, 1  # of FFmpeg's ranges and matrices
_GREEN_OF_BT709 = 0.7152
TIFF = "tiff"
"""FFmpeg's name of the decoder."""
JPEG_IN_TIFF = (
    "a TIFF whose pixels are packed as JPEG, which this FFmpeg gives as an empty picture; convert it to PNG first"
)
MORE_PAGES = "a TIFF of several pages; the first one is taken: split it to have the others"


def is_jpeg_in_tiff(file: BinaryIO) -> bool:
    """Whether a file is a TIFF whose first picture is packed as JPEG.

    Args:
        file: that can be read at any place.

    Raises:
        OSError: it cannot be read.
    """
    return any(packing[0] in _JPEG for packing in tag_numbers(file, _PACKED) if packing)


def has_more_pages(file: BinaryIO) -> bool:
    """Whether a file is a TIFF of several pages, of which FFmpeg gives the first. Previews and masks are none.

    Args:
        file: that can be read at any place.

    Raises:
        OSError: it cannot be read.
    """
    _, *others = [*places_of_tags(file)] or [0]
    kinds = [tag_numbers(file, _KIND, place) for place in others]
    return any(not any(kind and int(kind[0]) & _BESIDE for kind in said) for said in kinds)


def say_colours(picture: av.VideoFrame, data: bytes) -> None:
    """Let a picture of a TIFF say what its YCbCr values are; others stay as they are.

    Luma and chroma go from 0 to 255 unless the file says where black lies (TIFF 6.0, section 21). FFmpeg takes them for
    those of a video, from 16 to 235.

    Args:
        picture: as decoded.
        data: of the file.
    """
    file = io.BytesIO(data)
    if _last(file, _COLOUR)[:1] != [_YCBCR] or int(picture.color_range):
        return
    ends = _last(file, _BLACK_AND_WHITE, [0.0])
    if not ends or ends[0] < 8:  # between black at 0 and black at 15 or 16
        picture.color_range = _FULL
    weights = _last(file, _COEFFICIENTS)
    if len(weights) == 3 and abs(weights[1] - _GREEN_OF_BT709) < 0.02:
        picture.colorspace = _BT709


def _last(file: BinaryIO, tag: int, missing: list[float] | None = None) -> list[float]:
    return [missing or [], *tag_numbers(file, tag)][-1]
