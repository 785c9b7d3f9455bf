"""Where results go: an overlay video, index masks, JSON lines, or nowhere."""

from .base import Sink
from .opening import open_sink

__all__ = ["Sink", "open_sink"]
