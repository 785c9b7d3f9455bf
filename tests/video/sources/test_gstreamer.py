"""Pipelines of GStreamer as sources, with its own test picture."""

import functools
import subprocess
import sys
import threading
from contextlib import closing
from itertools import islice, pairwise

import numpy as np
import pytest

from edge_arseg import SourceError, open_video
from edge_arseg.video.delivery.options import LiveOptions
from edge_arseg.video.sinks.movies.encoder import Encoder
from edge_arseg.video.sources.pipelines import decoder
from edge_arseg.video.sources.pipelines.decoder import pipeline_of
from edge_arseg.video.uri import source_from_uri

TEST = "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=320,height=240,framerate=25/1"


@functools.cache
def missing():
    probe = (
        "import gi; gi.require_version('Gst', '1.0'); from gi.repository import Gst; Gst.init(None); "
        "[Gst.ElementFactory.find(name).get_name() for name in ('x264enc', 'h264parse', 'matroskamux')]"
    )
    answer = subprocess.run(["/usr/bin/python3", "-c", probe], capture_output=True, timeout=60, check=False)
    return answer.returncode != 0


needs_gstreamer = pytest.mark.skipif(missing(), reason="apt install python3-gi gir1.2-gstreamer-1.0 and plug-ins")


@needs_gstreamer
def test_raw_video_of_a_pipeline_is_delivered_with_its_times_and_ends_quietly(caplog):
    threads = threading.active_count()
    with open_video(f"gst://{TEST}") as reader:
        frames = list(islice(reader, 10))
    assert frames[0].rgb.shape == (240, 320, 3)
    assert frames[0].rgb.max() > 200  # the ball
    steps = [(b.time_s - a.time_s) / (b.index - a.index) for a, b in pairwise(frames)]
    assert all(0.038 < step < 0.042 for step in steps[2:])
    assert threading.active_count() <= threads + 1
    assert "opening it again" not in caplog.text


@needs_gstreamer
def test_h264_of_a_pipeline_has_its_own_vectors():
    encoder = "x264enc bframes=0 ref=1 tune=zerolatency speed-preset=veryfast key-int-max=25"
    with open_video(f"gst://{TEST} ! {encoder}", motion="codec") as reader:
        frames = list(islice(reader, 12))
    assert {frame.source.value for frame in frames} == {"codec"}
    assert any(frame.vectors is not None and len(frame.vectors) for frame in frames)


@needs_gstreamer
@pytest.mark.parametrize(
    ("pipeline", "told"),
    [
        ("nosuchelement", 'GStreamer says: no element "nosuchelement"'),
        ("videotestsrc ! fakesink", "could not link"),
        ("rtspsrc location=rtsp://me:secret@127.0.0.1:1/x ! rtph264depay", "GStreamer says: "),
    ],
)
def test_what_is_wrong_with_a_pipeline_is_told_without_a_login(pipeline, told):
    with pytest.raises(SourceError, match=told) as raised:
        open_video(f"gst://{pipeline}")
    assert "secret" not in str(raised.value)


def test_a_csi_camera_has_its_size_as_width_and_height(caplog):
    pipeline_of(source_from_uri("csi://2?size=1280x720"))
    assert caplog.text == ""
    assert "width=720,height=1280" in pipeline_of(source_from_uri("csi://2?size=720x1280"))
    assert "where 720 rows and 1280 columns are meant, type 1280x720" in caplog.text


def test_a_csi_camera_is_a_pipeline():
    assert pipeline_of(source_from_uri("csi://1?size=1920x1080&rate=60")) == (
        "nvarguscamerasrc sensor-id=1 ! video/x-raw(memory:NVMM),width=1920,height=1080,framerate=60/1 ! "
        "nvvidconv ! video/x-raw,format=I420"
    )
    for query in ("size=big", "size=0x720", "size=1280", "rate=0", "rate=nan", "rate=1e3", "rate=²", "rate=-1"):
        with pytest.raises(SourceError, match=r"expected csi://0, or csi://0\?size=1280x720&rate=30"):
            pipeline_of(source_from_uri(f"csi://0?{query}"))


SOME_BYTES = """
import sys, time
sys.stdin.readline()
sys.stdout.buffer.write(open({path!r}, "rb").read()[:{count}])
sys.stdout.buffer.flush()
print("stalls", file=open({mark!r}, "a"))
sys.stdin.read()
"""


@pytest.fixture
def stalling(tmp_path, monkeypatch):
    """A program in the place of GStreamer's, which gives out the beginning of a recording and then nothing."""

    def stands_in(count):
        path, mark, program = tmp_path / "clip.mkv", tmp_path / "mark", tmp_path / "program.py"
        with closing(Encoder(path, (48, 64), 25.0, live=True)) as encoder:
            for index in range(50):
                encoder.write(np.full((48, 64, 3), 5 * index, np.uint8), index / 25)
        program.write_text(SOME_BYTES.format(path=str(path), count=count or path.stat().st_size, mark=str(mark)))
        monkeypatch.setattr(decoder, "_PROGRAM", program)
        monkeypatch.setattr(decoder, "_python", lambda: sys.executable)
        return mark

    return stands_in


@pytest.mark.parametrize("count", [1, 400])
def test_a_pipeline_that_gives_nothing_is_told_and_ended(stalling, count):
    mark = stalling(count)
    with pytest.raises(SourceError, match=r"gst://x: nothing came out of the pipeline for 1 s; check that the camera"):
        open_video("gst://x", timeout_s=(1.0, 0.3))
    assert mark.read_text() == "stalls\n"


def test_a_pipeline_that_stalls_is_begun_again_and_given_up_in_time(stalling, caplog):
    mark = stalling(None)
    reader = open_video("gst://x", timeout_s=(5.0, 0.3), live=LiveOptions(on_late="block"))
    with reader:
        frames = list(islice(reader, 60))  # of 50 in the recording
    assert [frame.index for frame in frames] == list(range(60))
    assert "nothing came out of the pipeline for 0 s; check that the camera still sends; opening it" in caplog.text
    assert len(mark.read_text().splitlines()) > 1
