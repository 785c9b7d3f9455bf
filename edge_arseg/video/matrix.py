"""The matrix by which a picture's luma and chroma were made of RGB."""

import av

from edge_arseg.errors import SourceError

_CONVERTED = frozenset((0, 1, 2, 4, 5, 6, 7, 9))
"""FFmpeg's numbers of those that it converts."""
_RESERVED, _UNKNOWN = 3, 2
_NAMES = {8: "YCgCo", 10: "BT.2020 with constant luminance", 14: "ICtCp"}


def has_matrix(picture: av.VideoFrame) -> bool:
    """Whether a picture is of luma and chroma, and neither grey nor RGB."""
    kind = picture.format
    return not kind.is_rgb and len(kind.components) >= 3 and not kind.name.startswith("xyz")


def demand_matrix(label: str, picture: av.VideoFrame) -> None:
    """Refuse a picture whose matrix FFmpeg does not convert by.

    A number that no standard gives a meaning tells no matrix: such a picture then says that its own is not known.

    Args:
        label: of the source, for messages.
        picture: as decoded.

    Raises:
        SourceError: FFmpeg would give other colours, or none.
    """
    matrix = int(picture.colorspace)
    if matrix in _CONVERTED or not has_matrix(picture):
        return
    if matrix == _RESERVED:
        picture.colorspace = _UNKNOWN
        return
    told = _NAMES.get(matrix, f"of matrix {matrix}")
    raise SourceError(
        f"{label}: its colours are {told}, which is not converted to RGB here; make them BT.709 first: "
        "ffmpeg -i IN -vf zscale=matrix=709 OUT"
    )
