"""What is counted of a run, and how it is told that things stand."""

import pytest
from support.clips.results import result_at

from edge_arseg.serve.figures import Figures


def test_counts_are_those_of_one_moment():
    """They were the ones that the run goes on with: a look at them could see half of a result."""
    figures = Figures()
    figures.add(result_at(0))
    then = figures.counts
    figures.add(result_at(1))
    now = figures.counts
    assert (then.branches, sum(then.latency.counts)) == ({"hr": 1, "lr": 0}, 1)
    assert (now.branches, sum(now.latency.counts)) == ({"hr": 1, "lr": 1}, 2)
    assert now.latency.sum_s == pytest.approx(2 * then.latency.sum_s)


def test_the_waits_of_a_run_are_told(monkeypatch):
    figures = Figures()
    told = [figures.state()]
    for waits in (True, False):
        figures.waiting(waits)
        told.append(figures.state())
    monkeypatch.setattr("edge_arseg.serve.figures.STALLED_S", 0.0)
    assert [*told, figures.state()] == ["starting", "waiting", "running", "stalled"]
