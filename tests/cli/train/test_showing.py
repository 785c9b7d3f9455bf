"""A training as it is shown."""

import math
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge_arseg.cli import progress
from edge_arseg.cli.train.showing import show_training

HERE = {"command": "edge-arseg train hr", "run": Path("run")}


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

    show_training(train, 3600, {}, "x", **HERE)
    assert capsys.readouterr().err.splitlines() == [
        "training: step 1801 of 3600, loss 0.500",
        "training: step 1811 of 3600, loss 0.400, mIoU 64.10 %, 1.50 s a step, 2684 s to go",
    ]


def test_what_to_type_next_has_the_folder_of_the_run(capsys):
    pytest.importorskip("torch")
    trained = SimpleNamespace(weights=Path("my runs/lr/best"), model="toy", branch="lr", steps=1, miou=None)
    show_training(lambda **_: trained, 1, {}, "edge-arseg export {run} -o NAME.arseg", **HERE)
    assert capsys.readouterr().out.splitlines()[-1] == "next: edge-arseg export 'my runs/lr' -o NAME.arseg"


def test_a_run_that_is_interrupted_says_how_it_continues_if_it_was_begun(tmp_path, capsys):
    pytest.importorskip("torch")

    def train(**_):
        raise KeyboardInterrupt

    run = tmp_path / "my run"
    kept = f"the run is kept as it was saved last; to continue it type edge-arseg train hr --resume '{run}'\n"
    for told in ("", kept):
        with pytest.raises(KeyboardInterrupt):
            show_training(train, 1, {}, "x", command="edge-arseg train hr", run=run)
        assert capsys.readouterr().err == told
        run.mkdir(exist_ok=True)
        (run / "settings.json").write_text("{}")
