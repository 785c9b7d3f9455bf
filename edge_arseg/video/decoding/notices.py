"""Lines about a source that its user should know of, each said once."""

import logging
from fractions import Fraction
from functools import lru_cache
from typing import Any

import av

_log = logging.getLogger(__name__)

_HDR = {16: "PQ", 18: "HLG"}  # of transfer characteristics


@lru_cache(maxsize=1000)
def notice(text: str) -> None:
    """Say it in the log, unless it was said before: a source may be opened many times."""
    _log.warning("%s", text)


def say_transfer(label: str, frame: av.VideoFrame, context: Any) -> None:
    """Say once that a picture is HDR, where it is.

    Args:
        label: of the source.
        frame: its first picture.
        context: of its decoder; older PyAV has the transfer only there.
    """
    transfer = getattr(frame, "color_trc", None) or getattr(context, "color_trc", None)
    if transfer in _HDR:
        notice(
            f"{label}: an HDR picture ({_HDR[transfer]}); it is used without tone mapping, paler than SDR, "
            "which may cost accuracy"
        )


def say_pixel_shape(label: str, size: tuple[int, int], ratio: Fraction) -> None:
    """Say once that pixels are not square, where they are not: what is written has them too.

    Args:
        label: of the source.
        size: rows and columns of the upright picture.
        ratio: of its pixels, width over height.
    """
    if ratio != 1:
        height, width = size[0], round(size[1] * ratio)
        notice(
            f"{label}: its pixels are {float(ratio):.2f} times as wide as high; the network sees things in their true "
            f"shape. Results have the pixels of the source; --output-size {height}x{width} makes theirs square"
        )
