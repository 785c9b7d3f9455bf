"""docs/report: the page, its record and its pictures are of one run."""

import json
from pathlib import Path


def test_the_page_in_the_repository_is_of_the_record_beside_it(edge_arseg):
    folder = Path(__file__).parents[2] / "docs" / "report"
    answer = edge_arseg("report", folder / "bench.json")
    assert answer.code == 0, answer.err
    verdict = answer.out.splitlines()[0].strip("*")
    assert verdict.startswith("On this machine (")
    assert verdict in (folder / "bench.html").read_text()
    assert json.loads((folder / "bench.json").read_text())["state"] == "finished"
