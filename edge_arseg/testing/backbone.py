"""What every backbone is asked: the contract of ``edge_arseg.network.backbone``, question by question.

Subclass ``BackboneTester`` and set ``name``; ``docs/backbones.md`` shows it. Two parts can be used apart:
``BackboneQuestions`` takes seconds, ``BackboneExportQuestions`` traces both branches and runs them on ONNX Runtime.
"""

import io
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from onnx import ModelProto
from torch import Tensor

from edge_arseg.compiler.export.branches import hr_graph, lr_graph
from edge_arseg.compiler.export.macs import cost_from_model
from edge_arseg.compiler.export.settings import ExportSettings
from edge_arseg.network.backbone import Backbone
from edge_arseg.network.backbones.registry import backbone_from_name
from edge_arseg.network.network import Network
from edge_arseg.runtime.engines.onnxruntime.engine import OnnxRuntimeEngine
from edge_arseg.spec import tensor as names
from edge_arseg.spec.model import CAMVID_11, CAMVID_NORMALISATION, Model
from edge_arseg.testing.networks import lived_in, random_frame

SIZES = [(8, 8), (8, 31), (9, 8), (15, 17), (16, 16), (31, 33), (45, 61), (48, 64), (63, 40), (90, 122)]


class _Named:
    name: ClassVar[str]
    """As given to ``--backbone``."""

    @pytest.fixture(scope="class")
    @classmethod
    def backbone(cls) -> Backbone:
        """Build it."""
        return seeded(cls.name)


class BackboneQuestions(_Named):
    """Shapes, independence, reproducibility, weights, cost."""

    def test_says_what_it_is(self, backbone: Backbone) -> None:
        assert isinstance(backbone, Backbone)
        for number in (backbone.channels, backbone.stride, backbone.upscale):
            assert isinstance(number, int)
            assert number >= 1
        assert isinstance(backbone.log_probabilities, bool)

    @torch.inference_mode()
    @pytest.mark.parametrize("size", SIZES)
    def test_the_feature_has_the_size_it_promises(self, backbone: Backbone, size: tuple[int, int]) -> None:
        feature = backbone(torch.randn(1, 3, *size))
        assert feature.dtype == torch.float32
        assert tuple(feature.shape) == (1, backbone.channels, *backbone.feature_size(*size))
        assert torch.isfinite(feature).all()

    def test_the_stride_is_about_right(self, backbone: Backbone) -> None:
        rows, columns = backbone.feature_size(64 * backbone.stride, 96 * backbone.stride)
        assert (rows, columns) == pytest.approx((64, 96), rel=0.1)

    @torch.inference_mode()
    def test_an_image_does_not_depend_on_its_batch(self, backbone: Backbone) -> None:
        images = torch.randn(3, 3, 33, 47)
        together = backbone(images)
        for n in range(3):
            alone = backbone(images[n : n + 1])[0]
            assert _difference(alone, together[n]) <= 1e-5

    @torch.inference_mode()
    def test_different_images_give_different_features(self, backbone: Backbone) -> None:
        one, other = backbone(torch.randn(2, 3, 45, 61))
        assert _difference(one, other) > 1e-3

    @torch.inference_mode()
    def test_the_same_image_gives_the_same_feature_and_is_left_alone(self, backbone: Backbone) -> None:
        image = torch.randn(1, 3, 45, 61)
        before = image.clone()
        first = backbone(image).clone()
        backbone(torch.randn(1, 3, 90, 122))
        assert torch.equal(backbone(image), first)
        assert torch.equal(image, before)

    @torch.inference_mode()
    def test_its_weights_carry_all_of_it(self, backbone: Backbone) -> None:
        file = io.BytesIO()
        torch.save(backbone.state_dict(), file)
        file.seek(0)
        other = backbone_from_name(self.name).eval()
        other.load_state_dict(torch.load(file, weights_only=True))
        image = torch.randn(1, 3, 45, 61)
        assert torch.equal(other(image), backbone(image))

    def test_two_of_a_kind_share_no_weights(self) -> None:
        one, other = backbone_from_name(self.name), backbone_from_name(self.name)
        assert not {p.data_ptr() for p in one.parameters()} & {p.data_ptr() for p in other.parameters()}

    def test_its_cost_is_counted_from_shapes_alone(self) -> None:
        cost = cost_from_model(model_of(self.name), height=90, width=122, lr_scale=0.5)
        assert 0 < cost.lr_macs < cost.hr_macs


class BackboneExportQuestions(_Named):
    """Both branches as ONNX graphs: same numbers on ONNX Runtime at an odd size."""

    export_size: ClassVar[tuple[int, int]] = (45, 61)
    lr_scale: ClassVar[float] = 0.7

    @torch.inference_mode()
    def test_exports(self, backbone: Backbone, tmp_path: Path) -> None:
        network = Network(model_of(self.name)).eval()
        network.hr.load_state_dict(backbone.state_dict())
        network.lr.load_state_dict(backbone.state_dict())
        settings = ExportSettings(*self.export_size, self.lr_scale)
        frame = random_frame(*self.export_size)
        feature = network.hr(network.image_from_frame(frame))
        lr_feature = network.lr(network.lr_image_from_frame(frame, self.lr_scale))
        hr = _run(hr_graph(network, settings), tmp_path / "hr.onnx", frame)
        lr = _run(lr_graph(network, settings), tmp_path / "lr.onnx", frame)
        assert _difference(torch.from_numpy(hr[names.FEATURE]), feature) <= 1e-4
        assert _difference(torch.from_numpy(lr[names.LR_FEATURE]), lr_feature) <= 1e-4
        expected = network.hr_logits(frame)[0].argmax(0).numpy()
        assert np.mean(hr[names.CLASS_MAP] == expected) >= 0.999


class BackboneTester(BackboneQuestions, BackboneExportQuestions):
    """All questions."""


def seeded(name: str) -> Backbone:
    """Return a backbone in ``eval`` mode with reproducible weights and lived-in statistics."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return lived_in(backbone_from_name(name))


def model_of(name: str) -> Model:
    """Return a model of CamVid's classes on that backbone."""
    return Model("test", name, CAMVID_11, CAMVID_NORMALISATION)


def _difference(seen: Tensor, expected: Tensor) -> float:
    """Largest difference, relative to the largest value expected."""
    assert seen.shape == expected.shape
    return float((seen - expected).abs().max() / expected.abs().max())


def _run(graph: ModelProto, path: Path, frame: Tensor) -> dict[str, NDArray[Any]]:
    path.write_bytes(graph.SerializeToString())
    with OnnxRuntimeEngine(path) as engine:
        return {name: array.copy() for name, array in engine.run({names.FRAME: frame.numpy()}).items()}
