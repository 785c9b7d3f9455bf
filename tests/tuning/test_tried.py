"""Which settings need not be tried again when limits change."""

import math

import pytest

from edge_arseg.tuning.request import Request
from edge_arseg.tuning.search.limits import Limits
from edge_arseg.tuning.search.outcome import Outcome
from edge_arseg.tuning.search.setting import Setting
from edge_arseg.tuning.search.space import Space
from edge_arseg.tuning.study import open_study
from edge_arseg.tuning.trials.tried import Cause, GivenUp, Tried, too_slow

SETTING = Setting("toy", "toy", 1, 1, "fixed", "zero", 1.0)
OUTCOME = Outcome(70.0, 68.0, 72.0, 10.0, 9.0, 11.0, 12.0)


@pytest.mark.parametrize(
    ("given_up", "limits", "stands"),
    [
        (None, Limits(mean_ms=1.0), True),
        (GivenUp(Cause.RIVAL, "surely no better than another"), Limits(), True),
        (GivenUp(Cause.LIMIT, "surely no better than another"), Limits(), False),
        (GivenUp(Cause.LIMIT, "surely slower than 8 ms"), Limits(mean_ms=8.9), True),
        (GivenUp(Cause.LIMIT, "surely slower than 8 ms"), Limits(mean_ms=9.0), False),
        (GivenUp(Cause.LIMIT, "surely below mIoU 75"), Limits(miou=72.5), True),
        (GivenUp(Cause.LIMIT, "surely below mIoU 75"), Limits(miou=72.0), False),
    ],
)
def test_a_setting_that_was_given_up_stands_where_these_limits_would_end_it_too(given_up, limits, stands):
    assert Tried(SETTING, OUTCOME, given_up, None).stands(limits) is stands


def test_only_what_is_surely_slower_is_given_up():
    assert too_slow(OUTCOME, Limits()) is None
    assert too_slow(OUTCOME, Limits(mean_ms=9.0)) is None
    assert too_slow(OUTCOME, Limits(mean_ms=8.5)) == GivenUp(Cause.LIMIT, "surely slower than 8.5 ms: 9.0 or more")
    assert too_slow(Outcome(*[math.nan] * 7), Limits(mean_ms=8.5)) is None


@pytest.mark.parametrize("cause", list(Cause))
def test_a_study_keeps_what_a_setting_was_given_up_for(tmp_path, cause):
    pytest.importorskip("optuna")
    space = Space({axis: (text,) for axis, text in SETTING.params.items()})
    tried = Tried(SETTING, OUTCOME, GivenUp(cause, "why"), None)
    asked = tmp_path, space, Request({}, {}), 2
    with open_study(*asked) as study:
        study.end(study.begin(SETTING), tried, (-70.0, 10.0))
    with open_study(*asked) as study:
        assert list(study.tried().values()) == [tried]
