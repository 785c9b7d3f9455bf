"""The group of training commands, imported when asked for."""
