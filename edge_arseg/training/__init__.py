"""Training: the HR branch on labelled images, the LR branch on pairs of frames."""
