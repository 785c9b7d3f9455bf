from pathlib import Path

import pytest

from edge_arseg.errors import SourceError
from edge_arseg.video import SourceKind, source_from_uri


@pytest.mark.parametrize(
    ("uri", "kind", "location", "live"),
    [
        ("clip.mp4", SourceKind.FILE, "clip.mp4", False),
        ("odd name?.mp4", SourceKind.FILE, "odd name?.mp4", False),
        ("file:///clips/a%20b.mp4", SourceKind.FILE, "/clips/a b.mp4", False),
        ("https://host/clip.mp4?token=1", SourceKind.FILE, "https://host/clip.mp4?token=1", False),
        ("images://frames/%06d.png", SourceKind.IMAGES, "frames/%06d.png", False),
        ("images:///abs/*.png?rate=15", SourceKind.IMAGES, "/abs/*.png", False),
        ("/dev/video2", SourceKind.DEVICE, "/dev/video2", True),
        ("v4l2:///dev/video0?framerate=30", SourceKind.DEVICE, "/dev/video0", True),
        ("v4l2://1", SourceKind.DEVICE, "/dev/video1", True),
        ("rtsp://user:pw@host:554/a?b=c", SourceKind.STREAM, "rtsp://user:pw@host:554/a?b=c", True),
        ("udp://127.0.0.1:5000", SourceKind.STREAM, "udp://127.0.0.1:5000", True),
        ("test://street?frames=5", SourceKind.STREET, "street", False),
        ("test://", SourceKind.STREET, "street", False),
    ],
)
def test_known_sources(uri, kind, location, live):
    source = source_from_uri(uri)
    assert (source.uri, source.kind, source.location, source.live) == (uri, kind, location, live)


def test_a_path_object_is_a_file():
    assert source_from_uri(Path("a") / "b.mp4").location == "a/b.mp4"


def test_the_query_is_kept_apart():
    source = source_from_uri("/dev/video0?video_size=1280x720&input_format=mjpeg")
    assert source.query == {"video_size": "1280x720", "input_format": "mjpeg"}
    assert source.location == "/dev/video0"


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("", "an empty source"),
        ("csi://0", "GStreamer.*expected a V4L2 camera"),
        ("gopher://hole", "unknown kind of source gopher://; expected a path"),
        ("images://", "expected for example images://"),
        ("file://", "expected for example file://"),
        ("v4l2://", "expected for example v4l2://"),
    ],
)
def test_what_cannot_be_used_is_refused(uri, told):
    with pytest.raises(SourceError, match=told):
        source_from_uri(uri)
