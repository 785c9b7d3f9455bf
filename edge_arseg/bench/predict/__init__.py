"""What a board that is not at hand can give at most: a lower bound of each branch's time, never a measurement."""
