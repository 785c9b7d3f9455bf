"""Clips and cameras to frames with vectors; class maps to files and streams."""
