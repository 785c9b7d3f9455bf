"""A network to the graphs and golden frames of a bundle."""
