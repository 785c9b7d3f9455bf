"""What every engine is asked. A backend subclasses this and says how a graph is opened."""

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
import pytest

from edge_arseg.errors import BuildError, OptionError
from edge_arseg.runtime.engines.contract import Engine
from edge_arseg.spec.tensor import TensorSpec


class EngineTester(ABC):
    """The graph of the questions: ``double = 2 * image``, ``total = image + other``."""

    @abstractmethod
    def open(self, path: Path) -> Engine: ...

    def answers(self, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What the engine should give."""
        return {"double": 2 * feeds["image"], "total": feeds["image"] + feeds["other"]}

    @pytest.fixture
    def engine(self, sum_graph: Path):
        with self.open(sum_graph) as engine:
            yield engine

    @pytest.fixture
    def feeds(self) -> dict[str, np.ndarray]:
        image = np.arange(6, dtype=np.float32).reshape(2, 3)
        return {"image": image, "other": np.ones((2, 3), np.float32)}

    def test_says_what_it_takes_and_makes(self, engine):
        spec = TensorSpec("float32", (2, 3))
        assert engine.inputs == {"image": spec, "other": spec}
        assert engine.outputs == {"double": spec, "total": spec}

    def test_computes(self, engine, feeds):
        outputs = engine.run(feeds)
        assert list(outputs) == ["double", "total"]
        for name, expected in self.answers(feeds).items():
            assert np.array_equal(outputs[name], expected)

    def test_outputs_keep_their_place_and_are_overwritten(self, engine, feeds):
        first = engine.run(feeds)["double"]
        before = first.copy()
        other = {**feeds, "image": feeds["image"] + 5}
        second = engine.run(other)["double"]
        assert first is second
        assert np.array_equal(second, self.answers(other)["double"])
        assert not np.array_equal(second, before)

    def test_reads_the_same_array_anew(self, engine, feeds):
        engine.run(feeds)
        feeds["image"][:] = 7
        assert np.array_equal(engine.run(feeds)["double"], self.answers(feeds)["double"])

    def test_an_output_can_be_the_next_input(self, engine, sum_graph, feeds):
        """Of another engine, as an LR feature goes to the fusion; and of the same one."""
        total = engine.run(feeds)["total"]
        fed_back = {**feeds, "other": np.array(total)}
        with self.open(sum_graph) as other:
            assert np.array_equal(other.run({**feeds, "other": total})["total"], self.answers(fed_back)["total"])
        assert np.array_equal(engine.run({**feeds, "other": total})["total"], self.answers(fed_back)["total"])

    def test_all_wrong_feeds_are_reported_at_once(self, engine, feeds):
        with pytest.raises(OptionError) as caught:
            engine.run({"image": feeds["image"].astype(np.float64), "extra": feeds["other"]})
        message = str(caught.value)
        assert "input 'other' is missing" in message
        assert "there is no input 'extra'" in message
        assert "float64[2, 3] seen, float32[2, 3] expected" in message

    def test_a_wrong_shape_is_refused(self, engine, feeds):
        with pytest.raises(OptionError, match=r"float32\[3, 2\] seen, float32\[2, 3\] expected"):
            engine.run({**feeds, "image": np.zeros((3, 2), np.float32)})

    def test_a_strided_view_is_refused(self, engine, feeds):
        with pytest.raises(OptionError, match="strided"):
            engine.run({**feeds, "image": np.zeros((3, 2), np.float32).T})

    def test_closing_twice_is_allowed_and_running_after_is_not(self, sum_graph, feeds):
        engine = self.open(sum_graph)
        engine.run(feeds)
        engine.close()
        engine.close()
        with pytest.raises(BuildError, match="closed"):
            engine.run(feeds)

    def test_junk_is_refused(self, tmp_path):
        path = tmp_path / "junk.onnx"
        path.write_bytes(b"junk" * 50)
        with pytest.raises(BuildError, match=r"junk\.onnx"):
            self.open(path)
