"""JSON lines, read back."""

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.clips.results import opened, result_at, start_writer

from edge_arseg.errors import SinkError
from edge_arseg.spec.model import CAMVID_11
from edge_arseg.video.sinks.lines import object_from_result


def test_lines_tell_what_happened(tmp_path):
    path = tmp_path / "new" / "a.jsonl"
    with opened(f"jsonl://{path}") as sink:
        sink.write(result_at(0))
        assert len(path.read_text().splitlines()) == 1  # at once, for who follows
        sink.write(result_at(1))
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert {name: first[name] for name in list(first)[:7]} == {
        "index": 0,
        "time_s": 0.0,
        "branch": "hr",
        "distance": 0,
        "latency_ms": 4.568,
        "motion": None,
        "intra_ratio": None,
    }
    assert (second["branch"], second["distance"], second["motion"], second["intra_ratio"]) == ("lr", 1, "recode", 0.125)
    assert second["time_s"] == 0.066667
    counts = np.bincount(result_at(1).class_map.ravel(), minlength=11)
    assert second["classes"] == {
        info.name: round(count / 3072, 5) for info, count in zip(CAMVID_11, counts.tolist(), strict=False)
    }


def test_numbers_of_numpy_are_written_as_numbers():
    result = replace(result_at(0), distance=np.int64(2), dropped=np.int32(1), age_ms=np.float32(8))
    result = replace(result, frame=replace(result.frame, index=np.int64(7)))
    told = json.loads(json.dumps(object_from_result(result, ["road"])))
    assert (told["index"], told["distance"], told["dropped"], told["age_ms"]) == (7, 2, 1, 8)


def test_pixels_of_no_class_are_in_no_share(tmp_path):
    result = result_at(0)
    result.class_map[...] = 255
    with opened(f"jsonl://{tmp_path / 'a.jsonl'}") as sink:
        sink.write(result)
    assert sum(json.loads((tmp_path / "a.jsonl").read_text())["classes"].values()) == 0


def test_a_large_map_is_counted_in_parts_without_an_array_of_its_size(tmp_path):
    rng = np.random.default_rng(3)
    size = (700, 901)  # several parts, the last one not full
    result = result_at(0, size=size)
    result.class_map[...] = rng.choice([0, 3, 10, 11, 255], size)
    counts = np.bincount(result.class_map.ravel(), minlength=11)
    path = tmp_path / "a.jsonl"
    with opened(f"jsonl://{path}", size=size) as sink:
        sink.write(result)
        tracemalloc.start()
        sink.write(result)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 50_000
    for line in path.read_text().splitlines():
        assert json.loads(line)["classes"] == {
            info.name: round(count / (700 * 901), 5) for info, count in zip(CAMVID_11, counts.tolist(), strict=False)
        }


def test_lines_go_to_the_standard_output(capsys):
    with opened("jsonl://-") as sink:
        sink.write(result_at(7))
    assert json.loads(capsys.readouterr().out)["index"] == 7


def test_a_reader_that_goes_away_ends_it_quietly():
    with start_writer("jsonl://-", pace="fast") as process:
        process.stdout.readline()
        process.stdout.close()
        error = process.stderr.read()
        assert process.wait(timeout=20) == 0
    assert error == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_lines():
    with pytest.raises(SinkError, match="disk is full"), opened("jsonl:///dev/full") as sink:
        sink.write(result_at(0))
