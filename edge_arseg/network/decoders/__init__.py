"""Decoders: encoder features in, one feature map out."""
