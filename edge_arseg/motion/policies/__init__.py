"""Keyframe policies beside the one of three thresholds."""
