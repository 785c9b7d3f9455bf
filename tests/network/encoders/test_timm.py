"""``timm:NAME``: what is built, what is refused, and what is said without timm."""

import sys

import pytest
import torch

from edge_arseg import installation
from edge_arseg.compiler.export.macs import cost_from_model
from edge_arseg.errors import EnvironmentUnfitError, OptionError
from edge_arseg.network.backbones.registry import backbone_from_name, short_name
from edge_arseg.network.checkpoint.safetensors_file import network_from_safetensors, safetensors_from_network
from edge_arseg.network.network import Network
from edge_arseg.testing.backbone import BackboneQuestions, model_of, seeded

TINY = "timm:test_efficientnet"


class TestTiny(BackboneQuestions):
    name = TINY


@torch.inference_mode()
def test_training_branches_are_merged_for_the_device_and_stay_in_training():
    name = "timm:repvgg_a0"
    backbone = seeded(name)
    image = torch.randn(1, 3, 40, 56)
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    expected, merged = backbone(image), backbone.deployed()
    assert (merged(image) - expected).abs().max() <= 1e-5 * expected.abs().max()
    assert len(list(merged.encoder.modules())) < len(list(backbone.encoder.modules())) / 3
    assert all(torch.equal(value, before[key]) for key, value in backbone.state_dict().items())
    # 3x3 kernels alone: what a second kernel of 1x1 beside each would add is a ninth
    cost = cost_from_model(model_of(name), height=360, width=480, lr_scale=0.5)
    assert cost.hr_macs / 1e9 == pytest.approx(5.93, abs=0.02)


def test_options_are_of_the_feature():
    backbone = seeded("timm:test_efficientnet,stride=8,channels=32")
    assert (backbone.stride, backbone.channels) == (8, 32)
    assert backbone.feature_size(45, 61) == (6, 8)
    assert backbone(torch.zeros(1, 3, 45, 61)).shape == (1, 32, 6, 8)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("timm:resnet19", "did you mean resnet18"),
        ("timm:hf-hub:someone/net", "has no encoder 'hf-hub:someone/net'"),
        ("timm:test_vit", "take one with a pyramid"),
        ("timm:test_efficientnet,stride=3", "its stages are at 2, 4, 8, 16, 32"),
        ("timm:test_efficientnet,depth=3", "'depth=3' seen, expected stride=4 or channels=64"),
        ("timm:test_efficientnet,channels=33", "expected an even number"),
        ("timm:test_efficientnet,stride=²", "expected stride=4"),
    ],
)
def test_what_cannot_be_a_backbone_is_refused(name, said):
    with pytest.raises(OptionError, match=said):
        backbone_from_name(name)


@pytest.mark.parametrize(
    ("name", "short"),
    [("timm:resnet18.a1_in1k,stride=8", "resnet18"), ("my.nets:build", "nets"), ("compact", "compact")],
)
def test_a_model_is_called_after_its_encoder(name, short):
    assert short_name(name) == short


def test_a_file_may_name_an_encoder_of_timm(tmp_path):
    model = model_of(TINY)
    file = safetensors_from_network(Network(model), tmp_path / "net.safetensors")
    assert network_from_safetensors(file).model == model


def test_without_timm_the_command_for_this_torch_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "2.13.0+cpu")
    monkeypatch.setattr(installation, "pip", lambda arguments: f"pip {arguments}")
    said = r"pip install torch==2\.13\.0 torchvision --index-url \S+/cpu && pip install .*\[timm\]"
    with pytest.raises(EnvironmentUnfitError, match=said):
        backbone_from_name(TINY)


def test_a_torch_with_cuda_keeps_its_own_torchvision(monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", lambda name: "2.13.0")
    assert "--index-url" not in installation.install_extra("timm")
