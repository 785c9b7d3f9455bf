"""Records of ``bench`` on disk: written while it runs, read whole or as far as they got."""
