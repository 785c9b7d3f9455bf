"""What of a URL may be seen, and what FFmpeg gets."""

import pytest

from edge_arseg.storage.object_store import PACKAGES
from edge_arseg.storage.url import (
    STORES,
    address_of,
    keep_typed,
    label_of,
    login_of,
    printable,
    text_without_logins,
    url_with_encoded_login,
)


@pytest.mark.parametrize(
    ("url", "shown", "opened"),
    [
        ("rtsp://host:554/a?channel=1", "rtsp://host:554/a?channel=1", None),
        ("rtsp://u:pw@host:554/a", "rtsp://***@host:554/a", None),
        ("rtsp://u@host/a", "rtsp://***@host/a", None),
        ("rtsp://host:554/0/admin:pw/main", "rtsp://host:554/0/***/main", None),
        ("rtmp://a.rtmp.youtube.com/live2/abcd-efgh-1234", "rtmp://a.rtmp.youtube.com/live2/***", None),
        ("rtmps://u:pw@host:443/app/room/key/?bw=1", "rtmps://***@host:443/app/room/***/?bw=1", None),
        ("rtmp://host/live", "rtmp://host/live", None),
        ("rtsp://host/vod/mp4:clips/a.mp4", "rtsp://host/vod/mp4:clips/a.mp4", None),
        ("https://host/a.m3u8?hdnea=exp=1~acl=/*~hmac=pw&b=2", "https://host/a.m3u8?hdnea=***&b=2", None),
        ("https://host/a.m3u8?__gda__=1_pw", "https://host/a.m3u8?__gda__=***", None),
        ("RTSP://u:pw@[::1]:554/a", "RTSP://***@[::1]:554/a", "rtsp://u:pw@[::1]:554/a"),
        ("rtsp://u:p#w@host:1/a", "rtsp://***@host:1/a", "rtsp://u:p%23w@host:1/a"),
        ("rtsp://u:p@w@host:1/a", "rtsp://***@host:1/a", "rtsp://u:p%40w@host:1/a"),
        ("rtsp://u:p:w@host:1/a", "rtsp://***@host:1/a", None),
        ("rtsp://u:p/w?@host:1/a", "rtsp://***@host:1/a", "rtsp://u:p%2Fw%3F@host:1/a"),
        ("rtsp://u:p%w%41@host:1/a", "rtsp://***@host:1/a", "rtsp://u:p%25w%41@host:1/a"),
        ("rtsp://u:12#4@host:1/a", "rtsp://***@host:1/a", "rtsp://u:12%234@host:1/a"),
        ("rtsp://u:12/4@10.0.0.1:1/a", "rtsp://***@10.0.0.1:1/a", None),
        ("rtsp://u:p@host:port/a", "rtsp://***@host:port/a", None),
        ("http://host/photo@2x.mp4", "http://host/photo@2x.mp4", None),
        ("http://host:80/c?mail=a@b.c", "http://host:80/c?mail=a@b.c", None),
        ("http://host/@me.org/c.mp4", "http://host/@me.org/c.mp4", None),
        ("http://host/c?token=s#3&rate=5", "http://host/c?token=***&rate=5", None),
        ("http://host/c?user=a&pwd=b&c&channel=1", "http://host/c?user=***&pwd=***&channel=1", None),
        ("rtsp://host/user=admin_password=x_channel=1.sdp", "rtsp://host/user=***", None),
        ("srt://host:1?mode=caller&passphrase=x", "srt://host:1?mode=caller&passphrase=***", None),
        ("udp://@239.0.0.1:1234", "udp://@239.0.0.1:1234", None),
        ("ftp://u:pw@host/a", "ftp://***@host/a", None),
        ("rtsp:/u:pw@host/a", "rtsp:***@host/a", None),
        ("u:p#w@host:554/a", "***@host:554/a", None),
        ("u:pw@10.0.0.1/a", "***@10.0.0.1/a", None),
        ("u:pw@10.0.0.1", "***@10.0.0.1", None),
        ("u:pw@camera.local", "***@camera.local", None),
        ("//u:pw@host/a", "***@host/a", None),
        ("rtsp//u:pw@host/a", "***@host/a", None),
        (" rtsp://u:pw@host/a", " rtsp://***@host/a", None),
        ("@rtsp://u:pw@host/a", "@rtsp://***@host/a", None),
        ("images://http://u:pw@host/%d.png", "images://http://***@host/%d.png", None),
        ("file://u:pw@host/a", "file://***@host/a", None),
        ("csi://u:pw@h", "csi://***@h", None),
        ("csi://u:p/w@h", "csi://***@h", "csi://u:p%2Fw@h"),
        ("test://u:pw@h", "test://***@h", None),
        ("null://u:pw@h/a", "null://***@h/a", None),
        ("v4l2://u:pw@h", "v4l2://***@h", None),
        ("v4l2://u:pw@h?a=1", "v4l2://***@h?a=1", None),
        ("masks://u:pw@h", "masks://***@h", None),
        ("jsonl://s3://K:S@bucket/a", "jsonl://s3://***@bucket/a", None),
        ("raw://me@home/a.raw", "raw://me@home/a.raw", None),
        ("srt://host:1?streamid=read:a:u:pw&mode=caller", "srt://host:1?streamid=***&mode=caller", None),
        (
            "http://host/c?PHPSESSID=x&ticket=x&psk=x&pin=x&otp=x&n=1",
            "http://host/c?PHPSESSID=***&ticket=***&psk=***&pin=***&otp=***&n=1",
            None,
        ),
        ("http://host/c?Authorization=Bearer x&author=me", "http://host/c?Authorization=***&author=me", None),
        ("http://host/c?url=rtsp://u:pw@cam/a", "http://host/c?url=rtsp://***@cam/a", None),
        ("http://host/c?url=rtsp%3A%2F%2Fu%3Apw%40cam", "http://host/c?url=rtsp%3A%2F%2F***%40cam", None),
        ("12:30@home.mp4", "12:30@home.mp4", None),
        ("clips/12:30@home/a.mp4", "clips/12:30@home/a.mp4", None),
        ("clips/me@home:1.mp4", "clips/me@home:1.mp4", None),
        ("images://me@home/*.png", "images://me@home/*.png", None),
    ],
)
def test_a_login_is_hidden_and_reaches_ffmpeg_encoded(url, shown, opened):
    assert label_of(url) == shown
    assert url_with_encoded_login(url) == (opened or url)


@pytest.mark.parametrize(
    ("url", "login"),
    [
        ("s3://K:S@bucket/a.mp4", "K:S"),
        ("s3://K:S/T@bucket/a.mp4", "K:S/T"),
        ("s3://K:12/S@bucket/a.mp4", "K:12/S"),
        ("s3://arn:aws:s3:eu:1:accesspoint/p/a@2x.mp4", ""),
        ("s3://K@bucket", "K"),
        ("s3://bucket/a@2x.mp4", ""),
        ("s3://bucket/a:1@b/c.mp4", ""),
        ("a@b.mp4", ""),
    ],
)
def test_the_login_of_a_url(url, login):
    assert login_of(url) == login


def test_every_url_in_a_text_is_shown_without_its_login():
    text = "error: rtsp://u:p@h:1/a: not at 'http://u:p@h/x', but rtsp:/u:p@h/y; see images://a@b"
    assert text_without_logins("type rtsp://USER:PASSWORD@host/a") == "type rtsp://USER:PASSWORD@host/a"
    assert text_without_logins(text) == (
        "error: rtsp://***@h:1/a: not at 'http://***@h/x', but rtsp:***@h/y; see images://a@b"
    )


def test_a_url_with_blanks_that_was_typed_is_known_in_a_text():
    keep_typed(["rtsp://u:a b c@h/x", "--clip=rtsp://u:a b@h/y", "a plain text", "test://street?frames=2"])
    try:
        text = text_without_logins("seen 'rtsp://u:a b c@h/x' and rtsp://u:a b@h/y, a plain text")
        assert text == "seen 'rtsp://***@h/x' and rtsp://***@h/y, a plain text"
    finally:
        keep_typed([])


def test_a_url_of_a_thousand_urls_is_shown():
    url = "http://u:pw@h/" * 1200
    assert "pw" not in label_of(url)
    assert "pw" not in label_of(" " + url)
    assert label_of("rtsp:/" * 1200) == "rtsp:/" * 1200


def test_what_follows_a_url_in_a_sentence_stays():
    assert text_without_logins("http://h/x?token=a: not found") == "http://h/x?token=***: not found"


def test_names_that_cannot_be_printed_are_written_out():
    assert printable("half \ud800 a pair\0") == "half \\ud800 a pair\\x00"
    assert printable("Stra\udcdfe\n\x1b[1m Straße") == "Stra\\xdfe\\n\\x1b[1m Straße"


def test_logins_are_hidden_in_urls_of_every_store():
    """Two lists: the one that hides them is read at every start, without what stores need."""
    assert set(STORES) == set(PACKAGES) - {"memory"}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("rtsp://cam/1", "RTSP://CAM:554/1/", True),
        ("rtsp://cam/1", "rtsp://user:secret@cam/1", True),
        ("rtsp://cam/1?channel=1", "rtsp://cam/1?channel=2", False),
        ("rtsp://cam/a", "rtsp://cam/A", False),
        ("rtsp://cam:8554/1", "rtsp://cam/1", False),
        ("udp://@239.0.0.1:5000", "udp://239.0.0.1:5000?ttl=2", True),
        ("udp://239.0.0.1:5000", "udp://239.0.0.1:5001", False),
        ("srt://host:9?streamid=a", "srt://host:9?streamid=b", False),
        ("mqtt://broker/cars", "mqtt://broker:1883/cars", True),
        ("tcp://host:notaport", "tcp://host:notaport", True),
    ],
)
def test_two_spellings_of_an_address_are_one(one, other, same):
    assert (address_of(one) == address_of(other)) is same
