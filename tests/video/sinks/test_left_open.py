"""Sinks that nobody closes: a program without ``with``, that lost the end of its files, or all of them."""

import logging
import os
import subprocess
import sys

import numpy as np
import pytest
from support.clips.watching import results

from edge_arseg import open_sink
from edge_arseg.spec.model import CAMVID_11

PROGRAM = """
import sys
from support.clips.watching import results
from edge_arseg import open_sink
from edge_arseg.spec.model import CAMVID_11

made = results(5)
sink = open_sink(sys.argv[1], size=made[0].class_map.shape, rate=5.0, classes=CAMVID_11)
for result in made:
    sink.write(result)
if len(sys.argv) > 2:
    import os
    if os.fork() == 0:
        sys.exit(0)  # the sink is the parent's
    os.wait()
    for result in results(10)[5:]:
        sink.write(result)
"""


@pytest.mark.parametrize(("forks", "frames"), [((), 5), (("forks",), 10)])
def test_a_program_that_ends_finishes_what_it_wrote(tmp_path, forks, frames):
    """The archive of class ids was not there, and nobody said so."""
    file = tmp_path / "ids.npz"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, file, *forks], capture_output=True, text=True, check=True, env=environment
    )
    with np.load(file) as written:
        assert len(written["time_s"]) == frames
    assert done.stderr == f"{file} was not closed, and is finished now; write: with open_sink(...) as sink\n"


def test_one_that_is_dropped_is_finished_and_one_that_is_closed_is_not_told_of(tmp_path, caplog):
    made = results(3)
    for name, closes in (("a.npz", False), ("b.npz", True)):
        sink = open_sink(tmp_path / name, size=made[0].class_map.shape, rate=5.0, classes=CAMVID_11)
        for result in made:
            sink.write(result)
        if closes:
            sink.close()
        with caplog.at_level(logging.WARNING):
            del sink
        with np.load(tmp_path / name) as written:
            assert len(written["time_s"]) == 3
    assert [record.getMessage().partition(" was")[0] for record in caplog.records] == [str(tmp_path / "a.npz")]
