"""Labelled clips and image folders, and the scores of class maps against them."""
