"""``run --serve``: what is said where it cannot be, and how it ends."""

import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from support.bundles.fake import FAKE

pytest.importorskip("starlette")
pytest.importorskip("websockets")
STREET = "test://street?size=48x64&frames=4000&rate=40"


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--serve", "out.mp4"], 2, "expected HOST:PORT, for example 127.0.0.1:8008"),
        (["--serve", "127.0.0.1:99999"], 2, "port 99999 seen, expected 0 to 65535"),
        (["--serve", "192.0.2.1:8008"], 4, "no address of this machine"),
        (["--serve", "127.0.0.1:0", "--serve-token", "short"], 2, "5 characters seen, expected 16 or more"),
        (["--serve", "127.0.0.1:0", "--serve-token", "x"], 2, "1 character seen, expected 16 or more"),
        (["--serve", "127.0.0.1:0", "--serve-token", "@nowhere"], 2, "expected @FILE with the token"),
        (["--serve-token", "0123456789abcdef"], 2, "--serve-token seen without --serve"),
    ],
)
def test_what_cannot_be_served_is_told_before_the_engines_open(run, options, code, said):
    answer = run(STREET, "null://", *options)
    assert answer.code == code
    assert said in answer.err
    assert "fake" not in answer.err


def test_a_port_in_use_ends_with_4_and_names_another(run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = run(STREET, "null://", "--serve", str(port))
    assert answer.code == 4
    assert f"the port is in use; name another, for example --serve 127.0.0.1:{port + 1}" in answer.err


def test_without_the_extra_it_says_what_to_type(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "edge_arseg.serve.server", raising=False)
    answer = run(STREET, "null://", "--serve", "0")
    assert answer.code == 3
    assert "--serve needs uvicorn, which is not installed; type:" in answer.err


def test_many_videos_are_not_served(run, tmp_path):
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(b"x")
    answer = run(str(tmp_path), "masks://m/{stem}", "--serve", "0")
    assert answer.code == 2
    assert "--serve shows one source" in answer.err


@pytest.mark.parametrize(
    ("options", "token"),
    [((), None), (("--log-format", "json"), None), (("--serve-token", "0123456789abcdef"), "0123456789abcdef")],
)
def test_what_is_said_opens_the_page_beyond_loopback(fake_bundle, tmp_path, options, token):
    """A token that was made is in it, for nobody else can say it; one that was given is not."""
    arguments = ["run", STREET, "--realtime", "--serve", "0.0.0.0:0", "-b", str(fake_bundle), *FAKE, *options]
    process = subprocess.Popen(
        [sys.executable, "-m", "edge_arseg", *arguments], stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    try:
        line = next(line for line in process.stderr if "watch at" in line)
        assert "nothing is encrypted" in line
        port = re.search(r"watch at http://localhost:(\d+)/", line)[1]
        assert token is None or token not in line
        token = token or re.search(r"with the token ([\w-]+)", line)[1]
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with pytest.raises(urllib.error.HTTPError, match="401"):
            opener.open(f"http://127.0.0.1:{port}/", timeout=10)
        assert opener.open(f"http://127.0.0.1:{port}/?token={token}", timeout=10).url == f"http://127.0.0.1:{port}/"
    finally:
        process.kill()
        process.communicate()


def test_ctrl_c_ends_a_run_that_is_watched_at_once(fake_bundle, tmp_path):
    """With viewers, one of them stalled; nothing but the page is made."""
    from support.clips.watching import viewer

    arguments = ["run", STREET, "--realtime", "--serve", "127.0.0.1:0", "-b", str(fake_bundle), *FAKE]
    process = subprocess.Popen(
        [sys.executable, "-m", "edge_arseg", *arguments], stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    try:
        url = next(
            match[1] for line in process.stderr if (match := re.match(r"watch at (http://127.0.0.1:\d+/)", line))
        )
        server = type("Server", (), {"address": type("Address", (), {"port": int(url.rpartition(":")[2].strip("/"))})})
        with viewer(server) as first, viewer(server):
            while isinstance(first.recv(60), str):
                pass
            assert urllib.request.urlopen(url + "healthz", timeout=10).status == 200
            process.send_signal(signal.SIGINT)
            _, rest = process.communicate(timeout=10)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "same signal once more" not in rest  # which is said after a second
    assert re.search(r"\d+ frames?, \d+ keyframes?\b", rest)
    assert list(tmp_path.iterdir()) == []
