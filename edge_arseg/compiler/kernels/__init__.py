"""Building the kernels of CPU and GPU, and choosing them for a target."""
