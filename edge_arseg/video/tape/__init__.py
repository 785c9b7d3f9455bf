"""What a live source sent, kept with its times so that it can be replayed exactly."""
