from pathlib import Path

import numpy as np
import pytest

from edge_arseg.errors import BuildError
from edge_arseg.runtime.engines.contract import Engine
from edge_arseg.runtime.engines.fake import FakeEngine, fill_bands, first_step
from edge_arseg.runtime.engines.graph_file import specs_from_graph_file
from edge_arseg.runtime.engines.opening import open_engine
from edge_arseg.testing.engine import EngineTester


class TestFakeEngine(EngineTester):
    def open(self, path: Path) -> Engine:
        return FakeEngine(path)

    def answers(self, feeds):
        output = np.zeros((2, 3), np.float32)
        fill_bands(output, first_step(feeds))
        return {"double": output, "total": output}


def test_bands_hold_all_steps():
    class_map = np.zeros((16, 5), np.uint8)
    fill_bands(class_map, 3)
    assert class_map[:, 0].tolist() == [3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 0, 0, 1, 1, 2, 2]
    assert (class_map == class_map[:, :1]).all()


def test_different_inputs_give_different_outputs():
    steps = {first_step({"image": np.full((3, 40, 50), value, np.uint8)}) for value in range(40)}
    assert steps == set(range(8))


@pytest.mark.parametrize("cut", [1, 20, 60, 100])
def test_a_cut_off_graph_is_refused(sum_graph, tmp_path, cut):
    path = tmp_path / "cut.onnx"
    path.write_bytes(sum_graph.read_bytes()[:cut])
    with pytest.raises(BuildError, match=r"cut\.onnx: not an ONNX graph"):
        open_engine(path, backend="fake")


def test_a_missing_graph_is_refused(tmp_path):
    with pytest.raises(BuildError, match=r"no\.onnx: cannot be read"):
        FakeEngine(tmp_path / "no.onnx")


def test_every_graph_of_a_bundle_says_what_the_manifest_says(own_bundle):
    from edge_arseg.runtime.bundles.reading import read_bundle

    bundle = read_bundle(own_bundle)
    for role, entry in bundle.manifest.graphs.items():
        assert specs_from_graph_file(bundle.graph_path(role)) == (entry.inputs, entry.outputs)


def test_a_tensor_without_a_type_is_refused(sum_graph, tmp_path):
    path = tmp_path / "a.onnx"
    path.write_bytes(sum_graph.read_bytes().replace(b"\x08\x01\x12\x08", b"\x18\x01\x12\x08"))
    with pytest.raises(BuildError, match="a tensor of type unknown"):
        specs_from_graph_file(path)
