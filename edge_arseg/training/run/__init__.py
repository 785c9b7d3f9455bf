"""One training run: its folder, loop, schedule, losses and precision."""
