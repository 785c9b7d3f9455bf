"""Where results go: an overlay video, index masks, JSON lines, or nowhere."""

from edge_arseg.video.sinks.base import Sink
from edge_arseg.video.sinks.opening import SinkPlan, open_sink, plan_sinks

__all__ = ["Sink", "SinkPlan", "open_sink", "plan_sinks"]
