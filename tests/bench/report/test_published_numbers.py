from dataclasses import replace

import pytest
from support.bench.made import full_record, write_made

from edge_arseg.bench.plans.workload import read_workload
from edge_arseg.bench.records.published import Published
from edge_arseg.errors import OptionError

PARAMETERS = {"clip": "/clip", "labels": "/labels", "bundles": "/bundles"}


def test_published_numbers_stand_beside_the_run_of_the_same_mode_scale_and_bundle(edge_arseg, tmp_path):
    record, samples = full_record()
    rows = (
        Published("a paper, table 1", "AR 0.5", "ar", 0.5, miou=70.48, gmacs=101.98, note="Another network."),
        Published("a paper, table 1", "AR 0.7", "ar", 0.7, miou=71.23),
        Published("a paper, table 1", "HR", "hr", bundle="*psp18*", ms=31.2),
    )
    record = replace(record, settings=replace(record.settings, published=rows))
    answer = edge_arseg("report", write_made(tmp_path, record, samples), "-o", tmp_path / "page.md")
    assert answer.code == 0, answer.err
    lines = [line for line in (tmp_path / "page.md").read_text().splitlines() if "a paper, table 1" in line]
    ar = [line for line in lines if ": AR 0.5 |" in line]
    assert len(ar) == sum(run.settings.mode == "ar" for run in record.runs)
    assert all("| 70.48 | 101.98 | - | AR" in line for line in ar)
    assert [line.count(" - ") for line in lines if ": AR 0.7 |" in line] == [6]  # ours has no such scale
    assert sum(": HR |" in line for line in lines) == 1
    assert "- Another network." in (tmp_path / "page.md").read_text()


def test_the_papers_tables_are_those_that_were_published():
    rows = read_workload("paper_camvid", PARAMETERS).published
    by_row = {(one.row, one.source[-7:]): one for one in rows}
    for row, miou, gmacs in (
        ("PSP18 1.0x", 69.43, 309.02),
        ("AR0.5-PSP18", 70.48, 101.98),
        ("AR0.7-BiSe18", 71.78, 31.89),
    ):
        one = by_row[row, "table 1"]
        assert (one.miou, one.gmacs) == (miou, gmacs)
    cityscapes = {one.row: one for one in read_workload("paper_cityscapes", PARAMETERS).published if one.miou}
    assert (cityscapes["AR0.5-PSP18"].miou, cityscapes["AR0.5-PSP18"].gmacs) == (69.03, 177.44)


def test_faults_of_published_rows_are_told_together(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[[published]]\nsource = "x"\nrow = "y"\nmiou = "high"\nfps = 3\n')
    with pytest.raises(OptionError) as caught:
        read_workload(str(path), {})
    for fault in ("row 1: fps: not known", "row 1: mode is missing", "row 1: miou: 'high' seen, expected a number"):
        assert fault in str(caught.value)
