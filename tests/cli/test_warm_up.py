"""The first runs of the engines, which go on while a file is opened."""

import threading

import pytest

from edge_arseg.errors import MemoryExhaustedError, SourceError
from edge_arseg.runtime.segmenter import Segmenter

STREET = "test://street?size=96x128&frames=2"


def test_what_goes_wrong_in_it_is_raised_at_the_first_frame_and_closing_goes_on(fake_bundle, monkeypatch):
    def failing(segmenter):
        raise MemoryExhaustedError("no memory for the first run")

    monkeypatch.setattr(Segmenter, "_warm_up", failing)
    with Segmenter(fake_bundle, backend="fake", fusion="graph") as segmenter:
        with pytest.raises(MemoryExhaustedError, match="no memory for the first run"):
            next(segmenter.stream(STREET))
        with pytest.raises(MemoryExhaustedError, match="no memory for the first run"):
            _ = segmenter.pipeline


def test_a_live_source_is_opened_only_when_it_is_over(fake_bundle, monkeypatch):
    done = threading.Event()
    order = []

    def slow(segmenter):
        done.wait(10)
        order.append("warm")

    def opening(uri, **options):
        order.append(f"open {uri}")
        raise SourceError("enough")

    monkeypatch.setattr(Segmenter, "_warm_up", slow)
    monkeypatch.setattr("edge_arseg.video.reader.open_video", opening)
    with Segmenter(fake_bundle, backend="fake", fusion="graph") as segmenter:
        with pytest.raises(SourceError):
            segmenter.open("clip.mp4")
        threading.Timer(0.2, done.set).start()
        with pytest.raises(SourceError):
            segmenter.open("rtsp://127.0.0.1/none")
    assert order == ["open clip.mp4", "warm", "open rtsp://127.0.0.1/none"]
