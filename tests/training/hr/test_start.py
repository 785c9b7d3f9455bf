"""HR training starts from another run: weights by the names of classes, images normalised as there."""

from dataclasses import replace

import pytest
import torch
from support.training.files import write_camvid
from support.training.runs import HR_SETTINGS

from edge_arseg.network.checkpoint.importer import weights_file
from edge_arseg.network.checkpoint.safetensors_file import network_from_safetensors, safetensors_from_network
from edge_arseg.network.network import Network
from edge_arseg.spec.model import CAMVID_11, CAMVID_NORMALISATION, IMAGENET_NORMALISATION, ClassInfo, Model
from edge_arseg.testing.networks import lived_in
from edge_arseg.training.hr.start import start_from
from edge_arseg.training.hr.train import train_hr
from edge_arseg.training.run.place import RunPlace
from edge_arseg.training.trained import trained_from_name

TRAINED = Model("camvid-compact", "compact", CAMVID_11, CAMVID_NORMALISATION)
ONE = RunPlace(workers=0)
TRAM = ClassInfo("tram", (1, 2, 3))


@pytest.fixture
def trained(tmp_path):
    torch.manual_seed(0)
    network = lived_in(Network(TRAINED))
    safetensors_from_network(network, tmp_path / "camvid.safetensors")
    return network


def started(tmp_path, *classes):
    torch.manual_seed(1)
    network = Network(Model("own", "compact", classes, IMAGENET_NORMALISATION))
    fresh = network.hr_head.classifier.weight.detach().clone()
    return network, fresh, start_from(network, trained_from_name(tmp_path / "camvid.safetensors"), list)


def test_the_same_classes_start_without_a_word_and_answer_the_same(tmp_path, trained):
    network, _, said = started(tmp_path, *CAMVID_11)
    assert said is None
    frame = torch.randint(0, 256, (48, 64, 3), dtype=torch.uint8)
    with torch.inference_mode():
        assert torch.equal(network.eval().hr_logits(frame), trained.eval().hr_logits(frame))


def test_classes_in_another_order_take_the_weights_of_their_names(tmp_path, trained):
    network, _, said = started(tmp_path, *reversed(CAMVID_11))
    assert said is None
    weight, bias = network.hr_head.classifier.weight, network.hr_head.classifier.bias
    assert torch.equal(weight, trained.hr_head.classifier.weight.flip(0))
    assert torch.equal(bias, trained.hr_head.classifier.bias.flip(0))


def test_new_classes_begin_fresh_and_a_line_names_them(tmp_path, trained):
    network, fresh, said = started(tmp_path, CAMVID_11[3], TRAM)
    gone = [one.name for one in CAMVID_11 if one is not CAMVID_11[3]]
    assert said == (
        f"1 of 2 classes start from camvid.safetensors; new 1: tram; left behind 10: {', '.join(gone[:3])}, ..."
    )
    weight = network.hr_head.classifier.weight
    assert torch.equal(weight[0], trained.hr_head.classifier.weight[3])
    assert torch.equal(weight[1], fresh[1])
    backbone = trained.hr.state_dict()
    assert all(torch.equal(value, backbone[key]) for key, value in network.hr.state_dict().items())


def test_images_are_normalised_as_the_weights_know_them(tmp_path, trained):
    assert started(tmp_path, TRAM)[0].model.normalisation == CAMVID_NORMALISATION


def test_a_run_says_so_once_and_continues_as_it_began(tmp_path, trained):
    torch.manual_seed(1)
    other = Network(replace(TRAINED, classes=(CAMVID_11[0], TRAM), normalisation=IMAGENET_NORMALISATION))
    safetensors_from_network(other, tmp_path / "own.safetensors")
    dataset = write_camvid(tmp_path / "camvid", [f"s_{number:02}" for number in range(10)])
    said = []
    settings = replace(HR_SETTINGS, steps=1, street=0)
    begun = train_hr(
        dataset, tmp_path / "run", settings, start=tmp_path / "own.safetensors", place=ONE, say=said.append
    )
    assert said[0].startswith("1 of 11 classes start from own.safetensors; new 10: ")
    assert network_from_safetensors(begun.weights).model.normalisation == IMAGENET_NORMALISATION
    said.clear()
    train_hr(
        dataset, tmp_path / "run", replace(settings, steps=2), start=tmp_path / "own.safetensors",
        place=replace(ONE, resume=True), say=said.append,
    )  # fmt: skip
    assert not any("start from" in line for line in said)
    assert network_from_safetensors(weights_file(tmp_path / "run")).model.normalisation == IMAGENET_NORMALISATION
