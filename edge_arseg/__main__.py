"""``python -m edge_arseg``."""

from edge_arseg.cli import main

if __name__ == "__main__":
    main()
