"""What the two CPU kernels share: registers of this CPU, vectors as values, and how threads take their work."""
