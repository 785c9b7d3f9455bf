"""What measures, and what shows what was measured."""
