"""The program ``edge-arseg``, and ``python -m edge_arseg``."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Load the command line and run it; an interrupt while it loads ends like one later."""
    try:
        from edge_arseg.cli import main as command_line
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)
    command_line()


if __name__ == "__main__":
    main()
