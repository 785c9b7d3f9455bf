"""The overlay video, read back."""

import gc
import resource
import signal
import threading
import weakref
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest
from support.clips.results import SIZE, decoded, opened, result_at, start_writer

from edge_arseg.errors import SinkError
from edge_arseg.spec.frame import Branch
from edge_arseg.spec.geometry.placement import placement_of
from edge_arseg.video.overlay.style import PLAIN
from edge_arseg.video.sinks.encoding_thread import EncodingThread
from edge_arseg.video.sinks.movies import encoder
from edge_arseg.video.sinks.movies.result_copy import ResultCopy


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.m4v", "A.MP4"])
def test_movie_shows_the_overlay(tmp_path, name):
    path = tmp_path / "new" / "folder" / name
    with opened(path, style=replace(PLAIN, alpha=0.0)) as sink:
        for index in range(20):
            sink.write(result_at(index))
    frames = decoded(path)
    assert len(frames) == 20
    for index, frame in enumerate(frames):
        shown = frame.to_ndarray(format="rgb24")[8:-8, 8:-8].astype(float)
        wanted = result_at(index).frame.rgb[8:-8, 8:-8]
        assert np.abs(shown - wanted).mean() < 8


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.avi"])
def test_a_player_is_told_the_shape_of_the_pixels(tmp_path, name):
    """An overlay of an anamorphic recording was shown too narrow."""
    pixel = Fraction(16, 11)
    with opened(tmp_path / name) as sink:
        for index in range(3):
            result = result_at(index)
            placement = placement_of(SIZE, SIZE, pixel=pixel)
            sink.write(replace(result, frame=replace(result.frame, placement=placement)))
    with av.open(str(tmp_path / name)) as file:
        assert file.streams.video[0].sample_aspect_ratio == pixel


def test_a_gif_shows_the_overlay_and_its_times_in_hundredths(tmp_path):
    with opened(tmp_path / "a.gif", style=replace(PLAIN, alpha=0.0)) as sink:
        for index in range(6):
            sink.write(result_at(index))
    frames = decoded(tmp_path / "a.gif")
    assert [frame.time for frame in frames] == [0.0, 0.07, 0.13, 0.2, 0.27, 0.33]
    for index, frame in enumerate(frames):
        shown = frame.to_ndarray(format="rgb24").astype(float)
        assert np.abs(shown - result_at(index).frame.rgb).mean() < 3


def test_a_gif_leaves_out_pictures_that_browsers_would_slow_down(tmp_path):
    with opened(tmp_path / "a.gif", rate=100.0) as sink:
        for index in range(7):
            sink.write(result_at(index, time_s=5 + index / 100))
    assert [frame.time for frame in decoded(tmp_path / "a.gif")] == [0.0, 0.02, 0.04, 0.06]


def test_movie_says_which_colours_it_holds(tmp_path):
    with opened(tmp_path / "a.mp4", style=replace(PLAIN, alpha=1.0, palette="dataset")) as sink:
        for index in range(3):
            result = result_at(index, branch=Branch.LR)
            result.class_map[...] = 3
            sink.write(result)
    frame = decoded(tmp_path / "a.mp4")[-1]
    assert frame.format.name == "yuv420p"
    assert frame.colorspace == 5  # BT.601
    assert np.abs(frame.to_ndarray(format="rgb24").reshape(-1, 3).mean(0) - (128, 64, 128)).max() < 4


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_uneven_frame_times_are_kept(tmp_path, suffix):
    times = [7.0, 7.04, 7.1, 7.1333333, 7.5, 7.51]
    with opened(tmp_path / f"a{suffix}") as sink:
        for index, time_s in enumerate(times):
            sink.write(result_at(index, time_s=time_s))
    tick = 1 / 60000 if suffix == ".mp4" else 1 / 1000
    found = [frame.time for frame in decoded(tmp_path / f"a{suffix}")]
    assert found == pytest.approx([time_s - 7.0 for time_s in times], abs=tick)


@pytest.mark.parametrize(
    ("suffix", "gap_s"), [(".mp4", 9 * 3600), (".mov", 9 * 3600), (".avi", 2400), (".mkv", 86400), (".webm", 86400)]
)
def test_after_an_outage_of_a_day_times_continue(tmp_path, suffix, gap_s):
    """Not every container can say it; there it is as long as can be."""
    with opened(tmp_path / f"a{suffix}", rate=25.0) as sink:
        for index, time_s in enumerate([0.0, 0.04, 86400.04, 86400.08]):
            sink.write(result_at(index, time_s=time_s))
    found = [frame.time for frame in decoded(tmp_path / f"a{suffix}")]
    steps = sorted(np.diff(found))  # FFmpeg reads H.264 in AVI one picture late
    assert steps == pytest.approx([0.04, 0.04, gap_s], abs=0.001)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_picture_every_two_hours_keeps_its_time(tmp_path, suffix):
    with opened(tmp_path / f"a{suffix}", rate=1 / 7200) as sink:
        for index in range(3):
            sink.write(result_at(index, time_s=7200.0 * index))
    assert [frame.time for frame in decoded(tmp_path / f"a{suffix}")] == pytest.approx(
        [0.0, 7200.0, 14400.0], abs=0.001
    )


def test_times_that_do_not_grow_are_moved_on(tmp_path):
    with opened(tmp_path / "a.mp4") as sink:
        for index, time_s in enumerate([1.0, 1.0, 0.5, 1.2]):
            sink.write(result_at(index, time_s=time_s))
    found = [frame.pts for frame in decoded(tmp_path / "a.mp4")]
    assert len(found) == 4
    assert sorted(set(found)) == found


@pytest.mark.parametrize("size", [(47, 63), (48, 63), (47, 64)])
def test_a_movie_of_odd_size_gets_an_even_one(tmp_path, size):
    with opened(tmp_path / "a.mp4", size=size) as sink:
        sink.write(result_at(size=size))
    assert (decoded(tmp_path / "a.mp4")[0].height, decoded(tmp_path / "a.mp4")[0].width) == (48, 64)


def test_without_h264_it_is_mpeg4(tmp_path, monkeypatch):
    monkeypatch.setattr(encoder, "first_codec", lambda *names: names[-1])
    with opened(tmp_path / "a.mp4") as sink:
        for index in range(4):
            sink.write(result_at(index))
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "mpeg4"
        assert sum(1 for _ in container.decode(video=0)) == 4


def test_first_codec_is_the_first_that_exists():
    assert encoder.first_codec("nosuch", "mpeg4", "png") == "mpeg4"
    assert encoder.first_codec("nosuch", "neither") == "neither"


def test_an_existing_file_is_replaced_only_with_force_and_with_the_first_frame(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"x" * 100_000)
    with pytest.raises(SinkError, match=r"a\.mp4: it exists already; type --force to replace it"):
        opened(path)
    with opened(path, force=True) as sink:
        assert path.read_bytes() == b"x" * 100_000
        sink.write(result_at())
        assert path.stat().st_size < 100_000
    assert len(decoded(path)) == 1
    assert [child.name for child in tmp_path.iterdir()] == ["a.mp4"]


def test_no_frame_at_all_is_no_error(tmp_path):
    with opened(tmp_path / "new/a.mp4"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_picture_of_another_size_is_fitted_into_the_first(tmp_path):
    with opened(tmp_path / "a.mp4", style=replace(PLAIN, alpha=0.0)) as sink:
        sink.write(result_at(0))
        sink.write(result_at(1, size=(24, 64)))
    first, second = (frame.to_ndarray(format="rgb24") for frame in decoded(tmp_path / "a.mp4"))
    assert first.shape == second.shape == (48, 64, 3)
    assert second[2:8].mean() < 8  # a bar
    assert second[16:32, 8:-8].mean() > 30


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_an_interrupted_movie_can_be_played(tmp_path, suffix, number, status):
    path = tmp_path / f"a{suffix}"
    with start_writer(path) as process:
        process.stdout.readline()  # 46 frames are written
        process.send_signal(number)
        last = process.communicate(timeout=20)[0].split()
    assert process.returncode == status
    written = int(last[-1]) + 1 if last else 46
    frames = decoded(path)
    if number == signal.SIGINT:
        assert len(frames) >= written
    else:
        assert len(frames) >= 40  # at most one second, 10 frames, is lost
    assert [round(frame.time * 10) for frame in frames] == list(range(len(frames)))


def test_a_full_disk_is_told_and_what_was_written_can_be_played(tmp_path):

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

    with start_writer(tmp_path / "a.mp4", "400", "fast", preexec_fn=small_files) as process:
        error = process.communicate(timeout=30)[1]
    assert process.returncode == 4
    assert error.startswith("SinkError cannot write")
    assert "may not grow further" in error
    assert "Traceback" not in error
    assert len(_decoded_while_it_lasts(tmp_path / "a.mp4")) >= 10


def _decoded_while_it_lasts(path):
    frames = []
    with av.open(str(path)) as container:
        try:
            for frame in container.decode(video=0):
                frames.append(frame)
        except av.error.InvalidDataError:
            return frames
    return frames


def test_encoding_holds_the_caller_only_where_it_falls_behind():
    """Every result is encoded in order, by another thread, and none is overwritten before."""
    seen, gate = [], threading.Event()

    def encode(copy):
        gate.wait(10)
        seen.append((int(copy.result.class_map[0, 0]), copy.result.frame.index, threading.current_thread().name))

    thread, result = EncodingThread(ResultCopy, encode), result_at()
    for index in range(20):
        result.class_map[...] = index
        copy = thread.room()  # the fourth waits for the first
        copy.take(replace(result, frame=replace(result.frame, index=index)))
        thread.write(copy)
        if index == 2:
            assert not seen  # three results were taken while the first one waits
            threading.Timer(0.1, gate.set).start()
    thread.stop()
    thread.stop()
    assert seen == [(index, index, "encoder") for index in range(20)]


def test_an_error_of_the_encoder_is_raised_where_the_results_come_from():
    def encode(copy):
        raise OSError(28, "No space left on device")

    thread = EncodingThread(ResultCopy, encode)
    thread.write(thread.room())
    with pytest.raises(OSError, match="No space left"):
        thread.wait()
    for _ in range(5):  # nothing waits for a thread that has given up
        thread.write(thread.room())
    thread.stop()


def test_room_that_could_not_be_made_or_handed_over_is_not_waited_for(monkeypatch):
    seen, tight = [], iter([True] * 3)

    def new_room():
        if next(tight, False):
            raise MemoryError
        return object()

    thread = EncodingThread(new_room, seen.append)
    for _ in range(3):
        with pytest.raises(MemoryError):
            thread.room()
    begin = thread._thread.start
    monkeypatch.setattr(thread._thread, "start", lambda: (_ for _ in ()).throw(RuntimeError("can't start new thread")))
    for _ in range(4):
        assert not thread.full
        with pytest.raises(RuntimeError, match="new thread"):
            thread.write(thread.room())
    monkeypatch.setattr(thread._thread, "start", begin)
    thread.write(thread.room())
    assert thread.stop()
    assert len(seen) == 1


@pytest.mark.parametrize("name", ["a.mp4", "masks://masks"])
def test_a_closed_sink_is_freed_at_once_with_its_copies(tmp_path, monkeypatch, name):
    """An archive opens thousands; what waits for the collector adds up to megabytes."""
    monkeypatch.chdir(tmp_path)
    gc.collect()
    gc.disable()
    try:
        with opened(name) as sink:
            for index in range(4):
                sink.write(result_at(index))
        left = weakref.ref(sink)
        del sink
        assert left() is None
    finally:
        gc.enable()


def test_a_copy_keeps_what_the_next_frame_overwrites():
    result, copy = result_at(5), ResultCopy()
    copy.take(result)
    wanted = [array.copy() for array in (result.frame.rgb, result.class_map, result.motion.flow)]
    result.frame.rgb.flags.writeable = True
    for array in (result.frame.rgb, result.class_map, result.motion.flow):
        array[...] = 77
    kept = copy.result
    for array, want in zip((kept.frame.rgb, kept.at_source(), kept.motion.flow), wanted, strict=True):
        np.testing.assert_array_equal(array, want)


def test_a_picture_that_no_encoder_takes_is_told_what_to_type(tmp_path):
    with pytest.raises(SinkError, match=r"pictures are 32816x64, .* at most 16384 .* type --output-size model"):
        opened(tmp_path / "a.mp4", size=(32816, 64))
    assert list(tmp_path.iterdir()) == []
