"""A training that starts from a published encoder: what moves, what stays, and what is refused."""

from dataclasses import replace

import pytest
import torch
from support.training.files import write_camvid
from support.training.runs import HR_SETTINGS
from support.training.runs import hr_training as training

from edge_arseg.errors import CheckpointError, MemoryExhaustedError, OptionError
from edge_arseg.network.backbones.lite import Lite0
from edge_arseg.network.checkpoint.safetensors_file import network_from_safetensors
from edge_arseg.network.network import Network
from edge_arseg.spec.model import CAMVID_11, CAMVID_NORMALISATION, Model
from edge_arseg.training.hr.settings import HrSettings
from edge_arseg.training.hr.start import start_encoder
from edge_arseg.training.hr.stills import stills_from_street
from edge_arseg.training.hr.train import train_hr
from edge_arseg.training.lr.settings import LrSettings
from edge_arseg.training.run.encoder import train_backbone
from edge_arseg.training.run.place import RunPlace

LITE0 = Model("camvid-lite0", "lite0", CAMVID_11, CAMVID_NORMALISATION)
ONE = RunPlace(workers=0)
SETTINGS = replace(HR_SETTINGS, steps=2, score_every=2, warmup=1, precision="float32", weight_decay=0.0)


@pytest.fixture(scope="module")
def stills():
    return stills_from_street(5, size=(60, 80), seed=3)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_camvid(tmp_path_factory.mktemp("camvid"), [f"s_{number:02}" for number in range(10)])


def state(network):
    return {key: value.clone() for key, value in network.hr.state_dict().items()}


def moved(run, before):
    """Names of what two steps changed in the HR branch."""
    return {key for key, value in run.network.hr.state_dict().items() if not torch.equal(value, before[key])}


def test_the_encoder_moves_at_its_own_rate_and_its_statistics_stay(tmp_path, stills):
    still = training(tmp_path / "0", stills, replace(SETTINGS, encoder_rate=0.0, fixed_statistics=True), model=LITE0)
    before = state(still.network)
    still.run()
    assert not {key for key in moved(still, before) if key.startswith("encoder.")}
    assert "decoder.context.merge.conv.weight" in moved(still, before)
    assert "decoder.context.merge.bn.running_mean" in moved(still, before)

    slow = training(tmp_path / "1", stills, replace(SETTINGS, encoder_rate=0.1, fixed_statistics=True), model=LITE0)
    slow.run()
    changed = moved(slow, before)
    assert "encoder.stages.3.0.depthwise.weight" in changed
    assert not {key for key in changed if key.startswith("encoder.") and "running" in key}
    # Adam's steps are of the size of the rate, so a tenth of the rate moves a weight a tenth as far
    now = slow.network.hr.state_dict()
    inner, outer = "encoder.stages.3.0.expand.weight", "decoder.lateral.8.weight"
    largest = {key: float((now[key] - before[key]).abs().max()) for key in (inner, outer)}
    assert largest[inner] == pytest.approx(0.1 * largest[outer], rel=0.2)


def test_without_either_the_encoder_moves_like_all_else(tmp_path, stills):
    run = training(tmp_path / "run", stills, SETTINGS, model=LITE0)
    before = state(run.network)
    run.run()
    assert {"encoder.stem.weight", "encoder.stem_bn.running_mean"} <= moved(run, before)


def test_a_run_with_an_encoder_apart_continues_with_the_same_bits(tmp_path, stills):
    settings = replace(SETTINGS, steps=4, encoder_rate=0.3, fixed_statistics=True)
    whole = training(tmp_path / "whole", stills, settings, model=LITE0)
    whole.run()

    def stop(step, loss, miou):
        if step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training(tmp_path / "cut", stills, settings, model=LITE0).run(stop)
    continued = training(tmp_path / "cut", stills, settings, model=LITE0, resume=True)
    continued.run()
    expected = state(whole.network)
    assert all(torch.equal(value, expected[key]) for key, value in state(continued.network).items())


def test_the_encoder_starts_from_the_file_and_says_what_is_left(tmp_path):
    torch.manual_seed(7)
    published = Lite0().encoder.state_dict()
    torch.save({**published, "fc.weight": torch.zeros(1000, 1280)}, tmp_path / "lite0.pth")
    network = Network(LITE0)
    said = start_encoder(network, tmp_path / "lite0.pth")
    assert said == "the encoder starts from lite0.pth; left behind 1: fc.weight"
    assert all(torch.equal(value, published[key]) for key, value in network.hr.encoder.state_dict().items())


def test_images_are_normalised_as_the_encoder_knows_them(tmp_path, dataset):
    weights = tmp_path / "lite0.pth"
    torch.save(Lite0().encoder.state_dict(), weights)
    settings = replace(SETTINGS, backbone="lite0", street=0, steps=1)
    said = []
    trained = train_hr(dataset, tmp_path / "run", settings, weights=weights, place=ONE, say=said.append)
    model = network_from_safetensors(trained.weights).model
    assert model.normalisation.mean == (127 / 255,) * 3
    assert model.name.endswith("-lite0")
    assert said[0] == "the encoder starts from lite0.pth"
    weights.unlink()  # a run that continues has no need of it
    longer = replace(settings, steps=2)
    assert train_hr(dataset, tmp_path / "run", longer, weights=weights, place=replace(ONE, resume=True)).steps == 2


def test_what_cannot_be_meant_is_refused(tmp_path, stills, dataset):
    settings = replace(SETTINGS, street=0)
    with pytest.raises(OptionError, match="--from has the weights of the whole branch, --weights those of its encoder"):
        train_hr(dataset, tmp_path / "run", settings, start=tmp_path, weights=tmp_path)
    with pytest.raises(CheckpointError, match="nothing seen, expected a checkpoint file"):
        train_hr(dataset, tmp_path / "run", replace(settings, backbone="lite0"), weights=tmp_path / "none.pth")
    with pytest.raises(OptionError, match=r"--encoder-rate 0\.5: backbone Compact has no encoder apart"):
        train_hr(dataset, tmp_path / "run", replace(settings, backbone="compact", encoder_rate=0.5), place=ONE)


@pytest.mark.parametrize("kind", [HrSettings, LrSettings])
def test_both_trainings_keep_statistics_and_runs_from_before_continue(kind):
    backbone = Lite0()
    train_backbone(backbone, kind(fixed_statistics=True))
    assert not backbone.encoder.stem_bn.training
    assert backbone.decoder.last[1].training
    assert set(kind(fixed_statistics=True).record()) - set(kind().record()) == {"fixed_statistics"}
    assert "encoder_rate" not in kind().record()  # a run of 0.1.0 has none, and settings must be the same


def test_a_run_that_was_stopped_before_its_first_score_still_starts_from_the_file(tmp_path, dataset):
    torch.manual_seed(7)
    torch.save(Lite0().encoder.state_dict(), tmp_path / "lite0.pth")
    settings = replace(SETTINGS, backbone="lite0", street=0, encoder_rate=0.0, fixed_statistics=True)

    def stopped(step, loss, miou):
        raise KeyboardInterrupt

    def train(path, place, progress=lambda *_: None):
        return train_hr(dataset, path, settings, weights=tmp_path / "lite0.pth", place=place, progress=progress)

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", ONE, stopped)
    trained = train(tmp_path / "run", replace(ONE, resume=True))
    assert trained.steps == 2
    network = network_from_safetensors(trained.weights)
    published = torch.load(tmp_path / "lite0.pth", weights_only=True)
    assert all(torch.equal(value, published[key]) for key, value in network.hr.encoder.state_dict().items())


@pytest.mark.parametrize(("crop", "told"), [((96, 64), True), ((64, 96), False)])
def test_views_across_the_images_are_told(tmp_path, dataset, caplog, crop, told):
    settings = replace(SETTINGS, street=10**9, augmentation=replace(SETTINGS.augmentation, crop=crop))
    with pytest.raises(MemoryExhaustedError):
        train_hr(dataset, tmp_path / "run", settings, place=ONE)
    assert ("96x64 is 96 rows and 64 columns, and the images of camvid have" in caplog.text) is told
