"""One setting, measured."""
