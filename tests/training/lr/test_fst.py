"""One step of feature-similarity training, against numbers worked out by hand, and what each switch changes."""

import math

import pytest
import torch
from support.networks.tiny_backbone import tiny_network

from edge_arseg.training.lr.ablation import FUSION_CHOICES
from edge_arseg.training.lr.fst import SUPERVISIONS, PairBatch, Recipe, fst_losses
from edge_arseg.training.run.losses import task_loss


def followed_by_hand():
    """A network and a pair of 2x2 frames of one colour.

    =====================  ==================================================  =========
    HR feature, keyframe   2 * 0.8 (red 204 of 255)                            1.6
    warped, zero flow      at 2x2 each pixel is read half outside, twice       0.4
    LR feature             3 * 0.4 + 0.5 (red 102 of 255)                      1.7
    similarity             (ln 3 * 1.7) * (0.4 / (1.7 * 0.4)), so e^S = 3      ln 3
    weight of the image    4 * 3 / (4 * 3 + 45 * 1): 45 neighbours outside     12 / 57
    value                  5 * 0.4                                             2.0
    fused                  1.7 + 2.0 * 12 / 57                                 2.121053
    HR feature, frame      2 * 0.4                                             0.8
    feature loss           (2.121053 - 0.8)^2                                  1.745180
    scores                 fused for class 0, 0 for class 1
    task loss, class 0     ln(1 + e^-2.121053)                                 0.113244
    total                                                                      1.858424
    =====================  ==================================================  =========
    """
    network = tiny_network()
    with torch.no_grad():
        network.hr.conv.weight[0, 0] = 2.0
        network.lr.conv.weight[0, 0], network.lr.conv.bias[0] = 3.0, 0.5
        for conv, factor in (
            (network.creff.query, math.log(3.0)),
            (network.creff.key, 1.0 / (1.7 * 0.4)),
            (network.creff.value, 5.0),
        ):
            conv.weight.zero_()
            conv.bias.zero_()
            conv.weight[0, 0, 1, 1] = factor
        for head in (network.hr_head, network.lr_head):
            head.classifier.weight.copy_(torch.tensor([1.0, 0.0]).view(2, 1, 1, 1))
            head.classifier.bias.zero_()
    network.requires_grad_(False)
    network.lr.requires_grad_(True)
    network.creff.requires_grad_(True)
    return network


def pair(*, keyframe=204, frame=102, label=0, unlabelled=False):
    def red(value):
        return torch.tensor([value, 0, 0], dtype=torch.uint8).expand(1, 2, 2, 3)

    labels = torch.full((1, 2, 2), label, dtype=torch.uint8)
    return PairBatch(red(keyframe), red(frame), torch.zeros(1, 1, 1, 2), labels, torch.tensor([unlabelled]))


def recipe(supervision="full", fusion="full", *, confidence=0.9):
    def task(scores, labels):
        return task_loss(scores, labels, torch.ones(2))

    return Recipe(0.5, SUPERVISIONS[supervision], FUSION_CHOICES[fusion], task, confidence, bfloat16=False)


def test_a_step_is_what_it_is_by_hand():
    """The gradient by hand, for the LR branch's bias.

    d total / d fused = -1 / (1 + e^2.121053) + 2 * (2.121053 - 0.8) = -0.107068 + 2.642105 = 2.535038
    d fused / d LR feature = 1 + 2.0 * 12/57 * 45/57 * ln 3 / 1.7 = 1.214817
    d total / d bias = 3.079608; a step of 0.1 takes the bias from 0.5 to 0.192039.
    d total / d value's middle tap = 2.535038 * 12/57 * 0.4 = 0.213477
    """
    network = followed_by_hand()
    losses = fst_losses(network, pair(), recipe())
    assert losses.feature.item() == pytest.approx(1.745180, abs=2e-6)
    assert losses.task.item() == pytest.approx(0.113244, abs=2e-6)
    assert losses.total.item() == pytest.approx(1.858424, abs=2e-6)
    losses.total.backward()
    assert network.lr.conv.bias.grad.item() == pytest.approx(3.079608, abs=1e-5)
    assert network.creff.value.weight.grad[0, 0, 1, 1].item() == pytest.approx(0.213477, abs=1e-5)
    torch.optim.SGD([network.lr.conv.bias], lr=0.1).step()
    assert network.lr.conv.bias.item() == pytest.approx(0.192039, abs=2e-6)
    assert all(p.grad is None for part in (network.hr, network.hr_head, network.lr_head) for p in part.parameters())


def test_inference_computes_the_fused_feature_that_training_computed():
    network = followed_by_hand().eval()
    frames = pair()
    logits = network.ar_logits(frames.keyframes[0], frames.frames[0], frames.flows[0], 0.5)
    assert logits[0, 0].flatten().tolist() == pytest.approx([2.121053] * 4, abs=2e-6)


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("full", 0.113244 + 1.745180),
        ("none", 0.113244),
        ("mse", 0.113244 + 1.745180),
        ("decoder", 0.113244),
        # KL: p = 1 / (1 + e^-0.8) = 0.689974 wanted, q = 1 / (1 + e^-2.121053) = 0.892932 given
        # p ln(p / q) + (1 - p) ln((1 - p) / (1 - q)) = -0.177915 + 0.329619
        ("kl", 0.113244 + 0.151704),
    ],
)
def test_each_switch_of_the_supervision_changes_the_loss_as_it_says(name, total):
    losses = fst_losses(followed_by_hand(), pair(), recipe(name))
    assert losses.total.item() == pytest.approx(total, abs=3e-6)


def test_the_weight_of_the_feature_loss_scales_it_alone():
    import dataclasses

    plain = recipe()
    loss = dataclasses.replace(plain.supervision.feature_loss, weight=10.0)
    heavy = dataclasses.replace(plain, supervision=dataclasses.replace(plain.supervision, feature_loss=loss))
    assert fst_losses(followed_by_hand(), pair(), heavy).total.item() == pytest.approx(0.113244 + 17.45180, abs=2e-5)


def test_shared_classifiers_are_those_of_table_3():
    assert {name: s.shared_classifier for name, s in SUPERVISIONS.items()} == {
        "full": True,
        "none": False,
        "mse": False,
        "decoder": True,
        "kl": True,
    }


def test_without_attention_the_feature_is_the_enlarged_lr_feature_in_training_and_at_inference():
    network = followed_by_hand().eval()
    choice = FUSION_CHOICES["no-attention"]
    choice.prepare(network.creff)
    assert not list(choice.parameters(network.creff))
    losses = fst_losses(network, pair(), recipe(fusion="no-attention"))
    assert losses.feature.item() == pytest.approx((1.7 - 0.8) ** 2, abs=2e-6)
    frames = pair()
    logits = network.ar_logits(frames.keyframes[0], frames.frames[0], frames.flows[0], 0.5)
    assert logits[0, 0].flatten().tolist() == pytest.approx([1.7] * 4, abs=2e-6)


def test_without_a_warp_flows_make_no_difference_and_with_it_they_do():
    moving = pair()
    moving = PairBatch(moving.keyframes, moving.frames, moving.flows + 1.0, moving.labels, moving.unlabelled)
    still = {name: fst_losses(followed_by_hand(), pair(), recipe(fusion=name)).total.item() for name in FUSION_CHOICES}
    moved = {name: fst_losses(followed_by_hand(), moving, recipe(fusion=name)).total.item() for name in FUSION_CHOICES}
    assert still["no-warp"] == moved["no-warp"] == still["full"]
    assert abs(still["full"] - moved["full"]) > 1e-3


def test_the_hr_branch_labels_what_nobody_labelled():
    # the HR feature of the frame is 0.8: class 0 with probability 1 / (1 + e^-0.8) = 0.69
    nobody = pair(label=255, unlabelled=True)
    assert fst_losses(followed_by_hand(), nobody, recipe(confidence=0.6)).task.item() == pytest.approx(
        0.113244, abs=2e-6
    )
    assert fst_losses(followed_by_hand(), nobody, recipe(confidence=0.7)).task.item() == 0.0
    # a label of its own is not read where the HR branch is to teach, and counts where it is not
    wrong = math.log(1 + math.exp(2.121053))
    assert fst_losses(followed_by_hand(), pair(label=1), recipe()).task.item() == pytest.approx(wrong, abs=3e-6)
    taught = fst_losses(followed_by_hand(), pair(label=1, unlabelled=True), recipe(confidence=0.6))
    assert taught.task.item() == pytest.approx(0.113244, abs=2e-6)
