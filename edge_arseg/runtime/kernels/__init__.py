"""Compiled kernels of the fusion and of the head, for CPU and GPU."""
