"""Engines of TensorRT, and where the library is."""
