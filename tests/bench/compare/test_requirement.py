import pytest

from edge_arseg.bench.compare.requirement import requirements_from_text
from edge_arseg.errors import OptionError


def test_a_share_in_the_place_of_points_is_refused():
    with pytest.raises(OptionError, match=r"'miou>=0.6': mIoU is told in points of 100; did you mean miou>=60\?"):
        requirements_from_text("miou>=0.6,p99_ms<=33")
    with pytest.raises(OptionError, match=r"'p99': not a measure; did you mean p99_ms"):
        requirements_from_text("p99<=33")
    assert str(requirements_from_text("miou>=60")[0]) == "miou >= 60"
