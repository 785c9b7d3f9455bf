"""Sinks that others watch while a run continues: streams, segments, messages."""
