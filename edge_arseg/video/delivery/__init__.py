"""How frames of a live source are delivered: which of them, how old, and how long one waits for the source."""
