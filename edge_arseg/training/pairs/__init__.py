"""Pairs of frames: made from clips, kept in a store."""
