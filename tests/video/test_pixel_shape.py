"""Recordings whose pixels are not square: DV, DVB, HDV."""

from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest
from support.clips.moving import moving

from edge_arseg.spec.geometry.placement import FitKind, placement_of
from edge_arseg.video import open_video
from edge_arseg.video.pixel_shape import PixelShape


def clip(path, ratio, count=4, codec="mpeg4"):
    """A clip of 64 rows and 96 columns, which moves by 3 columns a picture."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, 25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(ratio)
        for rgb in moving(count, height=64, width=96):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")))
        output.mux(stream.encode(None))
    return path


def placements(path, **options):
    with open_video(path, size=(64, 128), **options) as reader:
        return [frame.placement for frame in reader]


@pytest.mark.parametrize("ending", ["mkv", "mp4", "avi", "ts"])
@pytest.mark.parametrize(("ratio", "shown"), [("4/3", (64, 128)), ("10/11", (64, 87)), ("64/45", (60, 128))])
def test_the_network_sees_things_in_their_shape(tmp_path, caplog, ratio, shown, ending):
    path = clip(tmp_path / f"a.{ending}", ratio)
    for placement in placements(path, fit="letterbox"):
        assert (placement.height, placement.width) == shown
        assert placement.source == (64, 96)
    times, sizes = f"{float(Fraction(ratio)):.2f} times", f"--output-size 64x{round(96 * Fraction(ratio))}"
    (told,) = {record.getMessage() for record in caplog.records if "pixels" in record.getMessage()}
    assert times in told
    assert sizes in told


@pytest.mark.parametrize("ratio", ["1/1", "401/400", "1/50"])
def test_pixels_that_are_as_good_as_square_or_absurd_are_square(tmp_path, caplog, ratio):
    placement = placements(clip(tmp_path / "a.mkv", ratio), fit="letterbox")[0]
    assert (placement.height, placement.width) == (64, 96)
    assert not caplog.records


def test_what_is_stretched_has_no_shape_to_keep(tmp_path, caplog):
    placement = placements(clip(tmp_path / "a.mkv", "4/3"), fit="stretch")[0]
    assert (placement.height, placement.width) == (64, 128)
    assert not caplog.records


def test_motion_is_scaled_as_the_picture_is(tmp_path):
    with open_video(clip(tmp_path / "a.mkv", "4/3"), size=(128, 256), fit="letterbox", motion="recode") as reader:
        _, *frames = reader
    for frame in frames:
        assert np.median(frame.vectors["flow_x"]) == pytest.approx(-3 * 256 / 96, abs=1.0)


def test_pixels_that_change_on_the_way_begin_with_a_keyframe(tmp_path):
    """Television changes between 4:3 and 16:9, in pictures of one size."""
    square, wide = (clip(tmp_path / f"{n}.ts", ratio, 6, "libx264") for n, ratio in enumerate(("1/1", "4/3")))
    both = tmp_path / "both.ts"
    both.write_bytes(square.read_bytes() + wide.read_bytes())
    with open_video(both, size=(64, 128), fit="letterbox") as reader:
        frames = list(reader)
    assert [frame.placement.width for frame in frames] == [96] * 6 + [128] * 6
    assert [frame.index for frame in frames if frame.vectors is None] == [0, 6]


def test_what_the_container_says_counts_before_what_the_stream_says():
    shape = PixelShape(Fraction(4, 3))
    steps = ((None, True), (None, False), (Fraction(1), False), (Fraction(1), True), (Fraction(1), False))
    said = [shape.ratio(SimpleNamespace(sample_aspect_ratio=ratio), intra=intra) for ratio, intra in steps]
    assert said == [Fraction(4, 3)] * 3 + [1, 1]
    other = SimpleNamespace(sample_aspect_ratio=Fraction(1))
    assert PixelShape(Fraction(4, 3)).ratio(other, intra=True) == Fraction(4, 3)


def test_a_picture_on_its_side_has_pixels_on_their_side():
    lying = placement_of((320, 240), (360, 480), FitKind.LETTERBOX, Fraction(3, 4))
    assert (lying.height, lying.width) == (360, 202)
    assert placement_of((240, 320), (360, 480), FitKind.CROP, Fraction(4, 3)).width == 640
