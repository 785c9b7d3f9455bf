"""Compile, run and measure AR-Seg compressed-video segmentation on edge boards."""

__all__ = ["__version__"]

__version__ = "0.1.0"
