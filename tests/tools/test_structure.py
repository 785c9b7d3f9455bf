"""What the architecture page promises of files and folders."""

from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("grimp")  # comes with import-linter

from tools.structure import DOOR, LONGEST, blocks, circles, code_of, figures

ROOT = Path(__file__).parents[2]
FILES = [*ROOT.glob("edge_arseg/**/*.py"), *ROOT.glob("tools/**/*.py"), *ROOT.glob("examples/*.py")]


def test_no_door_has_more_than_twelve_files():
    doors = Counter(path.parent for path in FILES)
    assert {str(folder.relative_to(ROOT)): count for folder, count in doors.items() if count > DOOR} == {}


def test_no_module_has_more_than_300_lines():
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {str(path.relative_to(ROOT)): count for path, count in lines.items() if count > LONGEST} == {}


def test_figures_count_what_is_there(tmp_path):
    for name, lines in (("a/one.py", 10), ("a/two.py", 30), ("a/__init__.py", 1), ("b.py", 50)):
        path = tmp_path / "edge_arseg" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("# x\n" * lines)
    assert figures(tmp_path) == {
        "files, lines": "4, 91",
        "median lines of a file, `__init__` left out": "30",
        "longest file": "50",
        "files over 300 lines": "0",
        "most files at one door": "3 (`a`)",
        "folders with more than 12": "0 of 2",
        "duplicated blocks": "0",
    }


def test_no_modules_import_each_other_in_a_circle():
    assert circles(ROOT) == []


def test_a_block_that_two_places_share_is_found_once_whatever_surrounds_it(tmp_path):
    package = tmp_path / "edge_arseg"
    package.mkdir()
    body = "".join(f"value_{i} = {i}\n" for i in range(7))
    (package / "one.py").write_text(f'"""One."""\n\nimport os\n{body}')
    (package / "two.py").write_text(f"# Two.\nfirst = 1\nimport sys\n{body}last = 2\n")
    ((one, other, length),) = blocks(code_of(tmp_path))
    assert ((one.file, one.number), (other.file, other.number), length) == (
        ("edge_arseg/one.py", 4),
        ("edge_arseg/two.py", 4),
        7,
    )
