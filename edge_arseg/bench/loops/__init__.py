"""Loops that are timed: warm-up, turns, and what is kept of each frame."""
