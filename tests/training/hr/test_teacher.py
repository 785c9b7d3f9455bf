"""What is beside the plain loss: a teacher, thin things, rare classes."""

from dataclasses import replace

import pytest
import torch
from support.training.runs import CPU, HR_SETTINGS

from edge_arseg.errors import CheckpointError, OptionError
from edge_arseg.network.checkpoint.safetensors_file import safetensors_from_network
from edge_arseg.network.network import Network
from edge_arseg.spec.model import CAMVID_11, CAMVID_12, CAMVID_NORMALISATION, IMAGENET_NORMALISATION, Model
from edge_arseg.testing.networks import lived_in
from edge_arseg.training.hr.stills import stills_from_street
from edge_arseg.training.hr.teacher import Teacher, teacher_from_trained
from edge_arseg.training.hr.train import HrTraining
from edge_arseg.training.run.folder import RunFolder
from edge_arseg.training.run.losses import class_weights, on_boundary, task_loss
from edge_arseg.training.trained import trained_from_name

COMPACT = Model("camvid-compact", "compact", CAMVID_11, CAMVID_NORMALISATION)
SETTINGS = replace(
    HR_SETTINGS, steps=30, score_every=30, warmup=5, rate=5e-3, dropout=0.0, precision="float32", weight_decay=0.0
)


def network(seed, model=COMPACT):
    torch.manual_seed(seed)
    return lived_in(Network(model))


def test_a_student_without_labels_learns_what_its_teacher_answers(tmp_path):
    """All labels are ignored, so nothing but the teacher can teach; its answers are those of random weights."""
    stills = [replace(still, label=still.label * 0 + 255) for still in stills_from_street(6, size=(60, 80), seed=3)]
    teacher = network(5)
    teacher.hr_head.classifier.weight.data.mul_(20)  # answers that differ from place to place
    settings = replace(SETTINGS, teacher_classes=1.0, teacher_feature=0.5)
    folder = RunFolder.create(tmp_path / "run", settings.record())
    before = {key: value.clone() for key, value in teacher.state_dict().items()}
    torch.manual_seed(1)
    run = HrTraining(
        Network(COMPACT), stills[:5], (), stills[5:], settings, folder, device=CPU, workers=0,
        teacher=Teacher(teacher, settings),
    )  # fmt: skip
    agreed = [agreement(run.network, teacher, stills[0].rgb)]
    run.run()
    agreed.append(agreement(run.network, teacher, stills[0].rgb))
    assert agreed[1] > max(0.6, agreed[0] + 0.2)
    record = run.folder.records()[-1]
    assert record["task"] == 0.0
    assert record["loss"] == pytest.approx(record["teacher_classes"] + record["teacher_feature"], rel=1e-4)
    assert all(torch.equal(value, before[key]) for key, value in teacher.state_dict().items())


@torch.inference_mode()
def agreement(one, other, rgb):
    maps = [net.eval().hr_logits(torch.from_numpy(rgb)).argmax(1) for net in (one, other)]
    return float((maps[0] == maps[1]).float().mean())


@torch.inference_mode()
def test_a_teacher_sees_views_as_it_was_trained_to(tmp_path):
    teacher = network(5, replace(COMPACT, normalisation=IMAGENET_NORMALISATION))
    rgb = torch.randint(0, 256, (1, 32, 48, 3), dtype=torch.uint8)
    feature = teacher.hr(teacher.images_from_frames(rgb))
    scores = teacher.hr_head.scores(feature, None)
    losses = Teacher(teacher, replace(SETTINGS, teacher_feature=2.0)).losses(rgb, feature, scores)
    assert all(float(loss) == pytest.approx(0.0, abs=1e-6) for loss in losses.values())
    losses = Teacher(teacher, replace(SETTINGS, teacher_feature=2.0)).losses(rgb, feature + 0.5, scores)
    assert float(losses["teacher_feature"]) == pytest.approx(2.0 * 0.25, rel=1e-4)
    assert Teacher(teacher, replace(SETTINGS, teacher_classes=0.0)).losses(rgb, feature, scores) == {}


def test_a_teacher_of_other_classes_or_another_shape_is_refused(tmp_path):
    student, settings = network(1), replace(SETTINGS, teacher_feature=1.0)
    many = safetensors_from_network(network(2, replace(COMPACT, classes=CAMVID_12)), tmp_path / "many.safetensors")
    with pytest.raises(CheckpointError, match="a teacher of 12 classes seen, expected the 11"):
        teacher_from_trained(trained_from_name(many), student, settings)
    wide = safetensors_from_network(network(2, replace(COMPACT, backbone="bise18")), tmp_path / "wide.safetensors")
    with pytest.raises(OptionError, match=r"\(256, 12, 16\) for the teacher and \(64, 24, 32\) for the student"):
        teacher_from_trained(trained_from_name(wide), student, settings)
    teacher = teacher_from_trained(trained_from_name(wide), student, replace(settings, teacher_feature=0.0))
    rgb = torch.zeros(1, 96, 128, 3, dtype=torch.uint8)
    losses = teacher.losses(rgb, torch.zeros(1, 64, 24, 32), torch.zeros(1, 11, 24, 32))
    assert list(losses) == ["teacher_classes"]


def test_boundaries_are_where_classes_meet_and_not_where_labels_end():
    label = torch.full((1, 5, 6), 2)
    label[0, :, 4] = 7  # a pole, one pixel wide
    label[0, :, 0] = 255
    near = on_boundary(label)
    assert near[0].all(0).tolist() == [False, False, False, True, True, True]
    assert near[0].any(0).tolist() == [False, False, False, True, True, True]


def test_a_wrong_pole_costs_more_with_the_boundary_factor_and_a_wrong_wall_inside_costs_less():
    label = torch.zeros(1, 16, 32, dtype=torch.int64)
    label[0, :, 24:26] = 1  # one column at half the size
    good = torch.nn.functional.one_hot(label[:, ::2, ::2], 2).movedim(-1, 1) * 6.0
    pole_missed, wall_wrong = good.clone(), good.clone()
    pole_missed[:, :, :, 12] = torch.tensor([6.0, 0.0])[None, :, None]
    wall_wrong[:, :, :, 4] = torch.tensor([0.0, 6.0])[None, :, None]
    costs = {
        factor: [float(task_loss(wrong, label, torch.ones(2), boundary=factor)) for wrong in (pole_missed, wall_wrong)]
        for factor in (0.0, 3.0)
    }
    assert costs[0.0][0] == pytest.approx(costs[0.0][1])
    assert costs[3.0][0] > 2 * costs[0.0][0]
    assert costs[3.0][1] < costs[0.0][1]


def test_the_balance_goes_from_all_alike_to_the_whole_logarithm():
    import numpy as np

    labels = [np.array([[0, 0, 0, 1]], np.uint8)]
    assert class_weights(labels, 2, balance=0.0).tolist() == [1.0, 1.0]
    root, whole = class_weights(labels, 2), class_weights(labels, 2, balance=1.0)
    assert whole.tolist() == pytest.approx((root**2).tolist())
