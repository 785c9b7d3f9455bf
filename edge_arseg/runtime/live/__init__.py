"""What a run on a live source came to."""
