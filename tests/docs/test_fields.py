"""Pages that list fields, codes and versions list all of them."""

import json
import re
from pathlib import Path

import numpy as np

from edge_arseg import errors
from edge_arseg.cli.ends.exit_code import BUG
from edge_arseg.spec.frame import Branch, Frame, SegmentedFrame
from edge_arseg.spec.model import ClassInfo
from edge_arseg.video.sinks.kinds import SINKS
from edge_arseg.video.sinks.lines import LinesSink
from edge_arseg.video.sources.kinds import KINDS

ROOT = Path(__file__).parents[2]


def fields(page: str, title: str) -> list[str]:
    table = (ROOT / page).read_text().partition(f"## {title}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)`", table, re.MULTILINE)


def test_every_field_of_a_json_line_has_a_row_and_no_other(tmp_path):
    picture = np.zeros((4, 6, 3), np.uint8)
    sink = LinesSink("jsonl://x", tmp_path / "x", (ClassInfo("road", (1, 2, 3)),))
    sink.write(SegmentedFrame(Frame(0, 0.0, picture), picture[..., 0], Branch.HR, 0, 1.0))
    sink.close()
    written = json.loads((tmp_path / "x").read_text())
    assert fields("docs/json_lines.md", "Fields") == list(written)


def test_every_exit_code_is_on_the_page_of_running():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ArsegError)]
    page = (ROOT / "docs/running.md").read_text().partition("## Exit codes")[2]
    assert len(kinds) > 10
    for code in {0, BUG, *(kind.exit_code for kind in kinds)}:
        assert f"| {code} |" in page


def test_every_source_and_every_sink_has_a_row():
    page = (ROOT / "docs/running.md").read_text()
    sources = page.partition("## Sources\n")[2].partition("\n## ")[0]
    sinks = page.partition("## Sinks\n")[2].partition("\n## ")[0]
    assert [f"{one}://" for kind in KINDS.values() for one in kind.schemes if f"{one}://" not in sources] == ["http://"]
    assert [f"{one}://" for one in SINKS if f"`{one}://" not in sinks] == ["file://"]
    assert [end for kind in SINKS.values() for end in kind.suffixes if f"{end}`" not in sinks] == []


def test_the_citation_has_the_version_of_the_package():
    from edge_arseg import __version__

    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_the_changelog_sorts_each_version():
    text = (ROOT / "CHANGELOG.md").read_text()
    versions = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert len(versions) >= 2
    for version in versions:
        kinds = re.findall(r"^### (.+)$", version, re.MULTILINE)
        order = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
        assert kinds, version.splitlines()[0]
        assert kinds == [kind for kind in order if kind in kinds], version.splitlines()[0]
