"""How the help and the pages read: figures, and what is refused."""
