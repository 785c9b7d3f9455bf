"""Recordings for the Rerun viewer, read back with Rerun's own reader."""

import pytest
from support.clips.results import opened, result_at

from edge_arseg.errors import EnvironmentUnfitError, SinkError
from edge_arseg.video.sinks import plan_sinks

pytest.importorskip("rerun", reason="pip install rerun-sdk")


def test_frames_masks_motion_and_timings_are_in_the_file_on_both_timelines(tmp_path):
    from rerun.chunk import RrdReader

    with opened(tmp_path / "log.rrd") as sink:
        for index in range(24):
            sink.write(result_at(index))
    reader = RrdReader(str(tmp_path / "log.rrd"))
    assert [entry.application_id for entry in reader.recordings()] == ["edge-arseg"]
    frames, labels, masks = {}, "", {}
    for chunk in reader.stream().to_chunks():
        table = chunk.to_record_batch()
        if chunk.is_static:
            labels += str(table.to_pydict())
            continue
        assert {"frame", "time"} <= set(chunk.timeline_names)
        numbers = table.column("frame").to_pylist()
        frames.setdefault(chunk.entity_path, []).extend(numbers)
        if chunk.entity_path == "/frame/classes":
            (name,) = (name for name in table.schema.names if name.endswith("buffer"))
            masks.update(zip(numbers, table.column(name).to_pylist(), strict=True))
    expected = list(range(24))
    for entity in ("frame/image", "frame/classes", "frame/motion", "timings/latency", "keyframe/distance"):
        assert sorted(set(frames[f"/{entity}"])) == expected
    assert "sky" in labels.lower()
    for index in (0, 5, 23):
        assert bytes(masks[index][0]) == result_at(index).class_map.tobytes()


def test_a_file_that_is_there_stays(tmp_path):
    (tmp_path / "log.rrd").write_bytes(b"mine")
    with pytest.raises(SinkError, match="force"):
        plan_sinks([str(tmp_path / "log.rrd")])
    assert (tmp_path / "log.rrd").read_bytes() == b"mine"


def test_a_viewer_needs_a_host_and_the_library(monkeypatch):
    with pytest.raises(SinkError, match="no host in it"):
        plan_sinks(["rerun://"])
    monkeypatch.setitem(__import__("sys").modules, "rerun", None)
    with pytest.raises(EnvironmentUnfitError, match=r"needs rerun-sdk .*; type: "):
        plan_sinks(["rerun://localhost"])
