from pathlib import Path

import pytest

from edge_arseg.errors import OptionError, SourceError
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
        ("file://localhost/clips/a%20b.mp4", SourceKind.FILE, "/clips/a b.mp4", False),
        ("FILE:/clips/a.mp4", SourceKind.FILE, "/clips/a.mp4", False),
        ("file:a.mp4", SourceKind.FILE, "a.mp4", False),
        ("12:30.mp4", SourceKind.FILE, "12:30.mp4", False),
        ("100%.mp4", SourceKind.FILE, "100%.mp4", False),
        ("-a.mp4", SourceKind.FILE, "-a.mp4", False),
        ("/dev/videos/a.mp4", SourceKind.FILE, "/dev/videos/a.mp4", False),
        ("/dev/v4l/by-id/usb-cam-index0", SourceKind.DEVICE, "/dev/v4l/by-id/usb-cam-index0", True),
        ("RTSP://u:p#w@Host/A", SourceKind.STREAM, "rtsp://u:p%23w@Host/A", True),
        ("images://a/f?.png?rate=5", SourceKind.IMAGES, "a/f?.png", False),
    ],
)
def test_each_way_to_write_a_source_names_its_kind(uri, kind, location, live):
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
        ("gopher://hole", "unknown kind of source gopher://; expected a path"),
        ("gopher://u:secret@hole", r"^gopher://\*\*\*@hole: unknown kind"),
        ("rtsp:u:secret@host/a", r"^rtsp:\*\*\*@host/a: there is no such file; a URL has two slashes: rtsp://host"),
        ("test://nonsense", "there is no such test source; expected test://street"),
        ("images://", "expected for example images://"),
        ("file://", "expected for example file://"),
        ("v4l2://", "expected for example v4l2://"),
        ("a\0.mp4", r"^a\\x00.mp4: no file, device or stream can be called that"),
        ("images://\ud800/*.png", r"^images://\\ud800/\*.png: no file, device or stream can be called that"),
    ],
)
def test_what_cannot_be_used_is_refused(uri, told):
    with pytest.raises(SourceError, match=told):
        source_from_uri(uri)


@pytest.mark.parametrize("wrong", [0, None, b"drive.mp4", ["drive.mp4"]])
def test_what_is_no_text_is_refused(wrong):
    with pytest.raises(OptionError, match=r"source .* seen, expected text or a path.*'0' for the first camera"):
        source_from_uri(wrong)


@pytest.mark.parametrize("name", ["file:a.mp4", "rtsp:x.mp4", "a%20b.mp4", "f%03d.png", "50%d.mp4", "b*.png", "c?.mp4"])
def test_a_file_that_is_there_is_meant_whatever_its_name_looks_like(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(b"x")
    for spelling in (name, f"file://{tmp_path}/{name}"):
        source = source_from_uri(spelling)
        assert source.kind is SourceKind.FILE
        assert source.path.samefile(tmp_path / name)
        assert source.address == f"file:{source.path}"


@pytest.mark.parametrize("pattern", ["f%03d.png", "f%d.png", "f*.png", "f?*.png", "f%03d.png?rate=5"])
def test_a_pattern_is_one_of_images_where_no_file_has_its_name(tmp_path, pattern):
    assert source_from_uri(tmp_path / pattern).kind is SourceKind.FILE
    (tmp_path / "f0001.png").write_bytes(b"x")
    source = source_from_uri(tmp_path / pattern)
    assert (source.kind, source.location) == (SourceKind.IMAGES, str(tmp_path / pattern.removesuffix("?rate=5")))
    assert dict(source.query) == ({"rate": "5"} if "rate" in pattern else {})


def test_a_source_shows_no_login_and_its_record_no_folders():
    source = source_from_uri("rtsp://user:secret@host:554/a")
    assert (source.label, source.name) == ("rtsp://***@host:554/a", "rtsp://***@host:554/a")
    assert "secret" not in repr(source)
    assert source_from_uri("/home/me/clip.mp4").name == "clip.mp4"
    assert source_from_uri("images:///home/me/frames/%06d.png?rate=5").name == "frames/%06d.png?rate=5"
    assert source_from_uri("/home/Stra\udcdfe.mp4").name == "Stra\\xdfe.mp4"
