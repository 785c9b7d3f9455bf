"""Codec vectors to block flow to flow back to the keyframe; the keyframe policy. Pure functions of numpy arrays."""
