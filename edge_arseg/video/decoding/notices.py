"""Lines about a source that its user should know of, each said once."""

import logging
from functools import lru_cache
from typing import Any

import av

_log = logging.getLogger(__name__)

_SQUARE, _ABSURD = (0.95, 1.05), (0.1, 10.0)
"""Width of a pixel over its height: what nobody sees, and what no recorder means."""
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


def say_pixel_shape(label: str, stream: Any, context: Any) -> None:
    """Say once that pixels are not square, where the recording is anamorphic: they are used as if they were.

    Args:
        label: of the source.
        stream: that is decoded, as the container describes it; ``None``: there is none.
        context: of its decoder.
    """
    ratio = float(getattr(stream, "sample_aspect_ratio", None) or context.sample_aspect_ratio or 1)
    if not _ABSURD[0] < ratio < _ABSURD[1] or _SQUARE[0] < ratio < _SQUARE[1]:
        return
    seen = "narrower" if ratio > 1 else "wider"
    notice(
        f"{label}: its pixels are {ratio:.2f} times as wide as high and count as square, so that things look {seen} to "
        "the network, which may cost accuracy; make them square: ffmpeg -i IN -vf scale=iw*sar:ih,setsar=1 OUT"
    )
