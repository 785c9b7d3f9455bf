"""Another kind of sink is a module and a row."""

import pytest
from support.clips.results import opened, result_at

from edge_arseg.errors import SinkError
from edge_arseg.video.sinks import Sink, plan_sinks
from edge_arseg.video.sinks.kinds import SINKS
from edge_arseg.video.sinks.place import SinkKind, place_from_uri


class Counts(Sink):
    """Pixels of class 0 by frame, one a line."""

    def __init__(self, target, path, classes):
        super().__init__(target)
        self.name, self.file = classes[0].name, path.open("w")

    def _write(self, result):
        print(self.name, int((result.class_map == 0).sum()), file=self.file)

    def _close(self):
        self.file.close()


@pytest.fixture
def counts(monkeypatch):
    kind = SinkKind("counts://FILE", lambda place, look: Counts(place.uri, place.path, look.classes))
    monkeypatch.setitem(SINKS, "counts", kind)


def test_a_kind_is_registered_by_one_row(counts, tmp_path):
    path = tmp_path / "a.txt"
    result = result_at(0)
    with opened(f"counts://{path}") as sink:
        sink.write(result)
    assert path.read_text() == f"sky {int((result.class_map == 0).sum())}\n"
    with pytest.raises(SinkError, match="force"):
        plan_sinks([f"counts://{path}"])


def test_messages_name_every_kind(counts):
    with pytest.raises(
        SinkError, match=r"expected a video \(NAME.mp4, .mkv, .webm, .gif\), .* null:// or counts://FILE"
    ):
        plan_sinks(["nowhere://a"])


@pytest.mark.parametrize(
    "typed",
    [
        "u:SECRET@10.0.0.1/x",
        "u:se.SECRET@10.0.0.1/x",
        "u:se.SECRET@10.0.0.1",
        "u:SECRET@cam/x%03d.png",
        "rtsp:u:SECRET@cam/x",
        "rtsp//u:SECRET@cam/x",
        "mqtt:u:SECRET@cam/topic",
    ],
)
def test_what_is_said_of_a_name_that_is_no_sink_holds_no_login(tmp_path, monkeypatch, typed):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SinkError) as told:
        place_from_uri(typed, SINKS)
    assert "SECRET" not in str(told.value)
    assert "***" in str(told.value)
