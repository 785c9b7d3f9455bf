"""Sinks that others watch while a run goes on: streams, segments, messages."""
