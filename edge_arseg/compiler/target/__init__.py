"""A bundle for a board: options, steps, precision, engines and kernels."""
