"""Clips and cameras to frames with vectors; class maps to files and streams."""

from edge_arseg.video.reader import VideoReader, open_video
from edge_arseg.video.sources.kinds import SourceKind
from edge_arseg.video.uri import Source, source_from_uri

__all__ = ["Source", "SourceKind", "VideoReader", "open_video", "source_from_uri"]
