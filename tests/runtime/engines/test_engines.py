"""Which engines are opened at the same time."""

import threading

import pytest
from support.bundles.toy import ToyEngine, write_toy_bundle

from edge_arseg.errors import OptionError
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.engines.opening import BACKENDS, engine_class, engines_from_bundle
from edge_arseg.spec.manifest import Role

OPENED_IN: list[str] = []


class RecordedEngine(ToyEngine):
    def __init__(self, path, *, threads=None):
        OPENED_IN.append(threading.current_thread().name)
        super().__init__(path, threads=threads)


class TogetherEngine(RecordedEngine):
    opens_together = True


@pytest.mark.parametrize(("kind", "own_thread"), [("Recorded", False), ("Together", True)])
def test_engines_open_in_threads_only_where_the_backend_stands_it(kind, own_thread, tmp_path, monkeypatch):
    OPENED_IN.clear()
    monkeypatch.setitem(BACKENDS, "recorded", f"{__name__}:{kind}Engine")
    bundle = read_bundle(write_toy_bundle(tmp_path / "toy.arseg"))
    with engines_from_bundle(bundle, [Role.HR, Role.LR], backend="recorded") as engines:
        assert list(engines) == [Role.HR, Role.LR]
    assert len(OPENED_IN) == 2
    assert [name != threading.main_thread().name for name in OPENED_IN] == [own_thread] * 2


def test_the_cpu_backends_open_engines_together():
    """By OpenVINO's package for Python two threads that read types of models can wait for each other forever."""
    assert all(engine_class(name).opens_together for name in ("onnxruntime", "openvino", "openvino-bf16"))


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("nowhere_at_all:Mine", r"cannot import 'nowhere_at_all'; is it on PYTHONPATH\?"),
        (
            "support.bundles.toy:Missing",
            r"no engine 'Missing' .*; expected package\.module:Class",
        ),
        ("support.bundles.toy:moving_maps", "no engine 'moving_maps'"),
    ],
)
def test_an_engine_of_ones_own_that_is_not_there_is_refused(backend, message):
    with pytest.raises(OptionError, match=message):
        engine_class(backend)


def test_an_engine_of_ones_own_is_named_by_its_module():
    assert engine_class("support.bundles.toy:ToyEngine").__name__ == "ToyEngine"


@pytest.mark.parametrize("threads", [0, -1, 100000])
def test_threads_that_no_machine_bears_are_refused(threads):
    with pytest.raises(OptionError, match=f"{threads} threads seen, expected 1 to "):
        EngineOptions(threads=threads)
