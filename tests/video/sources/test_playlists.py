"""Playlists of HLS: every segment that they name is read, and where one lacks that is said."""

import http.server
import os
import threading
import time
from contextlib import contextmanager
from functools import partial

import pytest
from support.clips.moving import encode, moving

from edge_arseg.errors import SourceError
from edge_arseg.video import open_video
from edge_arseg.video.presence import refuse_missing
from edge_arseg.video.sources import playlists
from edge_arseg.video.uri import source_from_uri

FRAMES = 5
END = "#EXT-X-ENDLIST\n"


def playlist(path, names, *, end=END, longest_s=1):
    head = f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{longest_s}\n#EXT-X-MEDIA-SEQUENCE:0\n"
    path.write_text(head + "".join(f"#EXTINF:{FRAMES / 25},\n{name}\n" for name in names) + end)
    return path


def segments(folder, count=6, height=48):
    for n in range(count):
        times = [40 * (FRAMES * n + frame) for frame in range(FRAMES)]
        encode(folder / f"{n}.ts", moving(FRAMES, height=height, width=64, seed=n), times=times, bf=0)
    return [f"{n}.ts" for n in range(count)]


def frames(source, **options):
    with open_video(source, motion="zero", **options) as reader:
        return [frame.time_s for frame in reader]


@pytest.mark.parametrize("end", [END, ""])
def test_a_playlist_is_read_from_its_first_segment_to_its_last(tmp_path, caplog, end):
    """Without its end mark FFmpeg took it for a live one: it began three segments before the end, and waited there."""
    path = playlist(tmp_path / "a.m3u8", segments(tmp_path), end=end)
    found = frames(path)
    assert len(found) == 6 * FRAMES
    assert found == sorted(found)
    told = f"{path}: a playlist without its end mark (#EXT-X-ENDLIST); it was read as far as it is written"
    assert [record.getMessage() for record in caplog.records] == ([] if end else [told])


def test_who_writes_into_a_named_pipe_has_all_the_time_there_is(tmp_path):
    """As who writes into the standard input has. A pause had ended the video like a silent server."""
    data = encode(tmp_path / "a.ts", moving(30, height=96, width=128), bf=0, g=5).read_bytes()
    pipe = tmp_path / "pipe.ts"
    os.mkfifo(pipe)

    def write():
        with pipe.open("wb", buffering=0) as file:
            for part in range(4):
                file.write(data[part * len(data) // 4 : (part + 1) * len(data) // 4])
                time.sleep(0.4)

    writer = threading.Thread(target=write)
    writer.start()
    assert len(frames(pipe, timeout_s=(0.2, 0.2))) == 30
    writer.join()


def test_a_segment_that_is_not_there_is_named(tmp_path):
    """FFmpeg goes on behind it."""
    names = segments(tmp_path, 3)
    playlist(tmp_path / "a.m3u8", [*names[:2], "lost.ts", names[2]])
    (tmp_path / "all.m3u8").write_text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n")
    for name in ("a.m3u8", "all.m3u8"):
        with pytest.raises(SourceError, match=r"names lost\.ts, and there is no such file; copy it there, or take"):
            open_video(tmp_path / name)


def test_segments_without_bytes_end_no_playlist(tmp_path):
    """A recorder that is stopped leaves one at its end, a disk that was full some in the middle."""
    names = segments(tmp_path, 3)
    for name in ("x.ts", "y.ts"):
        (tmp_path / name).touch()
    finished = playlist(tmp_path / "a.m3u8", [names[0], "x.ts", "y.ts", *names[1:]])
    assert len(frames(finished)) == 3 * FRAMES
    assert len(frames(playlist(tmp_path / "b.m3u8", [*names, "x.ts"], end=""))) == 3 * FRAMES


def test_what_is_on_a_server_is_not_looked_for_here(tmp_path):
    path = playlist(tmp_path / "a.m3u8", ["https://host/a.ts"])
    path.write_text('#EXTM3U\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="next.ts"\n' + path.read_text())
    refuse_missing(source_from_uri(path))


@pytest.mark.parametrize(
    ("head", "line"), [("ffconcat version 1.0\n", "file a.ts\n"), ("#EXTM3U\n", "#EXTINF:1,\na.ts\n")]
)
def test_a_list_that_is_too_long_to_look_at_has_no_half_names(tmp_path, monkeypatch, head, line):
    monkeypatch.setattr(playlists, "LONGEST", 500)
    (tmp_path / "a.ts").touch()
    path = tmp_path / "a.m3u8"
    for more in range(len(line)):
        path.write_text(head + " " * more + 90 * line)
        assert playlists.fault_of_list(path) is None


@contextmanager
def server(handler, file=None):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as here:
        here.file = file
        thread = threading.Thread(target=here.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{here.server_port}"
        finally:
            here.shutdown()
            thread.join()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments):
        pass


def test_a_live_playlist_is_waited_for(tmp_path):
    """Its segments come every few seconds; a shorter patience with servers had ended it, as if it were at its end."""
    names = segments(tmp_path, 4)
    playlist(tmp_path / "a.m3u8", names[:3], end="", longest_s=2)

    def go_on():
        time.sleep(2.5)
        playlist(tmp_path / "b.m3u8", names).rename(tmp_path / "a.m3u8")

    writer = threading.Thread(target=go_on)
    writer.start()
    with server(partial(Quiet, directory=tmp_path)) as place:
        found = frames(f"{place}/a.m3u8?token=1", timeout_s=(10, 0.5))
    writer.join()
    assert len(found) == 4 * FRAMES


class Lengthless(Quiet):
    """Sends a file without its length, which ends with the connection; of ``broken`` it says more than it sends."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        data = self.server.file.read_bytes()
        self.send_response(200)
        self.send_header("Connection", "close")
        if self.path == "/broken":
            self.send_header("Content-Length", str(len(data) + 1000))
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = True


@pytest.mark.parametrize(("ending", "codec"), [("ts", "libx264"), ("mkv", "libx265"), ("h264", "libx264")])
def test_a_server_need_not_say_how_long_a_video_is(tmp_path, ending, codec):
    """All ended with "the connection broke off", and the pictures that the decoder holds back were lost."""
    quiet = {"x265_params": "log-level=none:pools=1:frame-threads=1"} if codec == "libx265" else {}
    file = encode(tmp_path / f"a.{ending}", moving(12, height=96, width=128), codec, **quiet)
    with server(Lengthless, file) as place:
        assert len(frames(f"{place}/a")) == 12
        with pytest.raises(SourceError, match="broke off"):
            frames(f"{place}/broken")


def test_of_several_variants_one_is_fetched(tmp_path):
    """FFmpeg fetches them all, which takes more than twice the network."""
    for size in (48, 96):
        (tmp_path / str(size)).mkdir()
        playlist(tmp_path / f"{size}.m3u8", [f"{size}/{name}" for name in segments(tmp_path / str(size), 12, size)])
    lines = (f"#EXT-X-STREAM-INF:BANDWIDTH={size}000\n{size}.m3u8\n" for size in (48, 96))
    (tmp_path / "all.m3u8").write_text("#EXTM3U\n" + "".join(lines))
    asked = []

    class Listing(Quiet):
        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

    with server(partial(Listing, directory=tmp_path)) as place:
        assert len(frames(f"{place}/all.m3u8")) == 12 * FRAMES
    assert {f"/96/{n}.ts" for n in range(12)} <= set(asked)
    assert "/48/11.ts" not in asked
