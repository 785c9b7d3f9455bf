"""Long videos in pieces: the joined results are those of the uncut run."""

import json
from pathlib import Path

import av
import numpy as np
import pytest
from support.clips.moving import encode, moving

from edge_arseg.archive.outcome import Outcome
from edge_arseg.archive.segmenting import Video
from edge_arseg.video.pieces.cuts import spans_from_packets, spans_of
from edge_arseg.video.pieces.span import Span
from edge_arseg.video.reader import open_video
from edge_arseg.video.uri import source_from_uri

COUNT, GOP_OF_CODEC, RATE = 75, 15, 25
OWN = {"g": GOP_OF_CODEC, "bf": 0, "refs": 1, "preset": "veryfast", "sc_threshold": 0}
OPEN_GOP = {"g": GOP_OF_CODEC, "bf": 2, "refs": 3, "sc_threshold": 0, "x264_params": "open-gop=1"}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """A clip whose own vectors can be used, and one with B-frames and open groups of pictures; 3 s each."""
    folder = tmp_path_factory.mktemp("clips")
    encode(folder / "own.mp4", moving(COUNT, step=(1, 1)), rate=RATE, **OWN)
    encode(folder / "open.mkv", moving(COUNT, step=(1, 1)), rate=RATE, **OPEN_GOP)
    encode(folder / "mpeg2.ts", moving(COUNT, step=(1, 1)), "mpeg2video", rate=RATE, g=GOP_OF_CODEC, bf=2)
    return folder


def same_vectors(one, other):
    return (one is None and other is None) or (one is not None and other is not None and np.array_equal(one, other))


@pytest.mark.parametrize(
    ("name", "motion"), [("own.mp4", "codec"), ("own.mp4", "recode"), ("open.mkv", "recode"), ("mpeg2.ts", "recode")]
)
def test_frames_of_pieces_are_those_of_the_whole(clips, name, motion):
    """Pictures, times, numbers and vectors; recoded ones too, where recoding begins anew at intra frames."""
    spans = spans_of(source_from_uri(clips / name), 1.0)
    assert [(span.index, span.frames) for span in spans] == [(0, 30), (30, 30), (60, 15)]
    options = {"motion": motion, "size": (96, 128), "anew_at_intra": True}
    whole = list(open_video(clips / name, **options))
    pieces = [frame for span in spans for frame in open_video(clips / name, span=span, **options)]
    assert len(whole) == COUNT
    assert [(f.index, f.time_s, f.intra, f.damaged) for f in pieces] == [
        (f.index, f.time_s, f.intra, f.damaged) for f in whole
    ]
    assert all(np.array_equal(one.rgb, other.rgb) for one, other in zip(whole, pieces, strict=True))
    assert all(same_vectors(one.vectors, other.vectors) for one, other in zip(whole, pieces, strict=True))


def test_recoding_that_does_not_begin_anew_differs_behind_a_seam(clips):
    """Why it has to: an encoder remembers."""
    source = clips / "open.mkv"
    spans = spans_of(source_from_uri(source), 1.0)
    whole = list(open_video(source, motion="recode"))[30:]
    piece = [frame for span in spans[1:] for frame in open_video(source, motion="recode", span=span)]
    assert not all(same_vectors(one.vectors, other.vectors) for one, other in zip(whole, piece, strict=True))


def lines_in(path):
    """JSON lines without what a clock says."""
    rows = [json.loads(line) for line in Path(path).read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "latency_ms"} for row in rows]


def times_of(movie):
    with av.open(str(movie)) as container:
        return [float(frame.time) for frame in container.decode(video=0)]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("own.mp4", ()),  # an intra frame has no vectors, which is a scene cut
        ("own.mp4", ("--follow-codec", "--motion", "recode")),
        ("open.mkv", ("--follow-codec",)),
    ],
)
def test_joined_results_are_those_of_the_uncut_run(run, clips, tmp_path, monkeypatch, name, options):
    monkeypatch.chdir(tmp_path)
    sinks = ("masks://{}/masks", "jsonl://{}/lines.jsonl", "raw://{}/ids.raw", "{}/ids.npz", "{}/overlay.mp4")
    assert run(clips / name, *(sink.format("whole") for sink in sinks), *options).code == 0
    answer = run(clips / name, *(sink.format("joined") for sink in sinks), *options, "--piece-length", 1)
    assert answer.code == 0, answer.err
    assert "in one piece" not in answer.err
    assert lines_in("joined/lines.jsonl") == lines_in("whole/lines.jsonl")
    assert Path("joined/ids.raw").read_bytes() == Path("whole/ids.raw").read_bytes()
    masks = sorted(path.name for path in Path("whole/masks").iterdir())
    assert len(masks) == COUNT
    assert sorted(path.name for path in Path("joined/masks").iterdir()) == masks
    assert all(Path("joined/masks", mask).read_bytes() == Path("whole/masks", mask).read_bytes() for mask in masks)
    with np.load("joined/ids.npz") as joined, np.load("whole/ids.npz") as whole:
        assert set(joined.files) == set(whole.files)
        assert all(np.array_equal(joined[key], whole[key]) for key in whole.files)
    assert times_of("joined/overlay.mp4") == pytest.approx(times_of("whole/overlay.mp4"), abs=1e-4)
    assert sorted(path.name for path in Path("joined").iterdir()) == [
        *(".edge-arseg", "ids.npz", "ids.raw", "lines.jsonl", "masks", "overlay.mp4"),
    ]


def test_a_video_that_changes_its_size_is_not_cut_for_results_of_one_size(run, tmp_path, monkeypatch):
    """Pieces of two sizes were joined to class ids that nobody could take apart, and to a video of two sizes."""
    monkeypatch.chdir(tmp_path)
    encode(tmp_path / "a.ts", moving(60), rate=RATE, **OWN)  # it ends where the third piece begins
    times = [2400 + 40 * index for index in range(50)]
    encode(tmp_path / "b.ts", moving(50, height=96, width=128), rate=RATE, times=times, **OWN)
    Path("two.ts").write_bytes(Path("a.ts").read_bytes() + Path("b.ts").read_bytes())
    answer = run("two.ts", "raw://joined/ids.raw", "--piece-length", 1)
    assert answer.code == 4
    assert "the source's size changed to 96x128 in frame 60" in answer.err
    assert run("two.ts", "joined/overlay.mp4", "--piece-length", 1).code == 0
    with av.open("joined/overlay.mp4") as container:
        assert [(frame.height, frame.width) for frame in container.decode(video=0)] == [(144, 192)] * 110
    performed = []
    monkeypatch.setattr(Video, "perform", lambda video, place: performed.append(video.span) or Outcome("", error="no"))
    assert run("two.ts", "masks://joined/masks", "--piece-length", 1).code == 4
    assert len([span for span in performed if span is not None]) > 1


def test_pieces_that_are_whole_are_not_segmented_again(run, clips, tmp_path, monkeypatch):
    """A command ends in its third piece; the next one has only that to do."""
    monkeypatch.chdir(tmp_path)
    perform, performed = Video.perform, []

    def ends(video, place):
        performed.append(video.span.index)
        if len(performed) == 3:
            raise KeyboardInterrupt
        return perform(video, place)

    monkeypatch.setattr(Video, "perform", ends)
    arguments = (clips / "own.mp4", "jsonl://out/{stem}.jsonl", "--piece-length", 1, "--summary", "s.jsonl")
    assert run(*arguments).code == 130
    assert not Path("out/own.jsonl").exists()
    assert run(*arguments, "--resume").code == 0
    assert performed == [0, 30, 60, 60]
    assert [row["index"] for row in lines_in("out/own.jsonl")] == list(range(COUNT))
    assert lines_in("s.jsonl")[0]["frames"] == COUNT
    assert lines_in("s.jsonl")[0]["video_s"] == pytest.approx((COUNT - 1) / RATE)


def test_a_video_with_damage_is_segmented_in_one_piece(run, clips, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = bytearray((clips / "own.mp4").read_bytes())
    with av.open(str(clips / "own.mp4")) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][20]
        at, size = packet.pos, packet.size
    data[at + 4 : at + size] = bytes(size - 4)
    Path("damaged.mp4").write_bytes(data)
    assert run("damaged.mp4", "jsonl://whole.jsonl").code == 0
    answer = run("damaged.mp4", "jsonl://joined.jsonl", "--piece-length", 1)
    assert (answer.code, "damaged.mp4 is segmented again in one piece: " in answer.err) == (0, True), answer.err
    assert lines_in("joined.jsonl") == lines_in("whole.jsonl")


def test_a_gif_cannot_be_joined_and_nothing_is_begun(run, clips, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = run(clips / "own.mp4", "a.gif", "--piece-length", 1)
    assert (answer.code, "a.gif: what pieces of a video give cannot be joined to it" in answer.err) == (4, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("packets", "indices"),
    [
        ([(0, True), (10, False), (20, True), (30, False), (40, True)], [0, 2, 4]),
        ([(0, True), (20, True), (10, False), (40, True), (30, False)], [0, 2, 4]),  # a B-frame before its seam
        ([(0, True), (10, False), (None, True)], [0]),  # a time is missing
        ([(0, True), (20, True), (20, True), (40, True)], [0]),  # two frames at one time
        ([(0, True), (20, True), (9000, True)], [0]),  # a leap
        ([(0, True), (10, True), (30, True)], [0, 2]),  # the second is too near
    ],
)
def test_a_stream_is_cut_only_where_frames_keep_their_times(packets, indices):
    spans = spans_from_packets([(time, key, True) for time, key in packets], 0.01, 0.2)
    assert [span.index for span in spans] == indices


def test_frames_that_an_edit_list_hides_are_not_counted():
    packets = [(-20, True, False), (-10, False, False), (0, True, True), (10, False, True), (20, True, True)]
    assert spans_from_packets(packets, 0.01, 0.2) == (Span(None, 20, 0, 2), Span(20, None, 2, 1))
