"""Whether a file ends where its container says that it does."""
