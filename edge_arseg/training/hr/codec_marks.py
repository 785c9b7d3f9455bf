"""The marks that a video encoder leaves on a single picture."""

from fractions import Fraction

import av
import numpy as np

from edge_arseg.errors import EnvironmentUnfitError


def coded(rgb: np.ndarray, *, crf: int) -> np.ndarray:
    """Encode one picture with x264 and decode it again.

    Args:
        rgb: ``[H, W, 3] uint8``, both sides even.
        crf: x264's constant rate factor, 0 to 51; more is coarser.

    Returns:
        ``[H, W, 3] uint8``.

    Raises:
        EnvironmentUnfitError: this build of FFmpeg has no x264.
    """
    try:
        encoder = av.CodecContext.create("libx264", "w")
    except ValueError as error:  # how PyAV says that it has no such encoder
        raise EnvironmentUnfitError(
            "FFmpeg has no x264 here; install PyAV from its wheel: pip install av --force-reinstall"
        ) from error
    encoder.height, encoder.width = rgb.shape[:2]
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.thread_count = 1
    encoder.options = {"crf": str(crf), "preset": "veryfast", "tune": "zerolatency"}
    picture = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
    packets = [*encoder.encode(picture), *encoder.encode(None)]
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    frames = [frame for packet in packets for frame in decoder.decode(packet)]
    frames += decoder.decode(None)
    return frames[0].to_ndarray(format="rgb24")
