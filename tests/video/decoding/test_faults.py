import av
import pytest

from edge_arseg.errors import OptionError, SourceError
from edge_arseg.video.decoding.faults import source_error, source_faults

FFMPEG_ERRORS = [
    kind for kind in vars(av.error).values() if isinstance(kind, type) and issubclass(kind, av.error.FFmpegError)
]


@pytest.mark.parametrize("kind", FFMPEG_ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_of_ffmpeg_becomes_a_source_error(kind):
    with pytest.raises(SourceError, match=r"^rtsp://x: .{10,}") as caught, source_faults("rtsp://x"):
        raise kind(5, "input/output error", "x")
    assert isinstance(caught.value.__cause__, kind)


def test_there_are_errors_to_test():
    assert len(FFMPEG_ERRORS) > 30


def test_a_stall_is_told_as_such():
    assert "no data arrived in time" in str(source_error("rtsp://x", av.error.ExitError(1, "Immediate exit")))


def test_a_connection_that_broke_off_is_told_from_one_that_never_was():
    fault = av.error.OSError(5, "Input/output error")
    assert "the server cannot be reached" in str(source_error("http://x/a.ts", fault))
    assert "the connection broke off before the end" in str(source_error("http://x/a.ts", fault, begun=True))


@pytest.mark.parametrize("scheme", ["rtsp", "http", "https"])
def test_a_login_is_asked_for_in_the_scheme_of_the_source(scheme):
    fault = av.error.HTTPUnauthorizedError(1, "401")
    assert f"the server wants a login: {scheme}://USER:PASSWORD@host/path" in str(
        source_error(f"{scheme}://x/a", fault)
    )


@pytest.mark.parametrize("own", [OptionError("a"), SourceError("b")])
def test_own_errors_pass_through(own):
    with pytest.raises(type(own)) as caught, source_faults("x"):
        raise own
    assert caught.value is own


def test_bugs_pass_through():
    with pytest.raises(KeyError), source_faults("x"):
        raise KeyError("bug")
