"""What every engine is asked: the contract of ``edge_arseg.runtime.engines.contract``, question by question.

A test of yours subclasses ``EngineTester`` and says how a graph is opened; ``docs/engines.md`` shows it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_arseg.errors import BuildError, OptionError
from edge_arseg.runtime.engines.contract import Engine, Place
from edge_arseg.spec.tensor import TensorSpec
from edge_arseg.testing.sum_graph import write_sum_graph

Feeds = dict[str, NDArray[np.float32]]


class EngineTester(ABC):
    """Asks one graph, an ONNX file: ``double = 2 * image``, ``total = image + other``, all ``[2, 3] float32``."""

    @abstractmethod
    def open(self, path: Path) -> Engine:
        """Open the ONNX file at ``path``; whatever your engine needs of it may be made beside it first."""

    def answers(self, feeds: Feeds) -> Feeds:
        """Return what the engine should give; an engine that computes something else overrides it."""
        return {"double": 2 * feeds["image"], "total": feeds["image"] + feeds["other"]}

    @pytest.fixture
    def graph(self, tmp_path: Path) -> Path:
        """Write the ONNX file."""
        return write_sum_graph(tmp_path / "sum.onnx")

    @pytest.fixture
    def engine(self, graph: Path) -> Iterator[Engine]:
        """Open the engine."""
        with self.open(graph) as engine:
            yield engine

    @pytest.fixture
    def feeds(self) -> Feeds:
        """Return one buffer for each input."""
        image = np.arange(6, dtype=np.float32).reshape(2, 3)
        return {"image": image, "other": np.ones((2, 3), np.float32)}

    def test_says_what_it_takes_and_makes(self, engine: Engine) -> None:
        spec = TensorSpec("float32", (2, 3))
        assert engine.inputs == {"image": spec, "other": spec}
        assert engine.outputs == {"double": spec, "total": spec}

    def test_computes(self, engine: Engine, feeds: Feeds) -> None:
        outputs = engine.run(feeds)
        assert list(outputs) == ["double", "total"]
        for name, expected in self.answers(feeds).items():
            assert np.array_equal(outputs[name], expected)

    def test_outputs_keep_their_place_and_are_overwritten(self, engine: Engine, feeds: Feeds) -> None:
        first = engine.run(feeds)["double"]
        before = first.copy()
        other = {**feeds, "image": feeds["image"] + 5}
        second = engine.run(other)["double"]
        assert first is second
        assert np.array_equal(second, self.answers(other)["double"])
        assert not np.array_equal(second, before)

    def test_reads_the_same_array_anew(self, engine: Engine, feeds: Feeds) -> None:
        engine.run(feeds)
        feeds["image"][:] = 7
        assert np.array_equal(engine.run(feeds)["double"], self.answers(feeds)["double"])

    def test_an_output_can_be_the_next_input(self, engine: Engine, feeds: Feeds) -> None:
        total = engine.run(feeds)["total"]
        expected = self.answers({**feeds, "other": np.array(total)})["total"]
        assert np.array_equal(engine.run({**feeds, "other": total})["total"], expected)

    def test_a_twin_answers_alike_into_buffers_of_its_own(self, engine: Engine, feeds: Feeds) -> None:
        """Where engines share weights at all."""
        try:
            twin = engine.twin()
        except OptionError as error:
            pytest.skip(str(error))
        with twin:
            first = engine.run(feeds)["double"]
            before = first.copy()
            other = {**feeds, "image": feeds["image"] + 5}
            assert np.array_equal(twin.run(other)["double"], self.answers(other)["double"])
            assert np.array_equal(first, before)

    def test_all_wrong_feeds_are_reported_at_once(self, engine: Engine, feeds: Feeds) -> None:
        with pytest.raises(OptionError) as caught:
            engine.run({"image": feeds["image"].astype(np.float64), "extra": feeds["other"]})
        message = str(caught.value)
        assert "input 'other' is missing" in message
        assert "there is no input 'extra'" in message
        assert "float64[2, 3] seen, float32[2, 3] expected" in message

    def test_a_wrong_shape_is_refused(self, engine: Engine, feeds: Feeds) -> None:
        with pytest.raises(OptionError, match=r"float32\[3, 2\] seen, float32\[2, 3\] expected"):
            engine.run({**feeds, "image": np.zeros((3, 2), np.float32)})

    def test_a_strided_view_is_refused(self, engine: Engine, feeds: Feeds) -> None:
        with pytest.raises(OptionError, match="strided"):
            engine.run({**feeds, "image": np.zeros((3, 2), np.float32).T})

    def test_what_is_no_array_is_refused(self, engine: Engine, feeds: Feeds) -> None:
        if engine.feature_place is not Place.HOST:
            pytest.skip("its buffers may be no arrays")
        with pytest.raises(OptionError, match=r"input 'image': NoneType seen, expected an array float32\[2, 3\]"):
            engine.run({**feeds, "image": None})

    def test_closing_twice_is_allowed_and_running_after_is_not(self, graph: Path, feeds: Feeds) -> None:
        engine = self.open(graph)
        engine.run(feeds)
        engine.close()
        engine.close()
        with pytest.raises(BuildError, match="closed"):
            engine.run(feeds)

    def test_junk_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "junk.onnx"
        path.write_bytes(b"junk" * 50)
        with pytest.raises(BuildError, match=r"junk\.onnx"):
            self.open(path)
