"""Sinks that others watch during a run: streams, segments, messages."""
