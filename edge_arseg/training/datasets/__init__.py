"""Labelled images of a data set, in every layout that is read."""
