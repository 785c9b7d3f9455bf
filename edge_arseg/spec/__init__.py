"""What both halves agree on: frames, motion, tensors, classes, the bundle's manifest.

Only numpy, the standard library and the validation library are imported here.
"""
