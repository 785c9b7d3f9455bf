"""Options that take a duration."""

import pytest

from edge_arseg.cli.settings.duration import DurationType, MillisecondsType


@pytest.mark.parametrize(
    ("typed", "seconds"), [("30", 30.0), ("30s", 30.0), ("10m", 600.0), ("1 h", 3600.0), (".5", 0.5), ("250ms", 0.25)]
)
def test_a_plain_number_is_seconds(typed, seconds):
    assert DurationType().convert(typed, None, None) == seconds


@pytest.mark.parametrize(("typed", "milliseconds"), [("33", 33.0), ("33ms", 33.0), ("0.5s", 500.0)])
def test_a_plain_age_is_milliseconds(typed, milliseconds):
    assert MillisecondsType().convert(typed, None, None) == milliseconds
