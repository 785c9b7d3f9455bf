"""Accuracy of what is timed, with the digest of what was scored."""
