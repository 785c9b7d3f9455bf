"""Schedule, average, losses, curves: values spelled out."""

import math

import numpy as np
import pytest
import torch
from support.networks.small import OWN_MODEL

from edge_arseg.network.network import Network
from edge_arseg.training.datasets.classes import normalisation_of
from edge_arseg.training.run.average import average_from_network, restore_average
from edge_arseg.training.run.folder import plot_curves
from edge_arseg.training.run.losses import class_weights, overlap_loss, task_loss
from edge_arseg.training.run.optimizer import learning_rate


def test_the_rate_rises_then_falls_to_nothing():
    rates = [learning_rate(step, steps=14, peak=1.0, warmup=4) for step in range(15)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert rates[4] == 1.0
    assert rates[9] == pytest.approx(0.5)
    assert rates[14] == pytest.approx(0.0)
    assert rates[4:] == sorted(rates[4:], reverse=True)


def test_class_weights_are_one_over_the_root_of_the_logarithm_of_the_share():
    labels = [np.array([[0, 0, 0, 1], [255, 255, 2, 2]], np.uint8)]
    wanted = [1 / math.sqrt(math.log(1.1 + share)) for share in (3 / 6, 1 / 6)]
    weights = class_weights(labels, 2)  # class 2 and 255 do not count
    assert weights.tolist() == pytest.approx([math.log(1.1 + 3 / 4) ** -0.5, math.log(1.1 + 1 / 4) ** -0.5])
    assert class_weights(labels, 3).tolist()[:2] == pytest.approx(wanted)


def test_the_task_loss_is_a_weighted_mean_over_counted_pixels():
    scores = torch.zeros(1, 2, 2, 2)
    scores[0, 0] = torch.tensor([[2.0, 0.0], [0.0, 0.0]])
    label = torch.full((1, 4, 4), 255)
    label[0, 0, 0], label[0, 0, 2], label[0, 2, 0] = 0, 1, 1  # of [::2, ::2]; (2, 2) stays ignored
    label[0, 1, 1] = 0  # not looked at
    weights = torch.tensor([3.0, 1.0])
    first, other = math.log(1 + math.exp(-2.0)), math.log(2.0)
    assert float(task_loss(scores, label, weights)) == pytest.approx((3 * first + 2 * other) / 5, rel=1e-6)


def test_the_overlap_loss_is_one_minus_the_soft_jaccard_index_of_the_classes_shown():
    first = torch.tensor([[0.8, 0.6], [0.3, 0.5]])  # probability of class 0; the last place does not count
    scores = torch.stack((first.log(), (1 - first).log(), torch.full((2, 2), -1e9)))[None]
    label = torch.tensor([[[0, 1], [1, 255]]])
    # class 0: common 0.8, union 1.7 + 1 - 0.8; class 1: common 0.4 + 0.7, union 1.3 + 2 - 1.1; class 2 is not shown
    wanted = (1 - 0.8 / 1.9 + 1 - 1.1 / 2.2) / 2
    assert float(overlap_loss(scores, label)) == pytest.approx(wanted, rel=1e-5)
    right = torch.tensor([[[0, 1], [1, 0]]])
    certain = torch.nn.functional.one_hot(right, 3).movedim(-1, 1) * 100.0
    assert float(overlap_loss(certain, right)) == pytest.approx(0.0, abs=1e-6)


def test_the_overlap_loss_adds_to_the_task_loss_by_its_factor():
    scores, label = torch.randn(2, 3, 4, 4), torch.randint(0, 3, (2, 8, 8))
    weights = torch.ones(3)
    plain, with_overlap = task_loss(scores, label, weights), task_loss(scores, label, weights, overlap=0.5)
    assert float(with_overlap - plain) == pytest.approx(0.5 * float(overlap_loss(scores, label[:, ::2, ::2])), rel=1e-4)


def test_nothing_to_learn_from_is_no_loss():
    scores = torch.zeros(1, 2, 2, 2, requires_grad=True)
    loss = task_loss(scores, torch.full((1, 4, 4), 255), torch.ones(2), overlap=0.5)
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert not scores.grad.any()


def test_the_average_follows_quickly_first_and_slowly_later():
    network = Network(OWN_MODEL)
    average = average_from_network(network, 0.9)
    name = "hr_head.classifier.bias"
    start = average.module.state_dict()[name].clone()
    with torch.no_grad():
        network.hr_head.classifier.bias.add_(1.0)
    average.update_parameters(network)
    assert torch.allclose(average.module.state_dict()[name], start + 1 - 2 / 11)
    for _ in range(200):
        average.update_parameters(network)
    before = average.module.state_dict()[name].clone()
    with torch.no_grad():
        network.hr_head.classifier.bias.add_(1.0)
    average.update_parameters(network)
    assert torch.allclose(average.module.state_dict()[name] - before, torch.tensor(0.1), atol=1e-5)
    assert not average.module.training


def test_the_average_goes_on_where_it_was():
    network = Network(OWN_MODEL)
    one = average_from_network(network, 0.9)
    for _ in range(3):
        with torch.no_grad():
            network.hr_head.classifier.bias.add_(1.0)
        one.update_parameters(network)
    other = average_from_network(Network(OWN_MODEL), 0.9)
    restore_average(other, one.state_dict())
    for average in (one, other):
        average.update_parameters(network)
    a, b = one.module.state_dict(), other.module.state_dict()
    assert all(torch.equal(a[key], b[key]) for key in a)


def test_curves_are_drawn(tmp_path):
    records = [{"step": k, "loss": 2.0 / k, "miou": 10.0 * k} for k in (1, 2, 3)]
    path = plot_curves(records, tmp_path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_each_data_set_has_its_constants():
    assert normalisation_of("camvid").mean[0] == 0.39068785
    assert normalisation_of("camvid-12") == normalisation_of("camvid")
    assert normalisation_of("cityscapes").std[0] == 0.2112
    assert normalisation_of("mine").mean == (0.485, 0.456, 0.406)
