"""The index leads to every page, once."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
INDEX = ROOT / "docs" / "index.md"


def in_order() -> list[Path]:
    blocks = re.findall(r"```\{toctree\}\n(.*?)```", INDEX.read_text(), re.DOTALL)
    names = [line for block in blocks for line in block.splitlines() if line and not line.startswith(":")]
    return [(INDEX.parent / f"{name}.md").resolve() for name in names]


def test_every_page_has_one_place_in_the_order_of_reading():
    pages = set(ROOT.glob("docs/*.md")) - {INDEX}
    pages |= {ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")}
    pages |= set(ROOT.glob("edge_arseg/zoo/*.md"))
    order = in_order()
    assert len(order) == len(set(order))
    assert pages - set(order) == set()


def test_a_newcomer_reads_the_first_steps_first():
    assert [path.stem for path in in_order()[:3]] == ["getting_started", "from_nothing", "running"]


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120
