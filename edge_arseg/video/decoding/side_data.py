"""What a decoder attached to a picture."""

from typing import Any

import av
from av.sidedata.sidedata import SideDataContainer, Type


def _unlisted(kinds: Any, value: object) -> Any:
    member = object.__new__(kinds)
    member._name_, member._value_ = f"UNLISTED_{value}", value
    return member


# FFmpeg has kinds that PyAV does not list (EXIF, multiple views), and PyAV then refuses to give *any* side data of the
# picture: ``ValueError: 31 is not a valid Type``. With this hook of ``enum`` it names them by their number.
if "_missing_" not in vars(Type):
    Type._missing_ = classmethod(_unlisted)  # type: ignore[assignment]


def side_data(picture: av.VideoFrame, kind: str) -> Any | None:
    """The first data of one kind, e.g. ``MOTION_VECTORS``; ``None`` where the picture has none."""
    # Not ``picture.side_data``: it ties picture and data into a ring, which holds MBs until Python looks for rings.
    return SideDataContainer(picture).get(kind)  # type: ignore[call-arg]
