"""Long videos of an archive in pieces, from the cut to the joined results."""
