"""The demonstration: a video segmented into a folder to look at."""
