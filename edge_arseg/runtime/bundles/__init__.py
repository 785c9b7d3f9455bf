"""Bundles as they are read: files, plans of TensorRT, the summary of a quantization; those in the package by name."""
