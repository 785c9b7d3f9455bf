"""Several streams over one set of weights."""

import gc
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from support.bundles.fake import write_fake_bundle

from edge_arseg.errors import BuildError, OptionError
from edge_arseg.motion.policies.adaptive import AdaptivePolicy
from edge_arseg.runtime.engines.opening import engine_class
from edge_arseg.runtime.fusion.contract import Fusion
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.frame import Branch

INT8 = "camvid-compact-int8"
STREETS = [f"test://street?size=360x480&frames=6&seed={seed}" for seed in (1, 2)]


def maps(segmenter, source):
    return [(result.branch, result.class_map.copy()) for result in segmenter.stream(source)]


def resident_mb():
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_streams_at_the_same_time_get_what_they_would_get_alone(backend):
    pytest.importorskip(backend)
    policy = AdaptivePolicy(4)
    with Segmenter(INT8, backend=backend, threads=1, policy=policy) as alone:
        expected = [maps(alone, street) for street in STREETS]
    with Segmenter(INT8, backend=backend, threads=1, policy=policy) as first:
        segmenters = [first, first.twin()]
        assert len({id(one.policy) for one in segmenters}) == 2  # a policy learns from its own stream
        with ThreadPoolExecutor(2) as pool:
            seen = list(pool.map(maps, segmenters, STREETS))
        for own, wanted in zip(seen, expected, strict=True):
            assert [branch for branch, _ in own] == [branch for branch, _ in wanted]
            assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(own, wanted, strict=True))
        assert not np.array_equal(seen[0][-1][1], seen[1][-1][1])
        first.close()
        assert np.array_equal(maps(segmenters[1], STREETS[1])[-1][1], expected[1][-1][1])
        segmenters[1].close()


def test_a_policy_that_cannot_be_copied_is_told_and_another_one_is_taken():
    class Watched:
        def __init__(self):
            self.lock = threading.Lock()

        def __call__(self, _):
            return Branch.LR

    with Segmenter(INT8, backend="onnxruntime", threads=1, policy=Watched()) as first:
        with pytest.raises(OptionError, match=r"cannot be copied for another stream .*twin\(policy=\.\.\.\)"):
            first.twin()
        with first.twin(policy=Watched()) as second:
            assert second.policy.lock is not first.policy.lock


@pytest.mark.timed
@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_stream_more_takes_no_weights(backend, tmp_path):
    """64 MB of weights: a second engine takes them again, three twins a fraction of them."""
    pytest.importorskip(backend)
    onnx = pytest.importorskip("onnx")
    weight = np.random.default_rng(0).standard_normal((4000, 4000)).astype(np.float32)
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])],
        "heavy",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 4000])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 4000])],
        [onnx.numpy_helper.from_array(weight, "w")],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, tmp_path / "heavy.onnx")
    ones = np.ones((1, 4000), np.float32)
    kind = engine_class(backend)
    with kind(tmp_path / "heavy.onnx", threads=1) as engine:
        wanted = engine.run({"x": ones})["y"].copy()
        before = resident_mb()
        twins = [engine.twin() for _ in range(3)]
        for twin in twins:
            assert np.array_equal(twin.run({"x": ones})["y"], wanted)
        grown = resident_mb() - before
        with kind(tmp_path / "heavy.onnx", threads=1) as other:
            other.run({"x": ones})
            again = resident_mb() - before - grown
    assert again > 50
    assert grown < 0.25 * again
    twins[0].run({"x": 2 * ones})
    assert np.array_equal(twins[1].run({"x": ones})["y"], wanted)  # each has outputs of its own
    with pytest.raises(BuildError, match="was closed"):
        engine.twin()


@pytest.mark.parametrize("mode", ["ar", "hr", "lr"])
@pytest.mark.parametrize("background", [False, True])
def test_every_mode_has_twins(mode, background, tmp_path):
    bundle = write_fake_bundle(tmp_path / "fake.arseg")
    with (
        Segmenter(bundle, mode=Mode(mode), backend="fake", fusion="graph", background=background) as first,
        first.twin() as twin,
    ):
        assert twin.pipeline is not first.pipeline
        assert twin.pipeline.label == first.pipeline.label
        assert len(maps(twin, "test://street?size=48x64&frames=3")) == 3


def test_what_cannot_be_shared_says_so(tmp_path, monkeypatch):
    bundle = write_fake_bundle(tmp_path / "fake.arseg")
    with Segmenter(bundle, backend="fake", fusion="graph") as segmenter:
        monkeypatch.setattr(type(segmenter.pipeline._fusion), "twin", Fusion.twin)
        with pytest.raises(OptionError, match="open one pipeline for each stream"):
            segmenter.twin()
