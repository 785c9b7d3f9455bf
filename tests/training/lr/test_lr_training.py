"""The LR training: it learns, and nothing moves that is to stand still."""

from dataclasses import replace

import pytest
import torch
from support.networks.small import OWN_MODEL, own_network
from support.training.pair_stores import patch_store
from support.training.runs import LR_SETTINGS as SETTINGS
from support.training.runs import lr_training as training

from edge_arseg.errors import OptionError
from edge_arseg.network.checkpoint.safetensors_file import network_from_safetensors
from edge_arseg.network.network import Network
from edge_arseg.spec.frame import Branch
from edge_arseg.spec.model import CAMVID_11, CAMVID_NORMALISATION, Model
from edge_arseg.testing.networks import lived_in
from edge_arseg.training.lr.pairs import pairs_from_stores, spread_pairs
from edge_arseg.training.lr.settings import FusionStart, LrStart
from edge_arseg.training.lr.start import keep_teacher, start_network
from edge_arseg.training.pairs.store import PairStore
from edge_arseg.training.run.folder import BEST


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return patch_store(tmp_path_factory.mktemp("pairs") / "store")


def moved_by(path, store, settings, **more):
    """Which parts of a network a short run changes."""
    run = training(path, store, settings, **more)
    before = {key: value.clone() for key, value in run.network.state_dict().items()}
    run.run()
    after = run.network.state_dict()
    return {".".join(key.split(".")[: 2 if key.startswith("creff") else 1]) for key in before
            if not torch.equal(before[key], after[key])}  # fmt: skip


CREFF = {"creff.query", "creff.key", "creff.value", "creff.position_bias"}


@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ({}, {"lr"} | CREFF),
        ({"supervision": "none"}, {"lr", "lr_head"} | CREFF),
        ({"supervision": "mse"}, {"lr", "lr_head"} | CREFF),
        ({"supervision": "decoder"}, {"lr"} | CREFF),
        ({"supervision": "kl"}, {"lr"} | CREFF),
        ({"fusion": "no-warp"}, {"lr"} | CREFF),
        ({"fusion": "no-attention"}, {"lr"}),
    ],
)
def test_each_switch_trains_the_parts_that_it_says(tmp_path, store, changes, moved):
    assert moved_by(tmp_path, store, replace(SETTINGS, steps=2, **changes)) == moved


def test_the_branch_that_teaches_and_the_decoder_it_shares_come_out_as_they_went_in(tmp_path, store):
    teacher = {key: value.clone() for key, value in own_network().state_dict().items() if key.startswith("hr")}
    training(tmp_path, store).run()
    written = network_from_safetensors(tmp_path / BEST, backbone=OWN_MODEL.backbone)
    assert all(torch.equal(written.state_dict()[key], value) for key, value in teacher.items())
    assert written.head_difference() == 0.0


@pytest.mark.parametrize("both", [True, False])
def test_pairs_without_labels_train_it_too(tmp_path, store, both):
    others = patch_store(tmp_path / "others", clips=3, held_back=1, labelled=False)
    settings = replace(SETTINGS, confidence=0.1)
    run = training(tmp_path / "run", store if both else None, settings, unlabelled=[others])
    run.run()
    records = run.folder.records()
    assert all(record["task"] > 0 and 0 <= record["miou"] <= 100 for record in records)


def losses_of(path, store, backbone, *, steps, rate=1e-3):
    torch.manual_seed(0)
    network = lived_in(Network(Model(f"camvid-{backbone}", backbone, CAMVID_11, CAMVID_NORMALISATION)))
    settings = replace(SETTINGS, steps=steps, score_every=steps // 4, rate=rate, warmup=1, precision="float32")
    run = training(path, store, settings, network=network)
    run.run()
    return [record["loss"] for record in run.folder.records()]


def test_the_loss_falls_with_the_compact_backbone(tmp_path, store):
    losses = losses_of(tmp_path, store, "compact", steps=24)
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["bise18", "psp18"])
def test_the_loss_falls_with_the_published_backbones(tmp_path, backbone):
    """On one clip, over and over: how fast they learn from several depends on more than whether they can."""
    store = patch_store(tmp_path / "store", clips=1)
    losses = losses_of(tmp_path / "run", store, backbone, steps=32, rate=3e-3)
    assert losses[-1] < 0.95 * losses[0]


@pytest.mark.parametrize("start", ["lr", "all"])
def test_an_lr_branch_that_was_never_trained_is_no_start(store, start):
    network = own_network()
    network.trained = (Branch.HR,)
    pairs = pairs_from_stores(network, store, (), lr_scale=0.5, score_pairs=4)
    with pytest.raises(OptionError, match=f"--start {start}: the LR branch of this model was never trained"):
        start_network(network, pairs, SETTINGS, LrStart(start))


def test_what_comes_out_says_that_both_branches_were_trained(tmp_path, store):
    network = own_network()
    network.trained = (Branch.HR,)
    training(tmp_path, store, replace(SETTINGS, steps=1), network=network).run()
    assert network_from_safetensors(tmp_path / BEST, backbone=OWN_MODEL.backbone).trained == (Branch.HR, Branch.LR)


def test_a_smaller_window_is_trained_and_stands_in_what_comes_out(tmp_path, store):
    training(tmp_path, store, replace(SETTINGS, steps=1, window=3)).run()
    written = network_from_safetensors(tmp_path / BEST, backbone=OWN_MODEL.backbone)
    assert (written.model.window, written.creff.window, written.creff.position_bias.shape) == (3, 3, (9,))


def test_a_run_that_continues_keeps_the_hr_branch_that_it_began_with(store):
    """The one in its model's file may have been trained further meanwhile."""
    network, begun = own_network(seed=1), own_network(seed=2).state_dict()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    keep_teacher(network, begun)
    for key, value in network.state_dict().items():
        of_teacher = key.startswith(("hr.", "hr_head."))
        assert torch.equal(value, begun[key] if of_teacher else before[key]), key
    keep_teacher(network, {})
    keep_teacher(network, {"hr.nothing": torch.zeros(3)})
    assert torch.equal(network.hr_head.classifier.bias, begun["hr_head.classifier.bias"])


@pytest.mark.parametrize(
    "start", [{"sharpness": 1e30}, {"locality": 1e39}, {"locality": float("nan")}, {"share": -0.1}]
)
def test_a_start_beyond_all_numbers_is_refused(store, start):
    network = own_network()
    pairs = pairs_from_stores(network, store, (), lr_scale=0.5, score_pairs=4)
    with pytest.raises(OptionError, match="a sharpness from 0 to 100, and a locality from 0 to 1000"):
        start_network(network, pairs, replace(SETTINGS, start=FusionStart(**start)), LrStart.LR)


def test_ever_so_many_scored_pairs_are_those_that_are_there(store):
    assert len(spread_pairs(PairStore(store, part="held_back"), 10**15)) == 4
