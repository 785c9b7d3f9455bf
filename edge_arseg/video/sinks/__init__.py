"""Where results go: an overlay video, index masks, JSON lines, or nowhere."""

from edge_arseg.video.sinks.base import Sink
from edge_arseg.video.sinks.opening import open_sink

__all__ = ["Sink", "open_sink"]
