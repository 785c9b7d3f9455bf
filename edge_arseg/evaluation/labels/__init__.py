"""Labels: their files and codes, and which label belongs to which picture."""
