"""Records of ``bench``: one JSON file, and every sample in one file of columns beside it."""
