"""Tuning: settings of a run are tried on a labelled clip, and the one that holds the limits is written down."""
