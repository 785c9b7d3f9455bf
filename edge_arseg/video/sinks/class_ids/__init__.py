"""Class ids for other programs: as index pictures, as bytes, and as an archive of NumPy."""
