"""Where results go: an overlay video, index masks, JSON lines, or nowhere."""

from edge_arseg.video.sinks.base import Sink
from edge_arseg.video.sinks.opening import check_sinks, open_sink, open_sinks

__all__ = ["Sink", "check_sinks", "open_sink", "open_sinks"]
