"""Pictures of any shape through the reader, and class maps back to where they came from."""

import itertools

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.clips.moving import chainable, encode, moving

from edge_arseg.errors import OptionError, SourceError
from edge_arseg.motion import MotionChain
from edge_arseg.spec.frame import Branch, SegmentedFrame
from edge_arseg.spec.geometry.placement import FitKind
from edge_arseg.video import open_video
from edge_arseg.video.decoding.orientation import Orientation
from edge_arseg.video.decoding.picture import Picture
from edge_arseg.video.frames import FrameMaker
from edge_arseg.video.sinks.movies.canvas import Canvas

FITS = [kind.value for kind in FitKind]


class Pictures:
    """A source of pictures in memory."""

    rate, frame_count, unfit, made_by_x264 = 25.0, None, None, False


def level_map(pixels):
    """The class of each pixel, painted as a level of grey."""
    return np.rint(pixels[..., 0] / 50).astype(np.uint8)


def segmented(frame):
    return SegmentedFrame(frame, level_map(frame.rgb), Branch.HR, 0, 1.0)


def steady(class_map, reach):
    """Pixels with no other class within ``reach`` pixels."""
    padded = np.pad(class_map, reach, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * reach + 1, 2 * reach + 1))
    return windows.min((2, 3)) == windows.max((2, 3))


@settings(max_examples=60)
@given(
    st.tuples(st.integers(24, 130), st.integers(24, 130)),
    st.sampled_from(FitKind),
    st.integers(0, 3),
    st.booleans(),
    st.integers(0, 99),
)
def test_a_class_lands_where_it_came_from(stored, fit, turns, mirrored, seed):
    """Any size, shape and orientation: what is read off the frame is, enlarged, what is read off the picture."""
    coarse = np.random.default_rng(seed).integers(0, 6, (3, 4)) * 50
    height, width = stored
    painted = coarse[np.arange(height) * 3 // height][:, np.arange(width) * 4 // width].astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(np.repeat(painted[..., None], 3, 2), format="rgb24")
    picture = Picture(frame, 0.0, orientation=Orientation(turns, mirrored))
    maker = FrameMaker(
        "memory", Pictures(), picture, motion="zero", size=(48, 64), recode_scale=1.0, fit=fit, picture=True
    )
    delivered = maker.frame(maker.step(picture))
    result = segmented(delivered)
    upright = np.rot90(painted[:, ::-1] if mirrored else painted, turns)
    np.testing.assert_array_equal(delivered.picture[..., 0], upright)
    back, truth = result.at_source(), level_map(delivered.picture)
    assert back.shape == truth.shape == upright.shape == maker.output_size
    seen = back != 255
    # Scaling mixes neighbours over the width of a pixel of either picture.
    reach = 2 + max(upright.shape[0] // 24, upright.shape[1] // 32)
    asked = seen & steady(truth, reach)
    np.testing.assert_array_equal(back[asked], truth[asked])
    if fit is not FitKind.CROP:
        assert seen.all()
    else:
        assert seen.mean() == pytest.approx(result.frame.placement.seen, abs=0.05)


@pytest.mark.parametrize("motion", ["recode", "codec"])
@pytest.mark.parametrize("rotation", [None, 90])
@pytest.mark.parametrize("fit", FITS)
def test_vectors_lead_to_the_keyframe_in_every_fit(tmp_path, motion, rotation, fit):
    clip = chainable(tmp_path / "a.mp4", 6, rotation=rotation, crf=10)  # 4:3, or 3:4
    with open_video(clip, motion=motion, size=(108, 192), fit=fit) as reader:
        chain = MotionChain(reader.height, reader.width, block=2)
        frames = [(frame, *chain.follow(frame)) for frame in reader]
    key, (last, branch, field) = frames[0][0].rgb, frames[-1]
    assert branch is Branch.LR
    top, left, height, width = last.placement.shown
    inside = slice(top + 12, top + height - 12), slice(left + 12, left + width - 12)
    flow = np.repeat(np.repeat(field.flow, 2, 0), 2, 1)[: reader.height, : reader.width]
    y, x = np.mgrid[0 : reader.height, 0 : reader.width]
    rows = np.clip(np.rint(y + flow[..., 1]), 0, reader.height - 1).astype(int)
    columns = np.clip(np.rint(x + flow[..., 0]), 0, reader.width - 1).astype(int)
    error = [np.mean((picture[inside].astype(float) - last.rgb[inside]) ** 2) for picture in (key[rows, columns], key)]
    assert error[0] < error[1] / 3


@pytest.mark.parametrize("fit", FITS)
def test_bars_count_neither_as_moving_nor_as_a_scene_cut(tmp_path, fit):
    """Of a portrait picture in a landscape frame 58 % is bars: more than what makes a scene cut."""
    pictures = [*moving(4, height=256, width=144), *moving(2, height=256, width=144, seed=5)]
    clip = encode(tmp_path / "a.mp4", pictures, bf=0, refs=1, g=250, crf=10)
    with open_video(clip, motion="codec", size=(108, 144), fit=fit) as reader:
        chain = MotionChain(reader.height, reader.width)
        ratios = [chain.follow(frame)[1].intra_ratio for frame in reader]
    assert ratios[0] == 1.0
    assert max(ratios[1:4]) < 0.3
    assert ratios[4] > 0.6


@pytest.mark.parametrize("ahead", [None, 0, 1])
def test_pictures_are_made_only_where_they_are_asked_for(tmp_path, ahead):
    clip = encode(tmp_path / "a.mp4", moving(4))
    with open_video(clip, size=(36, 48), ahead=ahead) as reader:
        assert [frame.picture for frame in reader] == [None] * 4
    with open_video(clip, ahead=ahead, picture=True) as reader:
        assert all(frame.picture is frame.rgb for frame in reader)  # the source's own size: one conversion
    with open_video(clip, size=(36, 48), ahead=ahead, picture=True) as reader, open_video(clip) as plain:
        places = set()
        for frame, own in itertools.zip_longest(reader, plain):
            np.testing.assert_array_equal(frame.picture, own.rgb)
            assert frame.picture.flags.c_contiguous
            places.add(frame.picture.ctypes.data)
    if ahead is not None:
        assert len(places) <= ahead + 2


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(
    ("asked", "size"), [("source", (144, 192)), ("model", (54, 96)), ((40, 100), (40, 100)), ((54, 96), (54, 96))]
)
def test_results_have_the_size_that_is_asked_for(tmp_path, fit, asked, size):
    clip = encode(tmp_path / "a.mp4", moving(1))
    with open_video(clip, size=(54, 96), fit=fit, output_size=asked, picture=True) as reader:
        assert reader.output_size == size
        frame = next(reader)
    assert frame.picture.shape == (*size, 3)
    back = segmented(frame).at_source()
    assert back.shape == size
    unseen = (back == 255).any()
    assert unseen == (fit == ("letterbox" if asked == "model" else "crop"))
    if asked == "model":
        assert frame.picture is frame.rgb


def test_a_source_that_changes_its_size_gives_each_picture_in_its_own(tmp_path):
    small, large, both = (tmp_path / f"{name}.ts" for name in ("small", "large", "both"))
    encode(small, moving(8), bf=0, refs=1)
    encode(large, moving(8, height=180, width=320), bf=0, refs=1)
    both.write_bytes(small.read_bytes() + large.read_bytes())
    with open_video(both, size=(48, 64), fit="letterbox", picture=True, ahead=1) as reader:
        shapes, canvas = [], Canvas(reader.output_size)
        for frame in reader:
            result = segmented(frame)
            shapes.append(
                (frame.picture.shape[:2], result.at_source().shape, frame.placement.shown, frame.vectors is None)
            )
            drawn = canvas.filled(result)
            assert (drawn.frame.picture.shape[:2], drawn.at_source().shape) == ((144, 192), (144, 192))
    assert shapes[0] == ((144, 192), (144, 192), (0, 0, 48, 64), True)
    changed = next(i for i, shape in enumerate(shapes) if shape[0] == (180, 320))
    assert shapes[changed] == ((180, 320), (180, 320), (6, 0, 36, 64), True)
    assert shapes[changed + 1][3] is False
    # Between two black bars of no class, on the canvas of the first.
    assert (drawn.at_source()[[0, 17, 126, 143]] == 255).all()
    assert (drawn.at_source()[18:126] != 255).all()
    assert not drawn.frame.picture[:18].any()


def test_images_of_several_sizes_have_masks_of_their_own_sizes(tmp_path):
    for number, (height, width) in enumerate([(60, 80), (80, 60), (45, 80)]):
        encode(tmp_path / f"{number}.png", moving(1, height=height, width=width), "png", pix_fmt="rgb24")
    with open_video(f"images://{tmp_path}/*.png", size=(48, 64), fit="letterbox") as reader:
        assert [segmented(frame).at_source().shape for frame in reader] == [(60, 80), (80, 60), (45, 80)]


def test_what_cannot_be_fitted_is_refused_with_what_to_type(tmp_path):
    clip = encode(tmp_path / "a.mp4", moving(1, height=16, width=512))
    with pytest.raises(
        SourceError, match=r"16x512 .rows x columns. are too narrow to be cropped to 48x64; type --fit letterbox"
    ):
        open_video(clip, size=(48, 64), fit="crop")
    with pytest.raises(OptionError, match="fit 'zoom' seen, expected one of stretch, letterbox, crop"):
        open_video(clip, fit="zoom")
    with pytest.raises(OptionError, match="an output size of 'full' seen, expected source, model or"):
        open_video(clip, output_size="full")
    with pytest.raises(SourceError, match="cannot be enlarged to 300x600; expected at most 15 times"):
        open_video(clip, output_size=(300, 600))


@pytest.mark.parametrize(
    ("size", "told"),
    [
        ((192, 144), True),
        ((240, 160), True),
        ((144, 192), False),
        ((90, 160), False),
        ((160, 160), False),
        ((1000, 100), False),  # the other way round it would be no better
    ],
)
def test_an_output_size_across_the_pictures_is_told(tmp_path, caplog, size, told):
    clip = encode(tmp_path / "a.mp4", moving(1))
    with open_video(clip, size=(48, 64), output_size=size):
        pass
    lines = [record.getMessage() for record in caplog.records if "where" in record.getMessage()]
    rows, columns = size
    assert lines == (
        [
            f"{clip}: the output size {rows}x{columns} is {rows} rows and {columns} columns, and its pictures have "
            f"144 rows and 192 columns; where {rows} wide and {columns} high is meant, type {columns}x{rows}"
        ]
        if told
        else []
    )


def test_an_output_size_is_compared_with_the_picture_as_shown(tmp_path, caplog):
    """A phone's upright film is stored lying."""
    first = av.VideoFrame.from_ndarray(next(iter(moving(1))), format="rgb24")
    for turns in (1, 0):
        pictures = [Picture(first, 0.0, orientation=Orientation(turns))]
        FrameMaker(
            f"phone{turns}.mp4",
            Pictures(),
            pictures[0],
            motion="zero",
            size=(48, 64),
            recode_scale=1.0,
            output_size=(192, 144),
        )
    told = [record.getMessage() for record in caplog.records]
    assert [line.split(":")[0] for line in told] == ["phone0.mp4"]
