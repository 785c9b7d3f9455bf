"""Overlay videos: drawn on the canvas of the source, encoded in a thread."""
