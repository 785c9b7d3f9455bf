"""The HR training: it learns, and it keeps the best."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.training.runs import HR_SETTINGS as SETTINGS
from support.training.runs import hr_training as training

from edge_arseg.network.checkpoint.safetensors_file import network_from_safetensors
from edge_arseg.spec.frame import Branch
from edge_arseg.spec.model import CAMVID_11, CAMVID_NORMALISATION, Model
from edge_arseg.training.hr import train as hr_training
from edge_arseg.training.hr.settings import HrSettings, StillAugmentation
from edge_arseg.training.hr.stills import stills_from_street
from edge_arseg.training.run.folder import BEST, LAST


@pytest.fixture(scope="module")
def stills():
    return stills_from_street(6, size=(60, 80), seed=3)


@pytest.mark.parametrize("backbone", ["compact", "own_backbone:build"])
def test_the_loss_falls(tmp_path, stills, backbone):
    settings = HrSettings(
        steps=60, batch=2, warmup=5, score_every=20, averaging=0.8, dropout=0.0,
        precision="bfloat16" if backbone == "compact" else "float32",
        augmentation=StillAugmentation(crop=(48, 64)),
    )  # fmt: skip
    model = Model("camvid-x", backbone, CAMVID_11, CAMVID_NORMALISATION)
    run = training(tmp_path / "run", stills, settings, model=model)
    run.run()
    losses = [record["loss"] for record in run.folder.records()]
    assert losses[-1] < 0.75 * losses[0]
    assert run.folder.records()[-1]["miou"] > 8.0


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["bise18", "psp18", "psp18-stride8"])
def test_published_backbones_train_too(tmp_path, stills, backbone):
    settings = HrSettings(
        steps=24,
        batch=2,
        warmup=5,
        score_every=8,
        rate=1e-3,
        precision="bfloat16",
        augmentation=StillAugmentation(crop=(64, 64)),
    )
    run = training(
        tmp_path / "run", stills, settings, model=Model("camvid-x", backbone, CAMVID_11, CAMVID_NORMALISATION)
    )
    run.run()
    losses = [record["loss"] for record in run.folder.records()]
    assert losses[-1] < 0.85 * losses[0]


def test_the_best_is_kept_not_the_last(tmp_path, stills, monkeypatch):
    scores = iter([30.0, 50.0, 40.0])
    kept = {}

    def score(network, held_back, device):
        assert not network.training
        assert len(held_back) == 2
        kept[len(kept)] = network.hr_head.classifier.bias.clone()
        return next(scores)

    monkeypatch.setattr(hr_training, "hr_miou", score)
    run = training(tmp_path / "run", stills)
    run.run()
    assert run.best == 50.0
    best = network_from_safetensors(tmp_path / "run" / BEST, backbone="own_backbone:build")
    assert torch.equal(best.hr_head.classifier.bias, kept[1])
    last = network_from_safetensors(tmp_path / "run" / LAST, backbone="own_backbone:build")
    assert torch.equal(last.hr_head.classifier.bias, kept[2])


def test_nothing_of_the_lr_branch_is_trained(tmp_path, stills):
    run = training(tmp_path / "run", stills)
    before = {key: value.clone() for key, value in run.network.state_dict().items()}
    run.run()
    after = run.network.state_dict()
    changed = {key.partition(".")[0] for key in before if not torch.equal(before[key], after[key])}
    assert changed == {"hr", "hr_head"}


def test_weight_decay_spares_normalisation_and_biases(tmp_path, stills):
    run = training(tmp_path / "run", stills)
    decayed, plain = run.optimizer.param_groups
    assert {p.ndim for p in plain["params"]} == {1}
    assert {p.ndim for p in decayed["params"]} == {4}
    assert plain["weight_decay"] == 0.0
    assert np.isclose(decayed["weight_decay"], SETTINGS.weight_decay)


def test_what_comes_out_says_that_the_hr_branch_alone_was_trained(tmp_path, stills):
    training(tmp_path, stills, replace(SETTINGS, steps=1)).run()
    for name in (BEST, LAST):
        assert network_from_safetensors(tmp_path / name, backbone="own_backbone:build").trained == (Branch.HR,)
