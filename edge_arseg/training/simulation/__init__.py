"""Labelled stills, moved by a camera path into short clips."""
