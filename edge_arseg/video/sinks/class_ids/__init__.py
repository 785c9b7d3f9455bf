"""Class ids for other programs: as bytes, and as an archive of NumPy."""
