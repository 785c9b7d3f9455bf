from pathlib import Path

import onnxruntime
import pytest

from edge_arseg.errors import BuildError, OptionError
from edge_arseg.runtime.engines.contract import Engine
from edge_arseg.runtime.engines.onnxruntime.engine import OnnxRuntimeEngine
from edge_arseg.runtime.engines.opening import engine_class
from edge_arseg.testing.engine import EngineTester


class TestOnnxRuntimeEngine(EngineTester):
    def open(self, path: Path) -> Engine:
        return OnnxRuntimeEngine(path, threads=1)


def test_an_unknown_backend_lists_the_known_ones():
    with pytest.raises(OptionError, match=r"known: .*onnxruntime"):
        engine_class("tensorflow")


def test_threads_do_not_spin_between_runs(sum_graph, monkeypatch):
    """They would take the cores from the kernels that come next."""
    opened = []
    session = onnxruntime.InferenceSession
    monkeypatch.setattr(
        onnxruntime, "InferenceSession", lambda *args, **options: opened.append(session(*args, **options)) or opened[-1]
    )
    with OnnxRuntimeEngine(sum_graph, threads=2):
        options = opened[0].get_session_options()
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert options.intra_op_num_threads == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\x08\x01\x12\x08", b"\x08\x0b\x12\x08"),  # float64
        (b"\x0a\x02\x08\x02", b"\x0a\x02\x12\x00"),  # the first side without a value
    ],
)
def test_a_type_or_shape_that_no_graph_of_ours_has_is_refused(sum_graph, tmp_path, old, new):
    content = sum_graph.read_bytes()
    assert old in content
    (tmp_path / "a.onnx").write_bytes(content.replace(old, new))
    with pytest.raises(BuildError, match="cannot load this graph"):
        OnnxRuntimeEngine(tmp_path / "a.onnx", threads=1)
