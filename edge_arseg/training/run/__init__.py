"""One training run: its loop, folder, views, optimizer, losses and precision."""
