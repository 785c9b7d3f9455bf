"""When pictures are shown."""
