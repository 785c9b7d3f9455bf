"""The tables of the model cards and of README say what the records say."""

import json
import re
from pathlib import Path

import pytest

from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.bundles.zoo import bundle_path, shipped_paths

ROOT = Path(__file__).parents[2]
CARDS = {
    "camvid-compact-360x480": ("camvid_compact_val", "camvid_compact_int8_val"),
    "camvid-lite1-360x480": ("camvid_lite1_int8_val", "camvid_lite1_val"),
}
"""Card to the records of its tables by distance, in their order."""
README_ROWS = {"compact": "camvid_compact_int8_val", "lite1": "camvid_lite1_int8_val"}


def modes(record):
    return json.loads((ROOT / f"benchmarks/results/{record}.json").read_text())["modes"]


def tables(page, first):
    """Return the rows of every table whose first column is called that, as cells."""
    found = re.findall(rf"^\| {re.escape(first)} \|.*\n\|[-|]+\n((?:\|.*\n)+)", page, re.MULTILINE)
    return [[[cell.strip(" *") for cell in row.strip("|").split("|")] for row in rows.splitlines()] for rows in found]


def score(of_mode, row):
    """Return what a row of a table by distance shows of a mode."""
    if row in ("mean", "steadiness"):
        return of_mode["miou" if row == "mean" else "temporal_consistency"]
    return of_mode["by_distance"][int(row)]


@pytest.mark.parametrize("card", CARDS)
def test_scores_by_distance_are_those_of_the_records(card):
    page = (ROOT / f"edge_arseg/zoo/{card}.md").read_text()
    for record, rows in zip(CARDS[card], tables(page, "distance"), strict=True):
        found = modes(record)
        assert [row[0] for row in rows] == ["mean", *map(str, range(12)), "steadiness"]
        for row in rows:
            assert row[1:4] == [f"{score(found[mode], row[0]):.1f}" for mode in ("hr", "lr", "ar")], (record, row)


@pytest.mark.parametrize("card", CARDS)
def test_scores_by_class_are_those_of_the_records(card):
    (rows,) = tables((ROOT / f"edge_arseg/zoo/{card}.md").read_text(), "class")
    assert len(rows) == 11
    float32, int8 = map(modes, sorted(CARDS[card], key=lambda record: "int8" in record))
    for name, *shown in rows:
        assert shown == [
            f"{found[mode]['per_class'][name]:.1f}" for found in (float32, int8) for mode in ("hr", "ar")
        ], name


@pytest.mark.parametrize("bundle", [path.stem for path in shipped_paths()])
def test_records_are_of_the_bundles_that_are_shipped(bundle):
    records = [json.loads(path.read_text()) for path in (ROOT / "benchmarks/results").glob("camvid_*_val.json")]
    digests = {record["bundle"]: record["digest"] for record in records}
    assert digests[bundle] == read_bundle(bundle_path(bundle), digests=False).digest


def test_readme_has_the_scores_of_the_records():
    page = (ROOT / "README.md").read_text()
    head, *rows = re.findall(r"^\| \| mean \|(.*)\|\n|^\| (\w+), (HR-only|AR) \|(.*)\|$", page, re.MULTILINE)
    distances = [int(cell) for cell in head[0].split("|")]
    assert len(rows) == 4
    for _, model, mode, cells in rows:
        found = modes(README_ROWS[model])["ar" if mode == "AR" else "hr"]
        expected = [found["miou"], *(found["by_distance"][distance] for distance in distances)]
        assert [cell.strip() for cell in cells.split("|")] == [f"{value:.1f}" for value in expected], (model, mode)


def test_readme_has_the_times_of_the_record():
    page = (ROOT / "README.md").read_text()
    values = json.loads((ROOT / "benchmarks/results/bench_cpu.json").read_text())["values"]
    rows = re.findall(
        r"^\| ms a frame, .*\| ([\d.]+) \| - \| \*\*([\d.]+)\*\* \|\n.*\| ([\d.]+) \| - \| \*\*([\d.]+)", page, re.M
    )
    models = [values[f"camvid-{name}-360x480-int8"] for name in ("compact", "lite1")]
    expected = [time for model in models for time in (model["hr_only_ms"], model["codec"]["mean_ms"])]
    assert rows == [tuple(f"{time:.1f}" for time in expected)]
    told = re.findall(r"([\d.]+) times(?: as fast as the HR branch alone)? with", page)
    names = ("psp18", "bise18", "camvid-compact-360x480", "bise18-int8", "camvid-compact-360x480-int8")
    assert told == [f"{values[name]['codec']['realised']:.2f}" for name in names]
