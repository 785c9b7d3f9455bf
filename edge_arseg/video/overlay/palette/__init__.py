"""Which colour a class is drawn in."""
