"""A page to watch a run on, with its health and its metrics."""
