"""From a source to sinks, from Python: the same loop as ``edge-arseg run`` and ``demo``."""

import json

import av
import numpy as np
import pytest
from support.bundles.fake import GOP, HEIGHT, WIDTH, write_fake_bundle

from edge_arseg.errors import OptionError, SinkError
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.engines.fake import FakeEngine
from edge_arseg.runtime.run import run_to_sinks
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.video.sinks import Sink

STREET = f"test://street?size={HEIGHT}x{WIDTH}&frames=10"
FAKE = EngineOptions(fusion="graph", backend="fake")


@pytest.fixture
def bundle(tmp_path):
    return write_fake_bundle(tmp_path / "fake.arseg")


class Kept(Sink):
    """A sink of one's own: keeps the masks."""

    def __init__(self, *, enough: int | None = None):
        super().__init__("kept")
        self.masks, self.enough, self.closed = [], enough, 0

    def _write(self, result):
        self.masks.append(result.class_map.copy())
        self.finished = len(self.masks) == self.enough

    def _close(self):
        self.closed += 1


def test_every_result_goes_to_every_sink(bundle, tmp_path):
    kept, told, seen = Kept(), [], []
    sinks = [tmp_path / "overlay.mp4", f"jsonl://{tmp_path}/frames.jsonl", kept]
    run = run_to_sinks(bundle, STREET, sinks, engines=FAKE, begun=told.append, each=lambda r: seen.append(r.distance))
    assert (run.frames, run.keyframes, run.label) == (10, 3, "ar, graph fusion, fake")
    assert run.fps == 10 / run.seconds
    (start,) = told
    assert (start.label, start.motion, start.frames) == (run.label, run.motion, 10)
    assert seen == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
    with av.open(str(tmp_path / "overlay.mp4")) as movie:
        assert sum(1 for _ in movie.decode(video=0)) == 10
    assert len((tmp_path / "frames.jsonl").read_text().splitlines()) == 10
    assert (len(kept.masks), kept.closed) == (10, 1)


def test_it_says_when_it_waits_for_its_source(bundle):
    told = []
    run_to_sinks(
        bundle,
        STREET.replace("frames=10", "frames=2"),
        [],
        engines=FAKE,
        waiting=told.append,
        each=lambda result: told.append(result.frame.index),
    )
    # opening, then for each frame, and once more for one that does not come
    assert told == [True, True, False, 0, True, False, 1, True, False]


def test_masks_are_those_of_a_segmenter(bundle):
    kept = Kept()
    run_to_sinks(bundle, STREET, [kept], engines=FAKE)
    with Segmenter(bundle, engines=FAKE) as segmenter:
        expected = [result.class_map.copy() for result in segmenter.stream(STREET)]
    assert np.array_equal(np.stack(kept.masks), np.stack(expected))


@pytest.mark.parametrize(
    ("sinks", "limit", "frames"),
    [
        ([], None, 10),
        ([], 1, 1),
        ([Kept(enough=3)], None, 3),
        ([Kept(enough=3), Kept(enough=5)], None, 5),
        ([Kept(enough=3), Kept()], None, 10),
        ([Kept(enough=9)], GOP, GOP),
    ],
)
def test_it_ends_with_the_source_at_the_limit_or_where_nobody_reads(bundle, sinks, limit, frames):
    assert run_to_sinks(bundle, STREET, sinks, engines=FAKE, limit=limit).frames == frames
    assert [sink.closed for sink in sinks] == [1] * len(sinks)


@pytest.mark.parametrize("limit", [0, -1, 1.5, "3"])
def test_a_limit_that_is_none_is_refused(bundle, limit):
    """The run went on to the end of its source."""
    kept = Kept()
    with pytest.raises(OptionError, match=f"a limit of {limit!r} frames seen, expected a whole number from 1"):
        run_to_sinks(bundle, STREET, [kept], engines=FAKE, limit=limit)
    assert (kept.masks, kept.closed) == ([], 1)


@pytest.mark.parametrize(
    ("sinks", "told"),
    [
        ("overlay.mp4", r"sinks 'overlay.mp4' seen, expected a list of them: \['overlay.mp4'\]"),
        (None, r"sinks None seen, expected a list of them: \[\]"),
        ([None], "sink None seen, expected a name such as 'overlay.mp4', a path, or a Sink"),
        ([b"overlay.mp4"], "sink b'overlay.mp4' seen"),
    ],
)
def test_what_is_no_list_of_sinks_is_refused(bundle, sinks, told):
    with pytest.raises(OptionError, match=told):
        run_to_sinks(bundle, STREET, sinks, engines=FAKE)


def test_sinks_of_ones_own_are_closed_where_another_is_none_and_may_come_from_an_iterator(bundle):
    kept = Kept()
    with pytest.raises(OptionError, match="sink 5 seen"):
        run_to_sinks(bundle, STREET, [kept, 5], engines=FAKE)
    assert kept.closed == 1
    kept = Kept()
    run_to_sinks(bundle, STREET, iter([kept, "null://"]), engines=FAKE, limit=2)
    assert (len(kept.masks), kept.closed) == (2, 1)


def test_results_that_are_there_are_refused_before_an_engine_opens(bundle, tmp_path, monkeypatch):
    def opened(*_, **__):
        raise AssertionError("an engine was opened")

    (tmp_path / "a.jsonl").write_text("mine")
    with monkeypatch.context() as patch:
        patch.setattr(FakeEngine, "from_bundle", opened)
        with pytest.raises(SinkError, match="exists already"):
            run_to_sinks(bundle, STREET, [f"jsonl://{tmp_path}/a.jsonl"], engines=FAKE)
    assert (tmp_path / "a.jsonl").read_text() == "mine"
    run_to_sinks(bundle, STREET, [f"jsonl://{tmp_path}/a.jsonl"], engines=FAKE, limit=2, force=True)
    assert [json.loads(line)["distance"] for line in (tmp_path / "a.jsonl").read_text().splitlines()] == [0, 1]


def test_engines_and_sinks_are_closed_where_a_sink_fails(bundle, tmp_path, monkeypatch):
    closed = []
    close = FakeEngine.close
    monkeypatch.setattr(FakeEngine, "close", lambda engine: (closed.append(engine.name), close(engine))[1])

    class Full(Kept):
        def _write(self, result):
            if result.distance == 2:
                raise OSError(28, "No space left on device")

    kept = Kept()
    with pytest.raises(SinkError, match="the disk is full"):
        run_to_sinks(bundle, STREET, [kept, Full(), f"jsonl://{tmp_path}/a.jsonl"], engines=FAKE)
    assert (len(kept.masks), kept.closed) == (3, 1)
    assert set(closed) == {"hr", "lr", "fuse"}
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 2
