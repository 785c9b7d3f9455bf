"""A run that is watched: by people on a page, and by the system that started it."""
