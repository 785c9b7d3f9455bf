from pathlib import Path

import numpy as np
from support.bundles.fake import write_fake_bundle

from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.engines.contract import Engine
from edge_arseg.runtime.engines.fake import FakeEngine, fill_bands, first_step
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.tensor import TensorSpec
from edge_arseg.testing.engine import EngineTester

SPEC = TensorSpec("float32", (2, 3))


class TestFakeEngine(EngineTester):
    test_junk_is_refused = None  # it reads no file

    def open(self, path: Path) -> Engine:
        return FakeEngine(path.stem, {"image": SPEC, "other": SPEC}, {"double": SPEC, "total": SPEC})

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


def test_it_takes_and_makes_what_the_manifest_says(tmp_path):
    bundle = read_bundle(write_fake_bundle(tmp_path / "fake.arseg"))
    for role in Role:
        with FakeEngine.from_bundle(bundle, role) as engine:
            entry = bundle.manifest.graphs[role]
            assert (engine.name, engine.inputs, engine.outputs) == (role.value, entry.inputs, entry.outputs)
