"""Backbones: image in, feature out."""
