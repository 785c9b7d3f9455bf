"""Text on pictures, in a font that lies beside this file."""
