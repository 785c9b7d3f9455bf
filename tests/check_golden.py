#!/usr/bin/env python3
"""The path by which ``tools/check_golden.py`` is known."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.check_golden import MAX_ERROR, MIN_AGREEMENT, check_case, main, rows_from_logits

__all__ = ["MAX_ERROR", "MIN_AGREEMENT", "check_case", "main", "rows_from_logits"]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
