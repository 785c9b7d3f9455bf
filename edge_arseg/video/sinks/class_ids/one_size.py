"""Sinks whose class maps all have one size."""

from edge_arseg.errors import SinkError
from edge_arseg.spec.frame import SegmentedFrame


def changed_size(target: str, size: tuple[int, ...], result: SegmentedFrame, why: str) -> SinkError:
    """Return the error of a sink whose source changed its size.

    Args:
        target: label of the sink.
        size: of the frames before, rows and columns.
        result: the first that has another one.
        why: the sink cannot take it; what is kept.
    """
    seen, first = ("x".join(map(str, shape)) for shape in (result.at_source().shape, size))
    return SinkError(
        f"cannot write {target}: the source's size changed to {seen} in frame {result.frame.index}, and {why}; "
        f"type --output-size {first}"
    )
