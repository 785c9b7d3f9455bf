"""Arguments of another kind: whatever is given to a public function, what is raised says what was seen and expected."""

import inspect
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from support.bundles.toy import HEIGHT, WIDTH, write_toy_bundle

import edge_arseg as public
from edge_arseg import ArsegError, EngineOptions, Frame, KeyframePolicy, OptionError, Segmenter
from edge_arseg.arguments import is_number, path_from, sides_from
from edge_arseg.runtime.engines.opening import BACKENDS

STREET = f"test://street?size={HEIGHT}x{WIDTH}&frames=2"
WRONG = (0, -1, 2**70, 1.5, float("nan"), "", "x", b"x", [], [1], (1, 2, 3), {"a": 1}, object(), np.zeros(3))
ENGINES = EngineOptions(fusion="graph", backend="toy")
WORKING = {
    "open_video": {"uri": STREET},
    "Segmenter": {"bundle": "toy.arseg", "engines": ENGINES},
    "Segmenter.open": {"uri": STREET},
    "Segmenter.stream": {"uri": STREET},
    "Segmenter.segment": {"frames": []},
    "segment": {"frames": [], "pipeline": None},
    "open_pipeline": {"bundle": None, "engines": ENGINES},
    "run_to_sinks": {"bundle": None, "source": STREET, "sinks": ["null://"]},
    "read_bundle": {"path": "toy.arseg"},
    "verify_bundle": {"bundle": "toy.arseg", "backend": "toy"},
    "open_sink": {"uri": "a.mp4", "size": (32, 32), "rate": 5.0, "classes": None},
    "LiveOptions": {},
    "OverlayStyle": {},
    "KeyframePolicy": {},
    "AdaptivePolicy": {},
    "KeyAfterDrops": {"policy": KeyframePolicy()},
    "EngineOptions": {},
}
"""Public function to arguments with which it works; ``None`` stands for what comes of the toy bundle."""


@pytest.fixture
def opened(tmp_path, monkeypatch):
    monkeypatch.setitem(BACKENDS, "toy", "support.bundles.toy:ToyEngine")
    monkeypatch.chdir(tmp_path)
    write_toy_bundle(tmp_path / "toy.arseg")
    with Segmenter("toy.arseg", engines=ENGINES) as segmenter:
        yield segmenter


def call(function, arguments):
    answer = function(**arguments)
    if inspect.isgenerator(answer):
        list(answer)
    if hasattr(answer, "close") and not isinstance(answer, type):
        answer.close()


@pytest.mark.parametrize("name", WORKING)
def test_an_argument_of_another_kind_raises_an_error_of_ours(opened, name):
    """They raised TypeError, AttributeError, IndexError and ValueError of Python deep inside, of ``x.py:109``."""
    working = dict(WORKING[name])
    made = {"pipeline": opened.pipeline, "bundle": opened if name == "run_to_sinks" else opened.bundle}
    made["classes"] = opened.bundle.manifest.model.classes
    working |= {argument: made[argument] for argument, value in working.items() if value is None}
    function = getattr(opened, name.partition(".")[2]) if "." in name else getattr(public, name)
    call(function, working)
    for file in Path().glob("a.mp4"):
        file.unlink()
    arguments = inspect.signature(function).parameters.values()
    for argument in arguments:
        if argument.annotation in (bool, "bool"):
            continue
        for value in WRONG:
            with suppress(ArsegError):
                call(function, working | {argument.name: value})


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"time_s": None}, "frame 0: time_s None seen, expected seconds"),
        ({"damaged": 1.5}, "frame 0: damaged 1.5 seen, expected True or False"),
        ({"missed": None}, "frame 0: missed None seen, expected the vectors of each dropped frame, in a tuple"),
        ({"arrived_s": "now"}, "frame 0: arrived_s 'now' seen, expected seconds of time.monotonic"),
        ({"picture": [1]}, "frame 0: picture .1. seen, expected an array, or None"),
        ({"placement": 3}, f"frame 0: placement 3 seen, expected a Placement in {HEIGHT}x{WIDTH}, or None"),
        ({"vectors": [1]}, "vectors"),
    ],
)
def test_a_frame_that_says_what_it_cannot_is_refused(opened, wrong, told):
    frame = Frame(**{"index": 0, "time_s": 0.0, "rgb": np.zeros((HEIGHT, WIDTH, 3), np.uint8)} | wrong)
    with pytest.raises(OptionError, match=told):
        list(opened.segment([frame]))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"inputs": "drive.mp4"}, "inputs 'drive.mp4' seen, expected a list of paths"),
        ({"each": None}, "each None seen, expected a function of one argument"),
        ({"live": {"wait": True}}, r"live {'wait': True} seen, expected LiveOptions\(...\)"),
        ({"sinks": 3}, "sinks 3 seen, expected a list of names, paths and Sinks"),
        ({"mode": "hr"}, "mode seen for a Segmenter that is open"),
        ({"policy": KeyframePolicy(3), "background": True}, "policy, background seen for a Segmenter that is open"),
        ({"output_size": None}, "an output size of None seen, expected source, model or"),
    ],
)
def test_a_run_says_what_it_expects(opened, arguments, told):
    """``inputs="drive.mp4"`` kept files called d, r, i, v and e, and drive.mp4 was overwritten."""
    with pytest.raises(OptionError, match=told):
        public.run_to_sinks(opened, STREET, **{"sinks": ["null://"]} | arguments)


def test_a_sink_that_is_named_twice_is_refused(opened):
    """It got every result twice: a file of class ids had each frame twice."""
    with (
        public.open_sink("raw://ids", size=(HEIGHT, WIDTH), rate=5.0, classes=()) as sink,
        pytest.raises(OptionError, match="the same Sink twice"),
    ):
        public.run_to_sinks(opened, STREET, [sink, sink])


def test_a_path_may_be_text_or_a_path(opened, tmp_path):
    with public.open_sink(tmp_path / "a.mp4", size=[32, 32], rate=np.float32(5), classes=()):
        pass
    kept = tmp_path / "kept.mp4"
    kept.write_bytes(b"mine")
    with pytest.raises(public.SinkError, match=r"kept\.mp4"):
        public.run_to_sinks(opened, STREET, [kept], inputs=[str(kept)], force=True)
    assert kept.read_bytes() == b"mine"


def test_what_counts_as_a_number_a_size_and_a_path():
    assert is_number(np.float32(1))
    assert is_number(3, 0, 3, whole=True)
    assert not any(is_number(value) for value in (None, "1", float("nan"), 1j, np.zeros(3)))
    assert not is_number(1.0, whole=True)
    assert not any(is_number(value, whole=whole) for value in (True, False) for whole in (True, False))
    assert sides_from(np.array([20, 30]), 16) == sides_from([20, 30], 16) == (20, 30)
    assert all(sides_from(value, 16) is None for value in ("ab", (15, 30), (20.0, 30), (20,), 20, None))
    assert path_from("it", "a/b") == path_from("it", Path("a/b")) == Path("a/b")
    with pytest.raises(OptionError, match=r"it b'a' seen, expected a path, as text or as a pathlib.Path"):
        path_from("it", b"a")
