"""Checkpoint files in, network out."""
