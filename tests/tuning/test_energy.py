"""`--max-j-per-frame` decides the setting, by a power monitor whose numbers move with what runs."""

import math
import time
from dataclasses import replace
from functools import partial

import pytest
from support.bench.trees import hwmon
from support.bundles.toy import ToyEngine

from edge_arseg.bench.sampling.sampling import Sampling
from edge_arseg.cli.main import exit_code
from edge_arseg.runtime.engines.opening import BACKENDS
from edge_arseg.spec.manifest import Role
from edge_arseg.tuning.options import TuneOptions
from edge_arseg.tuning.search.limits import Limits
from edge_arseg.tuning.search.outcome import Outcome
from edge_arseg.tuning.trials import timing
from edge_arseg.tuning.tune import tune

pytest.importorskip("optuna")
TRIES = ("backend=draining", "threads=1", "interval=1,12", "keyframes=fixed", "motion=zero")
FRAME_S, MILLIVOLTS = 0.01, 5000
MILLIAMPERES = {Role.HR: 4000, Role.LR: 400}
"""20 W in the HR branch, and 2 W in the LR branch."""


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Where the machine has its sensors; an engine that sets the current of the first one there."""
    folder = tmp_path / "root"
    folder.mkdir()
    current = folder / "sys/class/hwmon/hwmon3/curr1_input"

    class Draining(ToyEngine):
        def _run(self, feeds):
            if self.role in MILLIAMPERES:
                if current.exists():
                    aside = current.with_name("aside")
                    aside.write_text(f"{MILLIAMPERES[self.role]}\n")
                    aside.replace(current)
                time.sleep(FRAME_S)
            return super()._run(feeds)

    monkeypatch.setattr("support.bundles.toy.Draining", Draining, raising=False)
    monkeypatch.setitem(BACKENDS, "draining", "support.bundles.toy:Draining")
    monkeypatch.setattr(timing, "Sampling", partial(Sampling, root=folder))
    return folder


@pytest.mark.slow
def test_energy_decides_between_hr_on_every_frame_and_on_some(root, toy, clip, tmp_path):
    hwmon(root, "ina3221", {"VDD_IN": (MILLIVOLTS, 400)})
    any_energy = Limits(miou=1.0, mean_ms=60_000.0, j_per_frame=1000.0)
    options = TuneOptions((toy,), clip, tmp_path / "labels", any_energy, TRIES, fusion="graph", frames=48)
    tuned = tune(options, tmp_path / "tuned")
    joules = {one.setting.interval: one.outcome.j_per_frame for one in tuned.tried.values()}
    assert joules[12] < 0.5 * joules[1]
    assert "interval = 1\n" in tuned.config.read_text()  # both hold the limit: the one with most mIoU is taken
    between = replace(any_energy, j_per_frame=math.sqrt(joules[1] * joules[12]))
    tuned = tune(replace(options, limits=between), tmp_path / "tuned")
    assert "interval = 12\n" in tuned.config.read_text()
    none = replace(any_energy, j_per_frame=joules[12] / 2)
    tuned = tune(replace(options, limits=none), tmp_path / "tuned")
    assert (tuned.config, tuned.tried[tuned.verdict.nearest].setting.interval) == (None, 12)
    assert f"at most {none.j_per_frame:g} J asked for" in none.faults(tuned.tried[tuned.verdict.nearest].outcome)[0]


def test_without_a_sensor_it_is_said_what_to_do(root, toy, clip, tmp_path, capfd):
    tries = [word for axis in TRIES for word in ("--try", axis)]
    command = ["tune", toy, "--labels", tmp_path / "labels", "--clip", clip, "--fusion", "graph", *tries]
    command = [str(word) for word in (*command, "--max-j-per-frame", "0.4", "-o", tmp_path / "tuned")]
    assert exit_code(command) == 3
    told = capfd.readouterr().err
    assert "no sensor of power here" in told
    assert "expected one for --max-j-per-frame; leave it out, or tune on the board" in told
    hwmon(root, "ina3221", {"VDD_ODD": (MILLIVOLTS, 400)})  # a rail, but the total of no board
    assert exit_code(command) == 3
    assert "no board is known whose total is among VDD_ODD" in capfd.readouterr().err


def test_what_was_not_measured_holds_no_limit_of_energy():
    """As where the sensor went silent: it passed as 0 J, less than any limit."""
    silent = Outcome(70.0, 69.0, 71.0, 10.0, 9.0, 11.0, 20.0, None)
    measured = replace(silent, j_per_frame=0.3)
    limits = Limits(miou=60.0, j_per_frame=0.4)
    assert (limits.hold(silent), limits.hold(measured)) == (False, True)
    assert limits.faults(silent) == ["energy not measured, at most 0.4 J asked for"]
    assert limits.values(silent)[-1] > limits.values(measured)[-1]
    assert Limits(miou=60.0).hold(silent)
