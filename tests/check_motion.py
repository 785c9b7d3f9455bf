#!/usr/bin/env python3
"""The path by which ``tools/check_motion.py`` is known."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.check_motion import command, main

__all__ = ["command", "main"]

if __name__ == "__main__":
    sys.exit(command(sys.argv[1:]))
