"""The defaults of training are written once, in the settings: a command without options asks for exactly them."""

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

from edge_arseg.training.hr.settings import HrSettings
from edge_arseg.training.hr.train import train_hr
from edge_arseg.training.lr.settings import LrSettings, LrStart
from edge_arseg.training.lr.train import train_lr
from edge_arseg.training.run.loop import TrainedBranch
from edge_arseg.training.run.place import HERE


@pytest.fixture
def calls(monkeypatch, tmp_path):
    """What the commands hand to the two trainings, which do not run."""
    calls = []

    def train(*arguments, say, progress, **keywords):
        calls.append((arguments, keywords))
        return TrainedBranch(tmp_path / "best.safetensors", "model", "branch", 1, 50.0)

    monkeypatch.setattr("edge_arseg.training.hr.train.train_hr", train)
    monkeypatch.setattr("edge_arseg.training.lr.train.train_lr", train)
    return calls


def test_train_hr_asks_for_the_defaults(edge_arseg, calls, tmp_path):
    answer = edge_arseg("train", "hr", "data", "-o", tmp_path)
    assert answer.code == 0, answer.err
    (_, output, settings), keywords = calls[0]
    assert (output, settings) == (tmp_path, HrSettings())
    place = keywords.pop("place")
    assert place.typed is not None
    assert place.typed["dataset"] == str(Path.cwd() / "data")  # for a later --resume
    assert replace(place, typed=None) == HERE
    assert keywords == {name: train_hr.__kwdefaults__[name] for name in keywords}


def test_train_lr_asks_for_the_defaults(edge_arseg, calls, tmp_path):
    answer = edge_arseg("train", "lr", "model", "-o", tmp_path)
    assert answer.code == 0, answer.err
    (_, output, settings), keywords = calls[0]
    assert (output, settings) == (tmp_path, LrSettings())
    place = keywords.pop("place")
    assert place.typed is not None
    assert place.typed["model"] == str(Path.cwd() / "model")  # for a later --resume
    assert replace(place, typed=None) == HERE
    assert keywords == {name: train_lr.__kwdefaults__[name] for name in keywords}


def test_options_reach_the_settings(edge_arseg, calls, tmp_path):
    (tmp_path / "settings.json").write_text("{}")
    arguments = ("--steps", 3, "--fst", "kl", "--start", "all", "--locality", 2, "--workers", 0, "--resume")
    assert edge_arseg("train", "lr", "model", "-o", tmp_path, *arguments).code == 0
    (*_, settings), keywords = calls[0]
    assert (settings.steps, settings.supervision, settings.start.locality) == (3, "kl", 2.0)
    assert (keywords["start"], keywords["place"].workers, keywords["place"].resume) == (LrStart.ALL, 0, True)
