"""Encoders: image in, features at several strides out."""
