"""Engines: one contract, and one folder for each library that runs a branch."""
