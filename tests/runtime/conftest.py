import pytest

from edge_arseg.testing.sum_graph import write_sum_graph


@pytest.fixture(scope="session")
def sum_graph(tmp_path_factory):
    return write_sum_graph(tmp_path_factory.mktemp("graphs") / "sum.onnx")
