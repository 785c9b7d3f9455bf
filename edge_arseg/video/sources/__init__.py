"""What pictures come from besides a file: folders, patterns, the rendered street, live streams."""
