"""Compile, run and measure AR-Seg compressed-video segmentation on edge boards.

::

    from edge_arseg import Segmenter

    with Segmenter("camvid-bise18.arseg") as segmenter:
        for result in segmenter.stream("clip.mp4"):
            result.class_map, result.branch, result.distance
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_arseg.runtime.segmenter import Segmenter

__all__ = ["Segmenter", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import ``Segmenter`` when it is asked for: the command line shows its help without it."""
    if name == "Segmenter":
        from edge_arseg.runtime.segmenter import Segmenter

        return Segmenter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
