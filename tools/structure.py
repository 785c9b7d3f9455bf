#!/usr/bin/env python3
"""Print the figures of docs/architecture.md, "Before and after", for a checkout.

usage: python tools/structure.py [--blocks] [CHECKOUT]

``--blocks`` names the duplicated blocks too. A block is a run of at least six lines of code that two places have in
common, to the letter. Imports, comments, docstrings, empty lines and lines of brackets alone are no code.
"""

import ast
import io
import statistics
import sys
import tokenize
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import grimp

DOOR = 12
LONGEST = 300
BLOCK = 6
_LAYOUT = {
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.COMMENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


class Line(NamedTuple):
    """A line of code: the file from the package, the number from 1, and the text without the spaces around it."""

    file: str
    number: int
    text: str


def figures(root: Path) -> dict[str, str]:
    """Count the Python files below ``edge_arseg/``."""
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in root.glob("edge_arseg/**/*.py")}
    doors = Counter(path.parent for path in lines)
    folder, most = doors.most_common(1)[0]
    return {
        "files, lines": f"{len(lines)}, {sum(lines.values()):,}",
        "median lines of a file, `__init__` left out": f"{statistics.median(_without_init(lines)):g}",
        "longest file": str(max(lines.values())),
        f"files over {LONGEST} lines": str(sum(count > LONGEST for count in lines.values())),
        "most files at one door": f"{most} (`{folder.relative_to(root / 'edge_arseg')}`)",
        f"folders with more than {DOOR}": f"{sum(count > DOOR for count in doors.values())} of {len(doors)}",
        "duplicated blocks": str(len(blocks(code_of(root)))),
    }


def circles(root: Path) -> list[set[str]]:
    """Return the modules that import each other, directly or by others, wherever in a module the import stands.

    The package's own ``__init__`` is left out: it imports its public names when they are asked for.
    """
    sys.path.insert(0, str(root))
    try:
        graph = grimp.build_graph("edge_arseg", cache_dir=None)
    finally:
        sys.path.remove(str(root))
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules - {"edge_arseg"}}
    while ends := {module for module, imported in imports.items() if not imported & imports.keys()}:
        for module in ends:  # what imports nothing that is left is in no circle
            del imports[module]
    found: list[set[str]] = []
    for module in sorted(imports):
        if not any(module in circle for circle in found):
            circle = _reached(module, imports) & {other for other in imports if module in _reached(other, imports)}
            found += [circle] if circle else []
    return found


def _reached(module: str, imports: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    left = [module]
    while left:
        new = {other for other in imports[left.pop()] if other in imports} - reached
        reached |= new
        left += new
    return reached


def code_of(root: Path) -> list[list[Line]]:
    """Return the lines of code of each file below ``edge_arseg/``."""
    return [code_lines(path, str(path.relative_to(root))) for path in sorted(root.glob("edge_arseg/**/*.py"))]


def code_lines(path: Path, name: str) -> list[Line]:
    """Return the lines of code of a file that is called ``name``."""
    source = path.read_text(encoding="utf-8")
    left_out = _lines_without_code(ast.parse(source))
    tokens: dict[int, list[tokenize.TokenInfo]] = defaultdict(list)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _LAYOUT:
            tokens[token.start[0]].append(token)
    return [
        Line(name, number, " ".join(token.string for token in found))
        for number, found in sorted(tokens.items())
        if number not in left_out and any(token.type != tokenize.OP for token in found)
    ]


def blocks(files: list[list[Line]]) -> list[tuple[Line, Line, int]]:
    """Return the pairs of places that have a block in common: where each begins, and the number of lines."""
    places: dict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
    for f, lines in enumerate(files):
        for i in range(len(lines) - BLOCK + 1):
            places[tuple(line.text for line in lines[i : i + BLOCK])].append((f, i))
    found, seen = [], set()
    for here in places.values():
        for (f, i), (g, j) in combinations(here, 2):
            if (f, i, g, j) in seen or (f == g and j - i < BLOCK):
                continue
            length = 0
            for one, other in zip(files[f][i:], files[g][j:], strict=False):
                if one.text != other.text:
                    break
                seen.add((f, i + length, g, j + length))
                length += 1
            found.append((files[f][i], files[g][j], length))
    return found


def _lines_without_code(tree: ast.Module) -> set[int]:
    """Return the lines of imports and docstrings."""
    found: set[int] = set()
    for node in ast.walk(tree):
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        if text or isinstance(node, ast.Import | ast.ImportFrom):
            found.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return found


def _without_init(lines: dict[Path, int]) -> list[int]:
    return [count for path, count in lines.items() if path.name != "__init__.py"]


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--blocks"]
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[1]
    if not (root / "edge_arseg").is_dir():
        sys.exit(f"{root}: no folder edge_arseg inside; expected a checkout of this repository")
    for name, value in figures(root).items():
        print(f"{name}: {value}")
    print(f"import circles between modules: {len(circles(root))}")
    if "--blocks" in sys.argv:
        for one, other, length in sorted(blocks(code_of(root)), key=lambda block: -block[2]):
            print(f"{length} lines: {one.file}:{one.number} and {other.file}:{other.number}")
