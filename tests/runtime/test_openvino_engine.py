import sys
from pathlib import Path

import numpy as np
import pytest
from engine_tester import EngineTester

from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.runtime.engine import Engine
from edge_arseg.runtime.openvino_engine import Bf16OpenVinoEngine, OpenVinoEngine

openvino = pytest.importorskip("openvino")


class TestOpenVinoEngine(EngineTester):
    def open(self, path: Path) -> Engine:
        return OpenVinoEngine(path, threads=1)

    def test_a_read_only_frame_is_taken(self, engine, feeds):
        """Decoded frames may be views of memory that belongs to the decoder."""
        feeds["image"].flags.writeable = False
        assert np.array_equal(engine.run(feeds)["double"], feeds["image"] * 2)

    def test_inputs_and_outputs_are_not_copied(self, engine, feeds):
        made = engine.run(feeds)["double"]
        assert engine._request.get_tensor("double").data.ctypes.data == made.ctypes.data
        assert engine._request.get_tensor("image").data.ctypes.data == feeds["image"].ctypes.data


def test_threads_and_arithmetic_are_what_was_asked_for(sum_graph):
    with OpenVinoEngine(sum_graph, threads=1) as engine:
        model = engine._request.get_compiled_model()
        assert model.get_property("INFERENCE_NUM_THREADS") == 1
        assert model.get_property("INFERENCE_PRECISION_HINT").get_type_name() == "f32"


def test_bfloat16_is_never_taken_unasked(sum_graph):
    """OpenVINO's own default on a CPU that has it."""
    third = {"image": np.full((2, 3), 1 / 3, np.float32), "other": np.zeros((2, 3), np.float32)}
    with OpenVinoEngine(sum_graph, threads=1) as engine:
        assert np.all(engine.run(third)["total"] == np.float32(1 / 3))


def test_bfloat16_on_a_cpu_without_it_is_refused(sum_graph, monkeypatch):
    core = openvino.Core
    monkeypatch.setattr(core, "get_property", lambda *arguments: ["FP32", "INT8"])
    with pytest.raises(EnvironmentUnfitError, match=r"lists FP32, INT8\); take --backend openvino"):
        Bf16OpenVinoEngine(sum_graph)


@pytest.mark.skipif(
    "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"), reason="a CPU without bfloat16"
)
def test_bfloat16_where_the_cpu_has_it(sum_graph):
    with Bf16OpenVinoEngine(sum_graph, threads=1) as engine:
        model = engine._request.get_compiled_model()
        assert model.get_property("INFERENCE_PRECISION_HINT").get_type_name() == "bf16"
        assert engine.outputs["total"].dtype == "float32"


def test_without_openvino_it_says_what_to_install(sum_graph, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(EnvironmentUnfitError, match=r"pip install 'edge-arseg\[openvino\]'"):
        OpenVinoEngine(sum_graph)
