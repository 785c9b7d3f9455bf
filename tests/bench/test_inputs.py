"""What ``bench`` is given that it cannot use, and what of the user's it must leave alone."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.bundles.fake import FAKE, write_fake_bundle

from edge_arseg.bench.accuracy.joined import scores_from_file
from edge_arseg.bench.plans.options import BenchOptions
from edge_arseg.bench.plans.workload import read_workload
from edge_arseg.bench.record_files.reading import read_record
from edge_arseg.bench.record_files.writing import lock_record
from edge_arseg.cli.service.watching import _token_from_text
from edge_arseg.errors import OptionError

SOURCE = "test://street?size=48x64&frames=20"


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    bundle = write_fake_bundle(tmp_path_factory.mktemp("inputs") / "fake.arseg")
    return ("bench", SOURCE, "-b", bundle, *FAKE, "--frames", 8, "--mode", "ar", "--no-sensors")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (("--phases", "3", "--encode", "1M"), "--phases, --encode seen without labels"),
        (("--clip", SOURCE), "--clip seen without labels"),
        (("--optical-flow",), "--optical-flow seen without labels"),
        (("--labels", "l", "--scores", "s.json"), "--labels and --scores seen"),
        (("--set", "a=1"), "--set fills in a workload"),
        (("--predict", "jetson-orin-nano-8gb", "-o", "x.json"), "no record for -o"),
        (("--turns", 3), "8 frames in 3 turns seen, expected at least one GOP in each turn: --frames 12 or more"),
    ],
)
def test_an_option_that_would_count_for_nothing_is_refused(words, edge_arseg, more, expected):
    answer = edge_arseg(*words, *more)
    assert (answer.code, answer.out) == (2, "")
    assert expected in answer.err


@pytest.mark.parametrize("option", ["--meter", "--scores", "--labels"])
def test_a_file_that_is_not_there_is_named_before_anything_is_measured(words, tmp_path, edge_arseg, option):
    answer = edge_arseg(*words, "-o", tmp_path / "r.json", option, tmp_path / "none")
    assert (answer.code, "No such file" in answer.err or "no such folder" in answer.err) == (3, True)
    assert "warm-up" not in answer.err
    assert list(tmp_path.iterdir()) == []


def test_frames_are_shared_out_among_the_turns_without_a_rest(words, edge_arseg):
    record = json.loads(edge_arseg(*words[:-4], 11, *words[-3:], "--turns", 2, "--json").out)
    assert [run["latency"]["all"]["frame"]["count"] for run in record["runs"]] == [11]


@pytest.mark.parametrize("option", ["--meter", "--scores"])
def test_what_is_read_beside_the_clip_is_never_replaced(words, tmp_path, edge_arseg, option):
    read = tmp_path / ("r.npz" if option == "--meter" else "r.json")
    read.write_text("time,watts\n0,1\n" if option == "--meter" else "{}")
    before = read.read_bytes()
    answer = edge_arseg(*words, "-o", tmp_path / "r.json", "--force", option, read)
    assert (answer.code, "which is read" in answer.err) == (4, True)
    assert [(file, file.read_bytes()) for file in tmp_path.iterdir()] == [(read, before)]


@pytest.mark.parametrize("more", [("--force",), ("--resume",), ()])
def test_a_record_that_another_process_measures_is_left_to_it(words, tmp_path, edge_arseg, more):
    record = tmp_path / "r.json"
    record.write_text("{}")
    lock = lock_record(record)
    answer = edge_arseg(*words, "-o", record, *more)
    lock.release()
    assert answer.code == 4
    assert more == () or "a running process writes to it" in answer.err
    assert record.read_text() == "{}"


@pytest.mark.timed  # needs the warm-up of another process
def test_a_running_measurement_holds_its_record(words, tmp_path, edge_arseg):
    record = tmp_path / "r.json"
    command = [sys.executable, "-m", "edge_arseg", *words[:-4], 100000, *words[-3:], "-o", record]
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(list(map(str, command)), env=here, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (tmp_path / "r.frames.part").exists():
        time.sleep(0.1)
    time.sleep(0.2)
    answer = edge_arseg(*words, "-o", record, "--force")
    process.kill()
    process.wait()
    assert (answer.code, "a running process writes to it" in answer.err) == (4, True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
def test_a_device_that_takes_nothing_is_named(words, edge_arseg):
    answer = edge_arseg(*words, "-o", "/dev/full")
    assert (answer.code, "cannot write /dev/full: the disk is full" in answer.err) == (4, True)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0, -1.0])
@pytest.mark.parametrize("field", ["rate", "deadline_ms"])
def test_a_rate_is_a_finite_number_above_zero(field, value):
    with pytest.raises(OptionError, match="expected a finite number above 0"):
        BenchOptions(SOURCE, **{"rate": 30.0, field: value})


@pytest.mark.parametrize("field", ["interval", "frames", "turns"])
def test_a_count_is_at_least_one(field):
    with pytest.raises(OptionError, match="expected a whole number of at least 1"):
        BenchOptions(SOURCE, **{field: 0})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("modes = [1]", "modes: [1] seen, expected a list of texts"),
        ("bundles = [1]", "bundles: [1] seen, expected a list of texts"),
        ("[matrix]\ngop = 2", "matrix: gop: 2 seen, expected a list like [6, 12]"),
        ("[matrix]\ngop = [[2]]", "matrix: gop: [[2]] seen, expected a list like [6, 12]"),
        ('labels = ""', "labels: an empty text seen"),
        ('source = "{clip}"', "--set other: the workload has no {other}; it has {clip}"),
    ],
)
def test_faults_inside_a_workload_are_named(tmp_path, text, expected):
    file = tmp_path / "w.toml"
    file.write_text(text)
    with pytest.raises(OptionError, match=re.escape(expected)):
        read_workload(str(file), {"other": "x"} if "clip" in text else {})


MARK = b"\xef\xbb\xbf"


def test_a_byte_order_mark_that_an_editor_wrote_is_read_over(words, edge_arseg, tmp_path):
    workload = tmp_path / "mine.toml"
    workload.write_bytes(MARK + f'source = "{SOURCE}"\n'.encode())
    assert read_workload(str(workload), {}).values["source"] == SOURCE
    record = tmp_path / "record.json"
    edge_arseg(*words, "-o", record)
    record.write_bytes(MARK + record.read_bytes())
    assert read_record(record).runs
    scores = tmp_path / "scores.json"
    scores.write_bytes(MARK + b'{"runs": []}')
    assert scores_from_file(scores) == {"runs": []}
    (tmp_path / "token").write_bytes(MARK + b"a-token-of-many-letters\n")
    assert _token_from_text(f"@{tmp_path}/token") == "a-token-of-many-letters"
