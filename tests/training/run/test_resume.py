"""A run of either training that was stopped goes on, and ends with the bits of one that never was."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from support.networks.small import own_network
from support.training.pair_stores import patch_store
from support.training.runs import HR_SETTINGS, LR_SETTINGS, hr_training, lr_training, stop_at
from torch import nn

from edge_arseg.training.hr.stills import stills_from_street
from edge_arseg.training.run.folder import BEST, LAST, STATE


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return {
        "hr": stills_from_street(6, size=(60, 80), seed=3),
        "lr": patch_store(tmp_path_factory.mktemp("pairs") / "store"),
    }


START = {"hr": hr_training, "lr": lr_training}
SETTINGS = {"hr": HR_SETTINGS, "lr": LR_SETTINGS}
SCORED = {"hr": [4, 8, 12], "lr": [3, 6, 8]}


def stopped_run(path, branch, data, step, **more):
    with pytest.raises(KeyboardInterrupt):
        START[branch](path, data[branch], SETTINGS[branch], **more).run(stop_at(step))
    torch.rand(5)  # whatever else draws random numbers before the run goes on


def assert_equal_runs(one, other):
    """The same weights, files and log; times aside."""
    weights, others = one.network.state_dict(), other.network.state_dict()
    assert all(torch.equal(weights[key], others[key]) for key in weights)
    for name in (BEST, LAST):
        weights, others = load_file(one.folder.path / name), load_file(other.folder.path / name)
        assert all(torch.equal(weights[key], others[key]) for key in weights)
    logs = [[{k: v for k, v in r.items() if k != "seconds"} for r in run.folder.records()] for run in (one, other)]
    assert logs[0] == logs[1]


@pytest.mark.parametrize(
    ("branch", "stopped", "kept"),
    [("hr", 4, 4), ("hr", 7, 4), ("hr", 11, 8), ("lr", 2, 0), ("lr", 3, 3), ("lr", 7, 6)],
)
def test_a_run_that_was_stopped_ends_with_the_same_bits(tmp_path, data, branch, stopped, kept):
    whole = START[branch](tmp_path / "whole", data[branch])
    whole.run()
    stopped_run(tmp_path / "again", branch, data, stopped)
    again = START[branch](tmp_path / "again", data[branch], resume=True)
    assert again.step == kept
    again.run()
    assert_equal_runs(whole, again)
    records = again.folder.records()
    assert [record["step"] for record in records] == SCORED[branch]
    assert set(records[0].get("miou_by_distance", ())) == (set() if branch == "hr" else {"1", "3"})


def with_dropout():
    """A network whose LR branch draws random numbers in each step."""
    network = own_network()
    network.lr.register_forward_hook(lambda module, _, feature: nn.functional.dropout(feature, 0.3, module.training))
    return network


def test_a_branch_that_draws_random_numbers_goes_on_with_the_same_ones(tmp_path, data):
    whole = lr_training(tmp_path / "whole", data["lr"], network=with_dropout())
    whole.run()
    stopped_run(tmp_path / "again", "lr", data, 4, network=with_dropout())
    again = lr_training(tmp_path / "again", data["lr"], network=with_dropout(), resume=True)
    again.run()
    assert_equal_runs(whole, again)


@pytest.mark.parametrize("branch", ["hr", "lr"])
def test_making_batches_leaves_the_random_numbers_of_the_run_alone(tmp_path, data, branch):
    run = START[branch](tmp_path, data[branch])
    before = torch.get_rng_state()
    next(iter(run.batches(workers=0)))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("branch", ["hr", "lr"])
def test_a_run_of_0_1_0_goes_on(tmp_path, data, branch):
    whole = START[branch](tmp_path / "whole", data[branch])
    whole.run()
    stopped_run(tmp_path / "again", branch, data, 7)
    path = tmp_path / "again" / STATE
    state = torch.load(path, weights_only=True)
    average = {key.removeprefix("module."): value for key, value in state["average"].items()}
    state["average"] = {"steps": int(average.pop("n_averaged")) - 1, "weights": average}
    assert state["average"]["steps"] == state["step"]
    torch.save(state, path)
    again = START[branch](tmp_path / "again", data[branch], resume=True)
    again.run()
    assert_equal_runs(whole, again)


@pytest.mark.parametrize("branch", ["hr", "lr"])
def test_a_run_that_ended_has_nothing_left_to_do(tmp_path, data, branch):
    settings = replace(SETTINGS[branch], steps=2, score_every=1)
    ended = START[branch](tmp_path, data[branch], settings).run()
    again = START[branch](tmp_path, data[branch], settings, resume=True)
    steps = []
    assert again.run(lambda step, loss, miou: steps.append(step)) == ended
    assert steps == []
