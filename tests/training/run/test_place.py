"""What a run takes of the machine."""

import pytest

from edge_arseg.errors import OptionError
from edge_arseg.training.pairs.jobs import store_from_jobs
from edge_arseg.training.run.place import RunPlace


@pytest.mark.parametrize(
    ("name", "number", "least"), [("threads", 0, 1), ("threads", 5000, 1), ("workers", -1, 0), ("workers", 5000, 0)]
)
def test_threads_and_workers_that_no_machine_bears_are_refused(name, number, least):
    with pytest.raises(OptionError, match=f"{number} {name} seen, expected {least} to "):
        RunPlace(**{name: number})
    assert RunPlace(workers=0).workers == 0


def test_so_they_are_where_a_training_is_prepared():
    with pytest.raises(OptionError, match="5000 workers seen, expected 1 to "):
        store_from_jobs(None, [], workers=5000)
