"""Ranges of activations, from the frames of clips."""
