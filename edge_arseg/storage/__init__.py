"""Where the product keeps and finds files: whole writes, the folder of shipped data, the user's cache."""
