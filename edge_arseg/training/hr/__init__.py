"""The HR branch, trained on labelled images."""
