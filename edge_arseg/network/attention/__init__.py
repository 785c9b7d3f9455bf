"""Local attention of the fusion: one operator, written for export, for training and for the CPU."""
