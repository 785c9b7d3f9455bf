"""Opening a source whose driver hangs: it neither gives a picture nor fails."""

import math
import re
import sys
import threading
from dataclasses import replace
from types import ModuleType

import pytest

from edge_arseg.errors import SourceError
from edge_arseg.video import open_video
from edge_arseg.video.decoding.picture import Picture
from edge_arseg.video.delivery import opening
from edge_arseg.video.delivery.opening import opened_aside, opened_in_time
from edge_arseg.video.delivery.options import LiveOptions
from edge_arseg.video.sources.kinds import KINDS, SourceKind


class Hung:
    """Opens, and gives no picture until it is let go."""

    rate, frame_count, unfit, made_by_x264 = 25.0, None, None, False

    def __init__(self):
        self.let_go, self.closed = threading.Event(), threading.Event()

    def pictures(self):
        self.let_go.wait(20)
        yield Picture(None, 0.0)

    def close(self):
        self.closed.set()


@pytest.fixture
def camera(monkeypatch):
    monkeypatch.setattr(opening, "_LOOK_S", 0.02)
    hung = Hung()
    yield hung
    hung.let_go.set()


def test_a_camera_that_gives_no_frame_is_given_up(camera):
    with pytest.raises(SourceError, match="cam: no frame for 0 s, and opening it does not come back; the driver or"):
        opened_aside("cam", lambda: camera, 0.1)
    assert not camera.closed.is_set()
    camera.let_go.set()
    assert camera.closed.wait(10)  # by the thread that was left behind


@pytest.mark.parametrize(("patience_s", "until"), [(math.inf, ""), (900.0, ", for 9 s at most")])
def test_who_waits_for_it_is_told_once_a_minute(camera, monkeypatch, patience_s, until):
    monkeypatch.setattr(opening, "SAY_EVERY_S", 0.1)
    lines = []

    def told(form, *values):
        lines.append(form % values)
        if len(lines) == 2:
            camera.let_go.set()

    monkeypatch.setattr(opening._log, "warning", told)
    assert opened_in_time("cam", lambda: camera, patience_s, 0.0).pictures is camera
    assert lines[0].startswith("cam: no frame for 0 s, and no fault; the driver or the network may hang")
    assert re.sub("[0-9]+ s at most", "9 s at most", lines[0]).endswith(f"waiting for it{until}")


@pytest.mark.parametrize("wait", [False, True])
def test_timeout_covers_a_camera_that_opens_and_gives_no_frame(camera, monkeypatch, wait):
    module = ModuleType("toy_camera")
    module.opened = lambda source, wishes: camera
    monkeypatch.setitem(sys.modules, "toy_camera", module)
    monkeypatch.setitem(KINDS, SourceKind.DEVICE, replace(KINDS[SourceKind.DEVICE], pictures="toy_camera:opened"))
    with pytest.raises(SourceError, match="v4l2:///dev/null: no frame for 0 s, and opening it does not come back"):
        open_video("v4l2:///dev/null", timeout_s=(0.01, 0.01), live=LiveOptions(wait=wait, timeout_s=0.1))
