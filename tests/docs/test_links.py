"""Links lead somewhere, and what leads out is listed."""

from tools import links


def test_every_internal_link_leads_to_a_file_and_a_heading():
    assert list(links.dead_links()) == []


def test_external_links_are_those_listed():
    listed = links.LISTED.read_text(encoding="utf-8").split()
    assert links.external_links() == listed, "type: python tools/links.py --list, and read the difference"


def test_a_dead_file_and_a_dead_heading_are_found(tmp_path, monkeypatch):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text(
        "# A word: of two\n\n[b](b.md) [a](#a-word-of-two) [c](a.md#gone) `[d](d.md)`\n"
    )
    monkeypatch.setattr(links, "ROOT", tmp_path)
    assert list(links.dead_links()) == ["docs/a.md: b.md: no such file", "docs/a.md: a.md#gone: no such heading"]
