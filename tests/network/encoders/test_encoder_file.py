"""Published weights into an encoder: those that fit, and every fault of those that do not."""

import re

import pytest
import torch
from safetensors.torch import save_file

from edge_arseg.errors import CheckpointError, OptionError
from edge_arseg.network.backbones.lite import Lite0, Lite1
from edge_arseg.network.backbones.registry import backbone_from_name
from edge_arseg.network.checkpoint.encoder_file import load_encoder


@pytest.fixture(scope="module")
def whole():
    """A whole network of timm, classifier and all; its extractor writes ``stages_0`` for ``stages.0``."""
    backbone_from_name("timm:test_byobnet")  # imports timm
    import timm

    torch.manual_seed(4)
    return timm.create_model("test_byobnet").state_dict()


def saved(state, path):
    if path.suffix == ".safetensors":
        save_file({key: value.contiguous() for key, value in state.items()}, path)
    else:
        torch.save(state, path)
    return path


@pytest.mark.parametrize("file", ["net.pth", "net.safetensors"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_the_file_of_a_whole_network_gives_the_encoder_all_of_its_weights(tmp_path, whole, file, prefix):
    backbone = backbone_from_name("timm:test_byobnet")
    left = load_encoder(backbone, saved({prefix + key: value for key, value in whole.items()}, tmp_path / file))
    ours = {key.replace(".", "_"): value for key, value in backbone.encoder.state_dict().items()}
    theirs = {key.replace(".", "_"): value for key, value in whole.items()}
    assert any("stages_0" in key for key in backbone.encoder.state_dict())
    assert all(torch.equal(value, theirs[key]) for key, value in ours.items())
    assert sorted(left) == ["head.fc.bias", "head.fc.weight"]


def test_every_fault_is_named_and_nothing_is_loaded(tmp_path, whole):
    backbone = backbone_from_name("timm:test_byobnet")
    before = {key: value.clone() for key, value in backbone.encoder.state_dict().items()}
    state = dict(whole)
    first, second, third = [key for key, value in state.items() if value.ndim == 4][:3]
    del state[first]
    state[second] = torch.zeros(5, 3, 3, 3)
    state[third] = torch.full_like(state[third], torch.nan)
    with pytest.raises(CheckpointError) as caught:
        load_encoder(backbone, saved(state, tmp_path / "net.pth"))
    said = str(caught.value).replace("_", ".")
    assert re.search(rf"1 missing:\s+{first}", said.replace(first.replace("_", "."), first))
    assert "(5, 3, 3, 3) seen" in said
    assert "1 holding NaN or infinity" in said
    assert all(torch.equal(value, before[key]) for key, value in backbone.encoder.state_dict().items())


def test_a_file_that_would_run_code_is_refused(tmp_path):
    torch.save({"encoder": Lite0}, tmp_path / "net.pth")
    with pytest.raises(CheckpointError, match="holds more than tensors"):
        load_encoder(Lite0(), tmp_path / "net.pth")


def test_a_backbone_without_an_encoder_says_which_have_one(tmp_path, whole):
    with pytest.raises(OptionError, match="take lite0, lite1 or timm:NAME"):
        load_encoder(backbone_from_name("compact"), saved(whole, tmp_path / "net.pth"))


def test_lite0_takes_the_names_of_tensorflows_weights(tmp_path):
    torch.manual_seed(0)
    published = as_published(Lite0(), (0, 1, 3, 5, 8, 11, 15))
    assert {"_conv_stem.weight", "_blocks.0._depthwise_conv.weight", "_blocks.15._bn2.running_var"} <= set(published)
    backbone = Lite0()
    left = load_encoder(backbone, saved({**published, "_fc.weight": torch.zeros(3)}, tmp_path / "lite0.pth"))
    assert left == ["_fc.weight"]
    assert torch.equal(backbone.encoder.stages[5][3].project.weight, published["_blocks.14._project_conv.weight"])
    assert torch.equal(backbone.encoder.stages[6][0].depthwise_bn.bias, published["_blocks.15._bn1.bias"])


def test_lite1_takes_the_names_of_tensorflows_weights(tmp_path):
    torch.manual_seed(0)
    published = as_published(Lite1(), (0, 1, 4, 7, 11, 15, 20))
    assert {"_blocks.3._depthwise_conv.weight", "_blocks.20._bn2.running_var"} <= set(published)
    backbone = Lite1()
    assert load_encoder(backbone, saved(published, tmp_path / "lite1.pth")) == []
    assert torch.equal(backbone.encoder.stages[5][4].project.weight, published["_blocks.19._project_conv.weight"])


def as_published(backbone, first_blocks):
    """Random weights under their names; ``first_blocks`` is the number of each stage's first block."""
    encoder = backbone.encoder.state_dict().items()
    return {
        theirs(key, first_blocks): torch.rand_like(value) if value.is_floating_point() else value
        for key, value in encoder
    }


def theirs(key, first_blocks):
    """Their name of one of ours, written down apart from the code under test."""
    parts = {"expand": "_expand_conv", "expand_bn": "_bn0", "depthwise": "_depthwise_conv", "depthwise_bn": "_bn1"}
    parts |= {"project": "_project_conv", "project_bn": "_bn2"}
    match key.split("."):
        case [("stem" | "stem_bn") as part, leaf]:
            return f"{'_conv_stem' if part == 'stem' else '_bn0'}.{leaf}"
        case ["stages", stage, block, part, leaf]:
            return f"_blocks.{first_blocks[int(stage)] + int(block)}.{parts[part]}.{leaf}"
    raise AssertionError(key)


def test_with_fixed_statistics_lite0_computes_the_same_and_learns_from_the_same_gradients():
    torch.manual_seed(1)
    encoder = Lite0().encoder
    for part in encoder.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.1)
            part.running_var.uniform_(0.5, 2.0)
    image = torch.randn(2, 3, 32, 48)
    encoder.eval()
    with torch.no_grad():
        apart = encoder(image)
    together = encoder(image)
    for stride, stage in together.items():
        assert (stage - apart[stride]).abs().max() <= 1e-4 * apart[stride].abs().max()
    together[32].sum().backward()
    assert encoder.stages[0][0].depthwise_bn.weight.grad.abs().max() > 0
