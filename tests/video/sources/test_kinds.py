"""Another kind of source is a module and a row."""

import sys
from types import ModuleType

import av
import numpy as np
import pytest

from edge_arseg.errors import OptionError, SourceError
from edge_arseg.video import open_video, source_from_uri
from edge_arseg.video.decoding.picture import Picture
from edge_arseg.video.sources.kinds import KINDS, Kind


class Noise:
    """Four grey pictures."""

    rate, frame_count, unfit, made_by_x264 = 10.0, 4, "noise stands still", False

    def __init__(self, source, wishes):
        self.first = int(source.query.get("first", "0"))

    def pictures(self):
        for n in range(4):
            grey = np.full((16, 32, 3), 10 * (self.first + n), np.uint8)
            yield Picture(av.VideoFrame.from_ndarray(grey, format="rgb24"), n / 10)

    def close(self):
        pass


@pytest.fixture
def noise(monkeypatch):
    module = ModuleType("toy_noise")
    module.pictures_from_source = Noise
    monkeypatch.setitem(sys.modules, "toy_noise", module)

    def parts(_text, rest, _label):
        return rest, {"first": rest}

    monkeypatch.setitem(KINDS, "noise", Kind("noise://N", ("noise",), parts, "toy_noise:pictures_from_source"))


def test_a_kind_is_registered_by_one_row(noise):
    source = source_from_uri("noise://5")
    assert (source.kind, source.location, source.live, source.name) == ("noise", "5", False, "noise://5")
    for ahead in (None, 2):
        with open_video("noise://5", motion="zero", ahead=ahead) as reader:
            assert (reader.height, reader.width, reader.rate, reader.frame_count) == (16, 32, 10.0, 4)
            assert [int(frame.rgb[0, 0, 0]) for frame in reader] == [50, 60, 70, 80]


def test_a_kind_without_streams_refuses_their_numbers(noise):
    with pytest.raises(OptionError, match=r"noise://5: stream 1 was asked for, but only containers have streams"):
        open_video("noise://5", stream=1)


def test_messages_name_every_kind(noise):
    with pytest.raises(
        SourceError,
        match=r"expected a path, a folder, file://, .* test://, .* - \(the standard input\), .*s3://bucket/name or noise://N",
    ):
        source_from_uri("gopher://hole")


def test_no_two_kinds_share_a_scheme():
    schemes = [scheme for kind in KINDS.values() for scheme in kind.schemes]
    assert len(schemes) == len(set(schemes)) == 21


@pytest.mark.parametrize(("size", "told"), [("64x48", True), ("48x64", False), ("64x64", False)])
def test_a_street_higher_than_wide_is_told(caplog, size, told):
    with open_video(f"test://street?size={size}&frames=1&seed=41"):
        pass
    line = "64x48 is 64 rows and 48 columns; where 64 wide and 48 high is meant, type 48x64"
    assert (line in caplog.text) is told is bool(caplog.records)
