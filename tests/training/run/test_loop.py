"""The loop of a training: what a training has to give, and what the loop makes of it."""

import math
from dataclasses import dataclass

import pytest
import torch
from safetensors.torch import load_file
from support.networks.small import OWN_MODEL

from edge_arseg.errors import DataError, OptionError
from edge_arseg.network.network import Network
from edge_arseg.training.run.folder import BEST, LAST, RunFolder
from edge_arseg.training.run.loop import TrainingRun
from edge_arseg.training.run.settings import RunSettings

BIAS = "hr_head.classifier.bias"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToySettings(RunSettings):
    steps: int = 6
    rate: float = 0.1
    warmup: int = 0
    weight_decay: float = 0.0
    score_every: int = 2
    precision: str = "float32"


class Toy(TrainingRun[torch.Tensor]):
    """Brings one bias of the head to the numbers that it is given."""

    name = "a bias"

    def __init__(self, folder, scores, settings):
        network = Network(OWN_MODEL)
        self.scores = iter(scores)
        trained = [network.hr_head.classifier.bias]
        super().__init__(
            network, settings, folder, device=torch.device("cpu"), workers=0, trained=trained, decayed=[]
        )  # fmt: skip

    def batches(self, *, workers):
        return (torch.tensor(1.0) for _ in range(self.step, self.settings.steps))

    def loss(self, batch):
        difference = self.network.hr_head.classifier.bias - batch
        return {"loss": difference.square().mean(), "largest": difference.abs().max()}

    def score(self):
        return {"by": "hand", "miou": next(self.scores)}


def toy(path, scores=(30.0, 50.0, 40.0), **changes):
    settings = ToySettings(**changes)
    return Toy(RunFolder.create(path, settings.record()), scores, settings)


def test_a_training_that_says_what_is_trained_runs_scores_and_keeps_the_best(tmp_path):
    run, told = toy(tmp_path), []
    trained = run.run(lambda step, loss, miou: told.append((step, miou)))
    assert (trained.weights, trained.branch, trained.steps, trained.miou) == (tmp_path / BEST, "a bias", 6, 50.0)
    assert [step for step, _ in told] == [1, 2, 3, 4, 5, 6]
    assert math.isnan(told[0][1])
    assert [miou for _, miou in told[1:]] == [30.0, 30.0, 50.0, 50.0, 40.0]
    records = run.folder.records()
    assert [(r["step"], r["by"], r["miou"], r["best"]) for r in records] == [
        (2, "hand", 30.0, 30.0),
        (4, "hand", 50.0, 50.0),
        (6, "hand", 40.0, 50.0),
    ]
    assert records[0]["loss"] > records[1]["loss"] > records[2]["loss"]
    assert records[0]["largest"] > records[2]["largest"]
    assert not torch.equal(load_file(tmp_path / BEST)[BIAS], load_file(tmp_path / LAST)[BIAS])
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_steps_change_what_is_trained_and_nothing_else(tmp_path):
    run = toy(tmp_path)
    before = {key: value.clone() for key, value in run.network.state_dict().items()}
    run.run()
    assert [key for key, value in run.network.state_dict().items() if not torch.equal(value, before[key])] == [BIAS]


def test_the_first_step_moves_by_the_rate(tmp_path):
    """Adam's first step is the learning rate whatever the gradient; the cosine has not begun to fall."""
    run = toy(tmp_path, scores=[1.0], steps=1, rate=0.25)
    before = run.network.state_dict()[BIAS].clone()
    run.run()
    assert (run.network.state_dict()[BIAS] - before).abs().tolist() == pytest.approx([0.25] * 11, rel=1e-3)


class Unscored(Toy):
    def score(self):
        return {}


def test_where_nothing_is_held_back_the_last_weights_are_the_best(tmp_path):
    settings, told = ToySettings(), []
    trained = Unscored(RunFolder.create(tmp_path, settings.record()), (), settings).run(lambda *step: told.append(step))
    assert trained.miou is None
    assert all(math.isnan(miou) for _, _, miou in told)
    assert torch.equal(load_file(tmp_path / BEST)[BIAS], load_file(tmp_path / LAST)[BIAS])


class Diverging(Toy):
    def loss(self, batch):
        losses = super().loss(batch)
        return losses if self.step < 2 else {**losses, "loss": losses["loss"] * math.inf}


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_what_was_good(tmp_path):
    settings = ToySettings()
    run = Diverging(RunFolder.create(tmp_path, settings.record()), (30.0, 50.0, 40.0), settings)
    with pytest.raises(
        OptionError, match=r"step 3: the loss is .*best\.safetensors\. Start a new run, in another folder"
    ):
        run.run()
    assert run.folder.load_state()["step"] == 2
    assert all(bool(torch.isfinite(value).all()) for value in load_file(tmp_path / BEST).values())


def test_it_ends_at_once_and_names_every_factor_that_may_be_too_large(tmp_path):
    settings = ToySettings(steps=600, score_every=300, overlap=1e30, encoder_rate=1.0)
    run = Diverging(RunFolder.create(tmp_path, settings.record()), (), settings)
    with pytest.raises(OptionError, match=r"step 3: .* less than --rate 0\.1, --overlap 1e\+30, or in --precision"):
        run.run()


def test_a_run_that_ends_before_anything_is_saved_leaves_nothing_and_says_so(tmp_path):
    """Its folder could be neither continued nor named again."""
    settings = ToySettings(steps=600, score_every=300)
    folder = RunFolder.create(tmp_path / "run", settings.record())
    told = "Nothing was saved before it, and nothing is left. Start again, in the same folder or another, with less"
    with pytest.raises(OptionError, match=f"step 3: .*{told}"):
        Diverging(folder, (), settings).run()
    assert list((tmp_path / "run").iterdir()) == []
    RunFolder.create(tmp_path / "run", ToySettings(rate=0.01).record())


def test_the_state_of_another_run_is_not_continued(tmp_path):
    run = toy(tmp_path)
    run.run()
    state = run.folder.load_state()
    others = [{"step": 1}, {**state, "network": {}}, {**state, "optimizer": 3}, {**state, "random": torch.zeros(3)}]
    for other in others:
        run.folder.save_state(other)
        with pytest.raises(DataError, match=r"state\.pt: not the state of this run .*; start a new run"):
            Toy(run.folder, (), ToySettings())
