"""What may be named where a trained network is taken: a bundle is one too."""

from dataclasses import replace

import pytest
import torch
from support.training.runs import HR_SETTINGS

from edge_arseg.errors import CheckpointError
from edge_arseg.network.checkpoint.safetensors_file import safetensors_from_network
from edge_arseg.network.network import Network
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.bundles.zoo import ZOO
from edge_arseg.spec.frame import Branch
from edge_arseg.spec.manifest import Precision, Role
from edge_arseg.spec.model import CAMVID_11, CAMVID_NORMALISATION, Model
from edge_arseg.training.hr.start import start_from
from edge_arseg.training.hr.teacher import teacher_from_trained
from edge_arseg.training.trained import Trained, network_from_bundle, trained_from_name

FLOAT32, INT8, LITE1 = "camvid-compact", "camvid-compact-int8", "camvid-lite1-int8"


@torch.no_grad()
@pytest.mark.parametrize(("name", "least"), [(FLOAT32, 0.9999), (INT8, 0.996), (LITE1, 0.99)])
def test_a_shipped_bundle_is_the_network_that_it_was_exported_from(name, least):
    trained = trained_from_name(name)
    network, golden = trained.network(), trained.bundle.golden_frames()
    trained.spread(network, golden.frames, network.lr_scale)
    last = len(golden.frames) - 1
    keyframe, frame, flow = map(torch.from_numpy, (golden.frames[0], golden.frames[last], golden.flows[last]))
    for logits, expected in (
        (network.hr_logits(frame), golden.hr_maps[last]),
        (network.lr_logits(frame, 0.5), golden.lr_maps[last]),
        (network.ar_logits(keyframe, frame, flow, 0.5), golden.ar_maps[last]),
    ):
        assert float((logits[0].argmax(0).numpy() == expected).mean()) > least
    assert (network.trained, network.lr_scale) == ((Branch.HR, Branch.LR), 0.5)


def test_bundles_files_and_runs_are_told_apart(tmp_path, monkeypatch):
    network = Network(Model("own", "compact", CAMVID_11, CAMVID_NORMALISATION))
    (tmp_path / "run").mkdir()
    file = safetensors_from_network(network, tmp_path / "run" / "best.safetensors")
    (tmp_path / "renamed").symlink_to(ZOO / "camvid-compact-360x480.arseg")
    monkeypatch.chdir(tmp_path)
    assert trained_from_name("run") == Trained(file.relative_to(tmp_path), "run")
    assert trained_from_name(file) == Trained(file, "best.safetensors")
    digest = read_bundle(ZOO / "camvid-compact-360x480.arseg").digest
    assert {trained_from_name(one).sha256 for one in ("renamed", FLOAT32, "camvid-compact-360x480")} == {digest}
    (tmp_path / FLOAT32).symlink_to(tmp_path / "run")
    assert trained_from_name(FLOAT32).bundle is None  # a path wins


def test_a_name_that_nothing_has_says_what_is_expected():
    with pytest.raises(CheckpointError, match=r"no bundle is called 'camvid-lite'.*camvid-lite1-int8.*run of `train`"):
        trained_from_name("camvid-lite")
    with pytest.raises(CheckpointError, match=r"runs/none: nothing there; expected a \.safetensors file"):
        trained_from_name("runs/none").network()


def test_a_bundle_of_another_backbone_says_what_to_type():
    with pytest.raises(CheckpointError, match=r"backbone lite1 seen, compact expected; type --backbone lite1"):
        trained_from_name(LITE1).network(backbone="compact")


def test_a_bundle_and_a_file_name_their_backbone_but_for_one_that_would_be_imported(tmp_path):
    def written(backbone):
        network = Network(Model("own", "compact", CAMVID_11, CAMVID_NORMALISATION))
        network.model = replace(network.model, backbone=backbone)
        return trained_from_name(safetensors_from_network(network, tmp_path / "weights.safetensors"))

    assert (trained_from_name(LITE1).backbone, written("compact").backbone) == ("lite1", "compact")
    with pytest.raises(CheckpointError, match=r"weights\.safetensors: backbone compact seen, lite0 expected; type"):
        written("compact").network(backbone="lite0")
    with pytest.raises(CheckpointError, match=r"if that is yours: --backbone mine:build"):
        _ = written("mine:build").backbone


def test_float16_is_refused():
    bundle = read_bundle(ZOO / "camvid-compact-360x480.arseg")
    entry = replace(bundle.manifest.graphs[Role.HR], precision=Precision.FP16)
    graphs = {**bundle.manifest.graphs, Role.HR: entry}
    half = replace(bundle, manifest=replace(bundle.manifest, graphs=graphs))
    with pytest.raises(CheckpointError, match=r"hr fp16, lr fp32, .* seen, expected float32, or int8"):
        network_from_bundle(half)


def test_a_bundle_of_the_hr_branch_alone_has_no_trained_lr_branch():
    bundle = read_bundle(ZOO / "camvid-compact-360x480.arseg")
    graphs = {Role.HR: bundle.manifest.graphs[Role.HR]}
    alone = replace(bundle.manifest, graphs=graphs, branches=(Branch.HR,), fusion_weights=None)
    network = network_from_bundle(replace(bundle, manifest=alone))
    assert (network.trained, network.lr_scale) == ((Branch.HR,), None)


@torch.no_grad()
def test_hr_training_starts_from_a_bundle_with_statistics_of_its_own_pictures():
    trained = trained_from_name(INT8)
    golden = trained.bundle.golden_frames()
    network = Network(Model("own", "compact", CAMVID_11, CAMVID_NORMALISATION))
    assert start_from(network, trained, lambda: golden.frames[:2]) is None
    found = network.eval().hr_logits(torch.from_numpy(golden.frames[0]))[0].argmax(0).numpy()
    assert float((found == golden.hr_maps[0]).mean()) > 0.996
    means = torch.cat([buffer for name, buffer in network.hr.named_buffers() if name.endswith("running_mean")])
    assert float(means.abs().mean()) > 0.1


def test_a_bundle_teaches():
    student = Network(Model("own", "compact", CAMVID_11, CAMVID_NORMALISATION))
    teacher = teacher_from_trained(trained_from_name(LITE1), student, replace(HR_SETTINGS, teacher_feature=0.5))
    assert teacher.network.model.backbone == "lite1"
