"""Engines come one behind the other while a file is opened, and all have run before a live source is."""

import threading

import numpy as np
import pytest
from support.bundles.toy import HEIGHT, WIDTH, ToyEngine, write_toy_bundle

from edge_arseg.errors import BuildError, BundleError, MemoryExhaustedError, SourceError
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.choice.engine_choice import unproved
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.engines.opening import BACKENDS, engines_in_order
from edge_arseg.runtime.run import run_to_sinks
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.tensor import TensorSpec

STREET = f"test://street?size={HEIGHT}x{WIDTH}&frames=6"
LR_MAY_COME = threading.Event()
EVENTS: list[str] = []


class ComingToy(ToyEngine):
    """The toy, opened in a thread; its LR engine comes when it may."""

    opens_together = True

    def __init__(self, path, *, threads=None):
        if path.stem == "lr" and not LR_MAY_COME.wait(30):
            raise AssertionError("nobody let the LR engine come")
        super().__init__(path, threads=threads)
        EVENTS.append(f"{self.role.value} opened")

    def _run(self, feeds):
        EVENTS.append(f"{self.role.value} ran")
        return super()._run(feeds)

    def close(self):
        EVENTS.append(f"{self.role.value} closed")


class FailingLr(ComingToy):
    def __init__(self, path, *, threads=None):
        if path.stem == "lr":
            raise MemoryExhaustedError("no memory for the LR engine")
        super().__init__(path, threads=threads)


class FailingHr(ComingToy):
    def __init__(self, path, *, threads=None):
        if path.stem == "hr":
            raise BuildError("the HR graph cannot be loaded")
        super().__init__(path, threads=threads)


class OtherShape(ComingToy):
    def __init__(self, path, *, threads=None):
        super().__init__(path, threads=threads)
        if path.stem == "lr":
            self.outputs["lr_feature"] = TensorSpec("float32", (1, 1, 1, 1))


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """What opens a segmenter of a toy bundle on engines of a class; the LR engine may come."""
    for kind in (ComingToy, FailingLr, FailingHr, OtherShape):
        monkeypatch.setitem(BACKENDS, kind.__name__, f"{__name__}:{kind.__name__}")
    bundle = read_bundle(write_toy_bundle(tmp_path / "toy.arseg"))
    EVENTS.clear()
    LR_MAY_COME.set()
    yield lambda kind, **more: Segmenter(unproved(bundle, EngineOptions("graph", kind.__name__)), **more)
    LR_MAY_COME.set()


@pytest.mark.parametrize("background", [False, True])
def test_the_first_result_of_a_file_is_there_before_the_lr_engine(toy, background):
    LR_MAY_COME.clear()
    with toy(ComingToy, background=background) as segmenter:
        results = segmenter.stream(STREET)
        assert next(results).branch == "hr"
        assert "lr opened" not in EVENTS
        assert EVENTS.count("hr ran") == 1  # no run was made for nothing
        LR_MAY_COME.set()
        assert len(list(results)) == 5
    assert sorted(set(EVENTS)) == sorted(
        [f"{role} {what}" for role in ("fuse", "hr", "lr") for what in ("closed", "opened", "ran")]
    )


def test_class_maps_are_those_of_engines_that_had_run(toy):
    def maps(warm):
        with toy(ComingToy) as segmenter:
            if warm:
                _ = segmenter.pipeline
            return [result.class_map.copy() for result in segmenter.stream(STREET)]

    assert np.array_equal(maps(warm=False), maps(warm=True))


def test_a_closed_segmenter_has_closed_the_engine_that_was_still_coming(toy):
    LR_MAY_COME.clear()
    with toy(ComingToy):
        threading.Timer(0.2, LR_MAY_COME.set).start()
    assert "lr opened" in EVENTS
    assert EVENTS.count("lr closed") == 1


@pytest.mark.parametrize(
    ("kind", "error", "message", "results"),
    [
        (FailingHr, BuildError, "the HR graph cannot be loaded", 0),
        (FailingLr, MemoryExhaustedError, "no memory for the LR engine", 1),
        (OtherShape, BundleError, "the manifest says .*; export the bundle again", 1),
    ],
)
def test_an_engine_that_does_not_come_is_an_error_where_it_is_needed_and_closing_goes_on(
    toy, tmp_path, kind, error, message, results
):
    with toy(kind) as segmenter:
        seen = []
        with pytest.raises(error, match=message):
            seen.extend(result.branch for result in segmenter.stream(STREET))
        with pytest.raises(error, match=message):
            _ = segmenter.pipeline
        masks = tmp_path / "masks"
        with pytest.raises(error, match=message):
            run_to_sinks(segmenter, STREET, [f"masks://{masks}"])
        assert len(list(masks.glob("*.png"))) == results
    opened = [event.split()[0] for event in EVENTS if event.endswith("opened")]
    if kind is not OtherShape:
        assert sorted(event.split()[0] for event in EVENTS if event.endswith("closed")) == sorted(opened)
    else:
        assert EVENTS.count("lr closed") == 1


def test_a_live_source_is_opened_only_when_all_engines_have_run(toy, monkeypatch):
    def opening(uri, **options):
        EVENTS.append(f"open {uri}")
        raise SourceError("enough")

    monkeypatch.setattr("edge_arseg.video.reader.open_video", opening)
    with toy(ComingToy) as segmenter:
        for uri in ("clip.mp4", "rtsp://127.0.0.1/none"):
            with pytest.raises(SourceError):
                segmenter.open(uri)
        assert EVENTS[-1] == "open rtsp://127.0.0.1/none"
        assert {"hr ran", "lr ran", "fuse ran"} <= set(EVENTS)
        ran = [event for event in EVENTS if event.endswith("ran")]
        assert len(ran) == 3
        assert EVENTS.index("open clip.mp4") < EVENTS.index("lr ran")


def test_what_goes_wrong_in_the_first_runs_is_raised_again_by_whoever_asks(toy, monkeypatch):
    def failing(segmenter):
        raise MemoryExhaustedError("no memory for the first run")

    monkeypatch.setattr(Segmenter, "_warm_up", failing)
    with toy(ComingToy) as segmenter:
        for _ in range(2):
            with pytest.raises(MemoryExhaustedError, match="no memory for the first run"):
                _ = segmenter.pipeline


def test_a_backend_whose_engines_stay_in_their_thread_has_them_open_at_once(tmp_path, monkeypatch):
    opened_in = []

    class Staying(ToyEngine):
        def __init__(self, path, *, threads=None):
            opened_in.append(threading.current_thread())
            super().__init__(path, threads=threads)

    monkeypatch.setattr(f"{__name__}.Staying", Staying, raising=False)
    monkeypatch.setitem(BACKENDS, "staying", f"{__name__}:Staying")
    bundle = read_bundle(write_toy_bundle(tmp_path / "toy.arseg"))
    with engines_in_order(bundle, [Role.HR, Role.LR], backend="staying"):
        assert opened_in == [threading.current_thread()] * 2
