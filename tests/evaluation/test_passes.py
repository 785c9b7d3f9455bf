import pytest

from edge_arseg.errors import OptionError
from edge_arseg.evaluation.labels.encoding import bitrate_from_text
from edge_arseg.evaluation.modes import modes_from_text
from edge_arseg.evaluation.passes import distance_at, phases_from_text
from edge_arseg.runtime.mode import Mode


def test_phases_are_all_or_numbers_in_order():
    assert phases_from_text("all", 4) == (0, 1, 2, 3)
    assert phases_from_text("0", 12) == (0,)
    assert phases_from_text("9, 0,6,3", 12) == (0, 3, 6, 9)


@pytest.mark.parametrize("text", ["", "x", "0,,1", "-1", "12", "0,0", "1.5"])
def test_wrong_phases_are_refused(text):
    with pytest.raises(OptionError, match="phases"):
        phases_from_text(text, 12)


def test_all_phases_of_an_interval_that_nobody_means_are_refused_at_once():
    with pytest.raises(OptionError, match="the clip is run once for each phase; name some"):
        phases_from_text("all", 100_000_000)
    assert phases_from_text("0,40", 100_000_000) == (0, 40)


def test_distances_repeat_from_the_first_keyframe_on():
    assert [distance_at(index, 3, 4) for index in range(3, 12)] == [0, 1, 2, 3, 0, 1, 2, 3, 0]


def test_with_all_phases_each_frame_is_once_at_each_distance():
    for index in range(11, 40):
        assert sorted(distance_at(index, phase, 12) for phase in range(12)) == list(range(12))


def test_bit_rates_are_numbers_with_or_without_a_unit():
    assert [bitrate_from_text(text) for text in ("1M", "500k", "1.5M", "64000")] == [
        1_000_000,
        500_000,
        1_500_000,
        64000,
    ]
    for text in ("", "0", "1", "-1M", "1G", "fast", "1001M", "9" * 400):
        with pytest.raises(OptionError, match="like 1M or 500k"):
            bitrate_from_text(text)


def test_modes_are_named_once_each_with_commas_between():
    assert modes_from_text("ar, lr") == (Mode.AR, Mode.LR)
    for text in ("", "ar,ar", "mr"):
        with pytest.raises(OptionError, match=r"expected one (or more )?of ar, hr, lr"):
            modes_from_text(text)
