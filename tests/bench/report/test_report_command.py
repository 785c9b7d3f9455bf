"""``edge-arseg report`` on records as ``bench`` writes them."""

import json
import re
import shutil
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest
from support.bench.made import full_record, made_frames, made_record, made_run, plain_record, write_made

from edge_arseg.bench.records.bench_record import CODES, Notice
from edge_arseg.bench.records.energy import Channel, RunEnergy
from edge_arseg.bench.records.summary import Estimate


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    return write_made(tmp_path_factory.mktemp("record"), *full_record())


@pytest.fixture
def run(edge_arseg):
    """``edge-arseg report``."""
    return lambda *arguments: edge_arseg("report", *arguments)


def test_the_page_begins_with_the_verdict_and_names_every_fault(run, everything, tmp_path):
    pytest.importorskip("vl_convert")  # of the extra `report`, which a board does without
    answer = run(everything, "-o", tmp_path / "page.html", "-o", tmp_path / "page.md", "-o", tmp_path / "page.csv")
    assert answer.code == 0, answer.out + answer.err
    page = (tmp_path / "page.html").read_text()
    text = (tmp_path / "page.md").read_text()
    assert text.startswith("**On this machine (Toy CPU, 4 cores) AR int8 on onnxruntime at GOP 12 gives 66.2 mIoU at ")
    for fault in ("gave nothing for 4.0 s", "clocks fell to 1100 MHz", "do not carry a p99"):
        assert fault in page
        assert fault in text
    # nothing is fetched: neither a script, a style sheet, a font nor a picture
    page = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"(?!data:)[^\"]*", page) == []
    assert len((tmp_path / "page.csv").read_text().splitlines()) == 5


def test_every_kind_of_warning_is_told_what_spoils_numbers_first(run, tmp_path):
    record, samples = plain_record()
    record = replace(record, notices=tuple(Notice(code, f"what {code} means here", 0) for code in CODES))
    answer = run(write_made(tmp_path, record, samples))
    heads = re.findall(r"^Warnings, (.*):$", answer.out, re.MULTILINE)
    assert sorted(heads) == sorted(CODES)
    assert (heads[0], heads[-1]) == ("interrupted", "few samples")
    assert all(f"- AR: what {code} means here" in answer.out for code in CODES)


def test_runs_are_called_by_what_they_differ_in_and_records_by_letters(run, everything, tmp_path):
    assert "| AR fp32 | 1080 |" in run(everything).out
    other = write_made(tmp_path, *plain_record(name="other", seed=5))
    pair = run(everything, other)
    assert "| A: HR-only int8 |" in pair.out
    assert "| B: AR fp32 |" in pair.out
    assert re.search(r"^\*\*B: On this machine", pair.out, re.MULTILINE)
    # the same record twice: both are there
    assert "| B: AR int8 |" in run(everything, everything).out


def test_numbers_of_all_forms_are_those_of_the_record(run, everything, tmp_path):
    record = json.loads(everything.read_text())
    assert run(everything, "-o", tmp_path / "page.json").code == 0
    rows = json.loads((tmp_path / "page.json").read_text())["rows"]
    assert [row["run"] for row in rows] == [one["name"] for one in record["runs"]]
    for row, one in zip(rows, record["runs"], strict=True):
        assert row["mean_ms"] == one["mean_ms"]["value"]
        assert row["miou"] == one["accuracy"]["miou"]
        assert row["p99_ms"] == one["latency"]["all"]["frame"]["p99"]["value"]


def test_what_no_sensor_measured_is_said_and_not_drawn(run, tmp_path):
    pytest.importorskip("vl_convert")
    path = write_made(tmp_path, *plain_record())
    assert run(path, "-o", tmp_path / "page.html").code == 0
    page = (tmp_path / "page.html").read_text()
    assert "not measured" in page
    assert '"trade-' not in page  # no labels: no point to draw


def test_a_requirement_that_fails_ends_with_1_and_says_the_figure(run, everything, tmp_path):
    assert run(everything, "--require", "miou>=60,fps>=1").code == 0
    answer = run(everything, "--require", "miou>=69.5", "--junit", tmp_path / "gates.xml")
    assert answer.code == 1
    assert "miou >= 69.5: 67.25 measured" in (answer.out + answer.err)
    suites = ElementTree.parse(tmp_path / "gates.xml").getroot()
    assert len(suites.findall(".//failure")) == 3  # HR-only in float32 alone has 70
    assert run(everything, "--require", "beauty>=1").code == 2


def test_what_is_there_is_not_replaced(run, everything, tmp_path):
    (tmp_path / "page.md").write_text("mine")
    assert run(everything, "-o", tmp_path / "page.md").code == 4
    assert (tmp_path / "page.md").read_text() == "mine"


def test_unlike_conditions_are_refused_by_name(run, tmp_path):
    record, samples = plain_record(name="a")
    first = write_made(tmp_path, record, samples)
    second = write_made(tmp_path, *plain_record(name="b", seed=1))
    other = json.loads(second.read_text())
    other["conditions"]["cores"] = 2
    second.write_text(json.dumps(other))
    answer = run(first, second, "--fail-on", "5%")
    assert answer.code == 3
    assert "conditions.cores: 4 against 2" in answer.err


def test_other_json_is_called_no_record(run, tmp_path):
    (tmp_path / "summary.json").write_text('{"frames": 3}')
    answer = run(tmp_path / "summary.json")
    assert (answer.code, "summary.json: no record of bench; expected a file that `edge-arseg bench" in answer.err) == (
        3,
        True,
    )


def test_no_file_of_a_report_is_a_record_or_another_of_its_files(run, tmp_path):
    pytest.importorskip("vl_convert")
    record = write_made(tmp_path, *full_record())
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots/stages.png").symlink_to(record)
    before = record.read_bytes()
    answer = run(record, "--pngs", tmp_path / "plots", "--force")
    assert (answer.code, "which is read; choose another name" in answer.err) == (4, True)
    answer = run(record, "-o", tmp_path / "a.html", "-o", tmp_path / "plots/../a.html")
    assert (answer.code, "two of them are one file" in answer.err) == (2, True)
    answer = run(record, "-o", tmp_path / "a.html", "--junit", tmp_path / "a.html", "--require", "miou>=1")
    assert (answer.code, "two of them are one file" in answer.err) == (2, True)
    assert record.read_bytes() == before
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == ["stages.png"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (("--run", "AR*"), "--run needs --require LIST"),
        (("--junit", "gates.xml"), "--junit needs --require LIST or --fail-on PERCENT"),
        (("--require", "mean_ms<=99", "--run", "none"), "; "),
    ],
)
def test_an_option_of_gates_without_a_gate_is_refused(run, everything, more, expected):
    answer = run(everything, *more)
    assert (answer.code, expected in answer.err) == (2, True), answer.err


def test_a_record_is_never_held_against_itself(run, everything, tmp_path):
    (tmp_path / "link.json").symlink_to(everything)
    for other in (everything, tmp_path / "link.json"):
        answer = run(everything, other, "--fail-on", "5%")
        assert (answer.code, "one record is named twice" in answer.err) == (2, True), answer.err
    for end in (".json", ".npz"):
        shutil.copy(everything.with_suffix(end), tmp_path / f"copy{end}")
    answer = run(everything, tmp_path / "copy.json", "--fail-on", "5%")
    assert (answer.code, "copy.json is a copy of" in answer.err) == (2, True), answer.err


def test_a_run_that_no_record_has_is_wrong_usage_wherever_it_is_named(run, everything):
    for gate in (("--require", "fps>=1", "--run", "nobody"), ("--fail-on", "5%", "--between", "nobody", "none")):
        answer = run(everything, *gate)
        assert (answer.code, "ar fp32 onnxruntime; hr fp32" in answer.err) == (2, True), answer.err


def scored(name, **changes):
    """A record with accuracy, whose labels are others."""
    frames = made_frames("ar", seed=ord(name))
    run = made_run(frames, accuracy=True)
    run = replace(run, accuracy=replace(run.accuracy, **changes))
    return made_record([run], [frames], name=name)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"source": "other.mp4"}, "accuracy.source: val against other.mp4"),
        ({"frames": 12}, "accuracy.frames: 24 against 12"),
        ({"phases": (0, 6)}, "accuracy.phases: 0 against 0, 6"),
    ],
)
def test_scores_on_other_labels_are_not_compared(run, tmp_path, changes, told):
    first, second = write_made(tmp_path, *scored("a")), write_made(tmp_path, *scored("b", miou=50.0, **changes))
    answer = run(first, second, "--fail-on", "5%")
    assert (answer.code, told in answer.err) == (3, True), answer.err
    assert f"unlike A: {told}" in run(first, second).out
    answer = run(first, second, "--fail-on", "5%", "--allow", "accuracy")
    assert (answer.code, "worse beyond noise: miou: 67.25 % became 50 %" in answer.out) == (1, True), answer.out


def test_a_meter_that_reads_nothing_is_no_ratio(run, tmp_path):
    nothing = RunEnergy(0.0, 9.0, 0.0, Estimate(0.0, 0.0, 0.0), Estimate(0.0, 0.0, 0.0), None, None)
    paths = []
    for seed, name in enumerate("ab"):
        frames = made_frames("ar", seed=seed)
        paths.append(write_made(tmp_path, *made_record([made_run(frames, energy=nothing)], [frames], name=name)))
    answer = run(*paths, "--fail-on", "50%")
    assert (answer.code, "nothing became worse" in answer.out) == (0, True), answer.out + answer.err


def test_the_page_of_a_gate_says_by_which_frames_stages_are_judged(run, tmp_path):
    pytest.importorskip("vl_convert")
    paths = [write_made(tmp_path, *plain_record(name=name, seed=seed)) for seed, name in enumerate("ab")]
    assert run(*paths, "--fail-on", "50%", "-o", tmp_path / "page.html").code == 0
    assert "stages by their fastest 5 %." in (tmp_path / "page.html").read_text()


def test_a_record_whose_hr_run_was_not_reached_has_a_page(run, tmp_path):
    frames = made_frames("ar")
    ran = made_run(frames)
    left = replace(made_run(made_frames("hr"), mode="hr"), latency={}, mean_ms=None, fps=None, turns=(), finished=False)
    answer = run(write_made(tmp_path, *made_record([ran, left], [frames])))
    assert (answer.code, "AR fp32 on onnxruntime at GOP 12 gives" in answer.out) == (0, True), answer.err


@pytest.mark.parametrize("place", [".", "..", "/"])
def test_a_folder_is_no_record(run, place):
    answer = run(place)
    assert (answer.code, "Is a directory; expected a record" in answer.err) == (3, True), answer.err


def test_samples_of_another_record_are_refused(run, everything, tmp_path):
    mixed = write_made(tmp_path, *plain_record())
    mixed.with_suffix(".npz").write_bytes(everything.with_suffix(".npz").read_bytes())
    answer = run(mixed)
    assert (answer.code, answer.out) == (3, "")
    assert "these are the samples of another record" in answer.err


def test_samples_are_those_of_the_record_though_both_have_as_many_frames(run, tmp_path):
    first, second = (write_made(tmp_path, *plain_record(name=name, seed=seed)) for seed, name in enumerate("ab"))
    one, other = (path.with_suffix(".npz") for path in (first, second))
    assert run(first, second).code == 0
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)
    answer = run(first)
    assert (answer.code, answer.out) == (3, "")
    assert re.search(r"a\.npz: ar fp32 onnxruntime: 480 frames of [0-9.]+ ms on average seen", answer.err), answer.err
    assert "these are the samples of another record; copy a.npz beside it under this name" in answer.err


@pytest.mark.parametrize("column", ["frames.total_ms", "frames.start_s", "readings.value", "readings.channel"])
def test_samples_without_a_column_are_none(run, tmp_path, column):
    path = write_made(tmp_path, *full_record())
    with np.load(path.with_suffix(".npz")) as read:
        columns = dict(read)
    del columns[column]
    np.savez(path.with_suffix(".npz"), **columns)
    answer = run(path)
    assert (answer.code, f"column {column} is missing or of another type" in answer.err) == (3, True), answer.err


def test_damaged_samples_are_told_wherever_the_damage_lies(run, tmp_path):
    path = write_made(tmp_path, *plain_record())
    samples = path.with_suffix(".npz")
    whole = samples.read_bytes()
    for place in range(0, len(whole), len(whole) // 12):
        samples.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        assert run(path).code in (0, 3)  # 0: where the file says when it was written
    samples.write_bytes(whole[: len(whole) // 2])
    assert run(path).code == 3


def test_a_record_without_its_samples_says_what_to_copy(run, tmp_path):
    alone = write_made(tmp_path, *plain_record())
    alone.with_suffix(".npz").unlink()
    answer = run(alone)
    assert (answer.code, "copy both files of the record" in answer.err) == (3, True), answer.err


def test_it_is_said_why_a_measure_is_missing(run, tmp_path):
    """By its own reason: a run without a rate has no age, however many frames it has."""
    answer = run(write_made(tmp_path, *plain_record()), "--require", "age_p99_ms<=50,hr_p99_ms<=90")
    assert answer.code == 1
    assert "not measured: it needs frames that come at a rate, --rate of bench" in answer.out
    assert "a p99 needs 299 frames of its kind, 40 were measured" in answer.out


def test_what_others_took_of_the_machine_is_in_cores(run, tmp_path):
    frames = made_frames("ar")
    load = Channel("cores that others used", "load")
    record = made_record([made_run(frames)], [frames], channels=[load], readings=[(0.5, 0, 1.5), (1.0, 0, 0.5)])
    assert run(write_made(tmp_path, *record), "-o", tmp_path / "page.json").code == 0
    units = {one["quantity"]: one["unit"] for one in json.loads((tmp_path / "page.json").read_text())["timelines"]}
    assert units == {"latency": "ms", "load": "cores"}
