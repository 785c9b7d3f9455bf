from importlib.util import find_spec

import pytest
from sum_graph import write_sum_graph

collect_ignore_glob = [] if find_spec("numba") else ["test_fusion_*.py", "test_decode*.py"]


@pytest.fixture(scope="session")
def sum_graph(tmp_path_factory):
    return write_sum_graph(tmp_path_factory.mktemp("graphs") / "sum.onnx")
