"""Motion vectors of a stream: which are taken, and how they are read or made."""
