#!/usr/bin/env python3
"""Print the figures of docs/architecture.md, "Before and after", for a checkout.

usage: python tools/structure.py [FOLDER]
"""

import statistics
import sys
from collections import Counter
from pathlib import Path

DOOR = 12
LONGEST = 300


def figures(root: Path) -> dict[str, str]:
    """Count the Python files below ``edge_arseg/``."""
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in root.glob("edge_arseg/**/*.py")}
    doors = Counter(path.parent for path in lines)
    folder, most = doors.most_common(1)[0]
    return {
        "files, lines": f"{len(lines)}, {sum(lines.values()):,}",
        "median lines of a file, `__init__` left out": f"{statistics.median(_without_init(lines)):g}",
        "longest file": str(max(lines.values())),
        "most files at one door": f"{most} (`{folder.relative_to(root / 'edge_arseg')}`)",
        f"folders with more than {DOOR}": f"{sum(count > DOOR for count in doors.values())} of {len(doors)}",
    }


def _without_init(lines: dict[Path, int]) -> list[int]:
    return [count for path, count in lines.items() if path.name != "__init__.py"]


if __name__ == "__main__":
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1]
    for name, value in figures(root).items():
        print(f"{name}: {value}")
