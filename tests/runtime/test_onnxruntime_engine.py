from pathlib import Path

import onnxruntime
import pytest
from engine_tester import EngineTester

from edge_arseg.errors import OptionError
from edge_arseg.runtime.engine import Engine
from edge_arseg.runtime.engines import open_engine
from edge_arseg.runtime.onnxruntime_engine import OnnxRuntimeEngine


class TestOnnxRuntimeEngine(EngineTester):
    def open(self, path: Path) -> Engine:
        return OnnxRuntimeEngine(path, threads=1)


def test_an_unknown_backend_lists_the_known_ones(sum_graph):
    with pytest.raises(OptionError, match=r"known: .*onnxruntime"):
        open_engine(sum_graph, backend="tensorflow")


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
