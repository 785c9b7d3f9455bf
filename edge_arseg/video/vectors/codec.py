"""The motion vectors that the stream itself carries, and when they can be used."""

import av
import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.frame import VECTOR_DTYPE
from edge_arseg.video.decoding.side_data import side_data
from edge_arseg.video.vectors.sps import parameter_sets_of_extradata, sps_from_unit

EXPORTING = frozenset(
    (
        *("h264", "mpeg4", "mpeg2video", "mpeg1video", "h263", "h263p", "flv"),
        *("msmpeg4v2", "msmpeg4", "wmv1", "wmv2", "snow"),
    )
)
"""FFmpeg decoders that export their vectors. HEVC, VP8, VP9 and AV1 never do; intra-only codecs have none."""

B_FRAMES = "the stream has B-frames, and vectors do not say which frame they point to"


def unfit_stream(context: av.VideoCodecContext) -> str | None:
    """Why the vectors of an opened stream cannot be chained; ``None`` where they can.

    Vectors are exported without saying *which* frame they point to. So they can be chained only where that must be the
    frame before: no B-frames, one reference frame.
    """
    name = context.name
    if name not in EXPORTING:
        return f"the {name} decoder exports no vectors"
    if context.has_b_frames:
        return B_FRAMES
    if name == "h264":
        units = parameter_sets_of_extradata(context.extradata)
        if not units or sps_from_unit(units[0]) is None:
            return "the stream does not say how many reference frames it uses"
        return next(filter(None, map(unfit_parameters, units)), None)
    return None


def unfit_parameters(unit: bytes) -> str | None:
    """Why vectors under an H.264 sequence parameter set cannot be chained; ``None`` where they can."""
    sps = sps_from_unit(unit)
    if sps is None:
        return None
    if sps.max_refs > 1:
        return f"the stream uses up to {sps.max_refs} reference frames, and vectors do not say which one"
    if not sps.progressive:
        return "the stream is interlaced"
    if sps.corner_cut:
        return "the stream cuts off columns on the left or rows at the top, and vectors count from the corner before"
    return None


def unfit_picture(picture: av.VideoFrame) -> str | None:
    """Why the vectors of one decoded picture cannot be chained; ``None`` where they can."""
    if int(picture.pict_type) == 3:
        return "a B-frame came although the stream announced none"
    if picture.interlaced_frame:
        return "the stream is interlaced"
    return None


def made_by_x264(packet: av.Packet) -> bool:
    """The first packet of the stream carries the signature of x264, whose vectors were measured as trustworthy."""
    return b"x264 - core" in bytes(packet)[:4096]


def vectors_from_picture(picture: av.VideoFrame) -> NDArray[np.void] | None:
    """The exported vectors as ``[N]`` of ``VECTOR_DTYPE``, in pixels of the coded picture; ``None`` if it has none.

    ``motion / motion_scale`` is the displacement to the reference, with its sub-pixel part.
    """
    data = side_data(picture, "MOTION_VECTORS")
    if data is None:
        return None
    exported = data.to_ndarray()
    vectors = np.empty(len(exported), VECTOR_DTYPE)
    vectors["x"], vectors["y"] = exported["dst_x"], exported["dst_y"]
    vectors["width"], vectors["height"] = exported["w"], exported["h"]
    scale = np.maximum(exported["motion_scale"], 1).astype(np.float32)
    np.divide(exported["motion_x"], scale, out=vectors["flow_x"], casting="same_kind")
    np.divide(exported["motion_y"], scale, out=vectors["flow_y"], casting="same_kind")
    return vectors
