"""The LR branch and the fusion, trained on pairs of frames."""
