"""Many videos: on all cores of a machine, one file after the other whole or not at all."""
