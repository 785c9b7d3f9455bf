"""A password in a URL is in no output of any verb: stdout, stderr, logs, records, traces, names of threads."""

import base64
import http.server
import re
import threading
import traceback
from pathlib import Path
from urllib.parse import unquote

import av
import numpy as np
import pytest
from support.bundles.fake import FAKE, HEIGHT, WIDTH
from support.clips.live_server import free_port
from support.clips.moving import chainable

from edge_arseg.errors import ArsegError, SourceError
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.video.decoding.decode import Decoder
from edge_arseg.video.decoding.picture import Picture
from edge_arseg.video.reader import open_video

USER, WORD = "operator", "hunter2"
PASSWORDS = (WORD, f"#{WORD}", f"@{WORD}", f":{WORD}", f"%{WORD}", f"1@2:3#4%5/6?{WORD}&", f"%23{WORD}", f"12#{WORD}")


class Refusing(http.server.BaseHTTPRequestHandler):
    """Answers by the name asked for: ``401``, ``404``, ``503``; or sends a clip."""

    clip = b""
    seen: list[str] = []  # noqa: RUF012 - of the whole test run

    def do_GET(self):
        code = int(self.path[1:4]) if self.path[1:4].isdigit() else 200
        self.seen.append(self.headers.get("Authorization", ""))
        self.send_response(code)
        if code == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="here"')
        self.send_header("Content-Length", str(len(self.clip) if code == 200 else 0))
        self.end_headers()
        if code == 200:
            self.wfile.write(self.clip)

    def log_message(self, *_arguments):
        pass


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    Refusing.clip = chainable(tmp_path_factory.mktemp("clip") / "a.mkv", 8).read_bytes()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as here:
        thread = threading.Thread(target=here.serve_forever, daemon=True)
        thread.start()
        yield here.server_address[1]
        here.shutdown()


def failing(password, server):
    """URLs that fail, each in its way, and what of them is to be seen."""
    closed = free_port()
    login = f"{USER}:{password}@"
    return {
        f"rtsp://{login}127.0.0.1:{closed}/live": f"rtsp://***@127.0.0.1:{closed}/live: nobody listens at this address",
        f"http://{login}127.0.0.1:{server}/404.mp4": "the server does not know this path",
        f"http://{login}127.0.0.1:{server}/401.mp4": "the server refuses this login; check user and password",
        f"http://{login}127.0.0.1:{server}/503.mp4": "the server refused the request",
        f"http://127.0.0.1:{server}/404.mp4?token={password}": "the server does not know this path",
        f"rtsp://{login}nowhere.invalid/live": "the server cannot be reached; check the name of the host",
        f"rtsp://{login}127.0.0.1:port/live": "rtsp://***@127.0.0.1:port/live: FFmpeg cannot use this URL",
        f"gopher://{login}host/a": "gopher://***@host/a: unknown kind of source",
        f"rtsp:{login}host/a": "a URL has two slashes",
    }


def texts(error):
    """All that can be seen of an error and of those behind it."""
    while error is not None:
        yield from (str(error), repr(error), repr(vars(error)), *traceback.format_exception(error, chain=False))
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("password", PASSWORDS)
def test_opening_shows_none(server, password, caplog):
    for url, told in failing(password, server).items():
        with pytest.raises(SourceError) as caught:
            open_video(url, timeout_s=(5, 5), retry_s=0.1)
        assert told in str(caught.value)
        for text in texts(caught.value):
            assert WORD not in text, url
            assert USER not in text, url
    assert WORD not in caplog.text


def test_a_login_of_any_characters_reaches_the_server(server):
    for password in PASSWORDS:
        Refusing.seen.clear()
        with pytest.raises(SourceError):
            open_video(f"http://{USER}:{password}@127.0.0.1:{server}/401.mp4")
        given = {base64.b64decode(seen.split()[1]).decode() for seen in Refusing.seen if seen}
        assert given == {f"{USER}:{unquote(password)}"}


@pytest.mark.parametrize("password", [f"#{WORD}", f"1@2:3%5/6?{WORD}"])
def test_no_verb_shows_one_where_the_source_works(
    edge_arseg, fake_bundle, server, password, tmp_path, monkeypatch, caplog
):
    monkeypatch.chdir(tmp_path)
    url = f"http://{USER}:{password}@127.0.0.1:{server}/clip.mkv?token={WORD}"
    shown = f"http://***@127.0.0.1:{server}/clip.mkv?token=***"
    options = ("-b", fake_bundle, *FAKE)
    answers = [
        edge_arseg("run", url, "o.mp4", "jsonl://o.jsonl", "jsonl://-", *options),
        edge_arseg("bench", url, "-o", "r.json", "--frames", 4, *options),
        edge_arseg("bench", url, "--json", "--frames", 4, *options),
        edge_arseg("demo", url, *options),
        edge_arseg("demo", url, "--json", *options),
    ]
    assert [answer.code for answer in answers] == [0] * len(answers), answers
    assert shown in (tmp_path / "demo/summary.json").read_text()
    assert shown in (tmp_path / "r.json").read_text()
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for text in (*(answer.out + answer.err for answer in answers), caplog.text):
        assert WORD not in text
        assert USER not in text
    assert WORD.encode() not in written
    assert USER.encode() not in written


def shows_none(edge_arseg, tmp_path, *commands):
    for arguments in commands:
        answer = edge_arseg(*arguments)
        assert answer.code != 0, arguments
        assert WORD not in answer.out + answer.err, arguments
        assert USER not in answer.out + answer.err, arguments
    written = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and p.name != "recipe.toml")
    assert WORD.encode() not in written


def test_no_verb_of_the_device_shows_one_where_it_fails(edge_arseg, fake_bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("edge_arseg.video.sinks.streams.push._PATIENCE_S", 0.2)
    (tmp_path / "labels").mkdir()
    url = f"rtsp://{USER}:#{WORD}@127.0.0.1:{free_port()}/live"
    street, options = f"test://street?size={HEIGHT}x{WIDTH}&frames=2", ("-b", fake_bundle, *FAKE)
    shows_none(
        edge_arseg,
        tmp_path,
        ("run", url, "o.mp4", *options),
        ("run", url, url, *options),
        ("run", street, url, *options),
        ("run", street, "-b", url, *FAKE),
        ("run", street, f"--limit={url}", *options),
        ("bench", url, *options),
        ("bench", street, url, *options),
        ("demo", url, *options),
        ("demo", street, url, *options),
        ("eval", "--clip", url, "--labels", "labels", *options),
        ("eval", "--images", url, "--labels", "labels", *options),
        ("eval", "--clip", street, "--labels", url, *options),
        ("verify", url),
        ("inspect", url),
        ("compile", url),
        ("targets", "show", url),
        (url,),
    )


@pytest.mark.slow
def test_no_verb_of_the_host_shows_one_where_it_fails(edge_arseg, own_checkpoint, own_bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    url = f"rtsp://{USER}:#{WORD}@127.0.0.1:{free_port()}/live"
    recipe = tmp_path / "recipe.toml"
    text = (Path(__file__).parents[2] / "calibration/street.toml").read_text()
    recipe.write_text(re.sub(r'source = "[^"]*"', f'source = "{url}"', text))
    shows_none(
        edge_arseg,
        tmp_path,
        ("export", *own_checkpoint, "--clip", url, "--size", "64x88", "-o", "e.arseg"),
        ("export", url),
        ("quantize", own_bundle, "-o", "q.arseg", "--recipe", recipe),
        ("quantize", own_bundle, "-o", "q.arseg", "--recipe", url),
        ("train", "prepare", "--unlabelled", url, "--classes", "camvid-11", "--size", "64x96", "-o", "store"),
        ("convert", url, "-o", "c.safetensors"),
    )


class TwoPictures:
    """In place of the decoder: two pictures, then the stream ends; opened again, it is the real one."""

    rate, frame_count, unfit, made_by_x264 = 25.0, None, "a fake", False
    opened = 0

    def __new__(cls, *arguments, **options):
        cls.opened += 1
        return super().__new__(cls) if cls.opened == 1 else Decoder(*arguments, **options)

    def __init__(self, *_arguments, **_options):
        pass

    def pictures(self):
        for n in range(2):
            yield Picture(av.VideoFrame.from_ndarray(np.full((HEIGHT, WIDTH, 3), 40 * n, np.uint8), "rgb24"), n / 25)

    def close(self):
        pass


def test_the_log_of_an_outage_does_not_show_it(monkeypatch, caplog):
    port = free_port()
    monkeypatch.setattr(TwoPictures, "opened", 0)
    monkeypatch.setattr("edge_arseg.video.decoding.decode.Decoder", TwoPictures)
    url = f"rtsp://{USER}:#{WORD}@127.0.0.1:{port}/live"
    with open_video(url, retry_s=0.7) as reader, pytest.raises(SourceError) as caught:
        list(reader)
    assert f"rtsp://***@127.0.0.1:{port}/live: nobody listens" in caplog.text
    assert "opening it again" in caplog.text
    for text in (caplog.text, *texts(caught.value)):
        assert WORD not in text
        assert USER not in text


def test_threads_are_not_named_by_it(server, fake_bundle):
    url = f"http://{USER}:{WORD}@127.0.0.1:{server}/clip.mkv"
    with Segmenter(fake_bundle, backend="fake", fusion="graph") as segmenter, segmenter.open(url) as reader:
        names = [thread.name for thread in threading.enumerate()]
        assert f"reader of http://***@127.0.0.1:{server}/clip.mkv" in names
        assert WORD not in repr(vars(reader)) + "".join(names)


def test_errors_of_the_tree_are_shown_without_it_wherever_they_come_from(edge_arseg, monkeypatch):
    def fails(*_arguments, **_options):
        raise ArsegError(f"a new place that tells rtsp://{USER}:{WORD}@host/a")

    monkeypatch.setattr("edge_arseg.runtime.bundles.reading.read_bundle", fails)
    answer = edge_arseg("inspect", "a.arseg")
    assert (answer.code, answer.err) == (3, "error: a new place that tells rtsp://***@host/a\n")
