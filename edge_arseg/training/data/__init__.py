"""Labelled images and clips, and the training pairs made of them. No torch in here."""
