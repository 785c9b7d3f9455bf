"""A training as it is shown."""

import math
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge_arseg.cli import progress
from edge_arseg.cli.train.showing import show_training


def test_a_run_that_continues_is_as_fast_as_the_steps_it_takes_now(monkeypatch, capsys):
    """It began at step 1800; the steps before are no work of this minute."""
    pytest.importorskip("torch")
    seconds = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: seconds[0])

    def train(*, place, say, progress):
        seconds[0] = 60.0  # the weights are read, the first views made
        progress(1801, 0.5, math.nan)
        seconds[0] = 75.0
        progress(1811, 0.4, 64.1)
        return SimpleNamespace(weights=Path("best"), model="toy", branch="hr", steps=3600, miou=64.1)

    show_training(train, 3600, {}, "x")
    assert capsys.readouterr().err.splitlines() == [
        "training: step 1801 of 3600, loss 0.500",
        "training: step 1811 of 3600, loss 0.400, mIoU 64.10 %, 1.50 s a step, 2684 s to go",
    ]


def test_what_to_type_next_has_the_folder_of_the_run(capsys):
    pytest.importorskip("torch")
    trained = SimpleNamespace(weights=Path("my runs/lr/best"), model="toy", branch="lr", steps=1, miou=None)
    show_training(lambda **_: trained, 1, {}, "edge-arseg export {run} -o NAME.arseg")
    assert capsys.readouterr().out.splitlines()[-1] == "next: edge-arseg export 'my runs/lr' -o NAME.arseg"
