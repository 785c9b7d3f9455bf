import math
import sys
import time

import numpy as np
import pytest
from support.bench.trees import hwmon

from edge_arseg.bench import sensors
from edge_arseg.bench.records.energy import Channel
from edge_arseg.bench.records.journal import Journal, entries_of, repair
from edge_arseg.bench.sampling.sampler import found_sensors, read_until
from edge_arseg.bench.sampling.sampling import Sampling, board_rails
from edge_arseg.bench.sensors.base import Machine
from edge_arseg.errors import EnvironmentUnfitError


class Wattmeter:
    """A toy whose fifth reading is more than any machine takes."""

    source, interval_s = "a wattmeter", 0.002
    channels = (Channel("whole", "power", total=True), Channel("part", "power"))

    def __init__(self):
        self.readings = 0

    def read(self):
        self.readings += 1
        return [1e9 if self.readings == 5 else 4.0, 2.0]

    def close(self):
        pass


@pytest.mark.timed
def test_a_sensor_is_registered_by_one_entry(tmp_path, monkeypatch):
    """And what it says is looked at: a reading that cannot be is marked, not taken."""
    hwmon(tmp_path, "ina3221", {"VDD_ODD": (5000, 2000)})
    monkeypatch.setattr(sensors, "SENSORS", (*sensors.SENSORS, lambda machine: Wattmeter()))
    found = found_sensors(Machine(tmp_path, board_rails()))
    assert found.total == "a wattmeter"
    assert [channel.name for channel in found.channels if channel.total] == ["whole"]
    end = time.monotonic() + 0.2
    with Journal(tmp_path / "j") as journal:

        def ended(seconds):
            time.sleep(seconds)
            return time.monotonic() > end

        read_until(found, journal, zero=time.monotonic(), ended=ended)
    rows = np.concatenate(list(entries_of(tmp_path / "j")))
    whole = rows[rows["channel"] == 1]["value"]
    assert math.isinf(whole[4])
    assert set(np.delete(whole, 4)) == {4.0}
    assert len(whole) > 30


def test_a_process_of_its_own_reads_25_times_a_second(tmp_path):
    hwmon(tmp_path, "ina3221", {"VDD_IN": (5000, 2000)})
    zero = time.monotonic()
    with Sampling(tmp_path / "j", zero=zero, root=tmp_path) as sampling:
        begun = time.monotonic() - zero
        time.sleep(1.0)
        end = time.monotonic() - zero
    assert sampling.total == "hwmon, total VDD_IN"
    told, *tables = entries_of(tmp_path / "j")
    assert told["channels"] == [{"name": "hwmon VDD_IN", "quantity": "power", "total": True}]
    rows = np.concatenate(tables)
    assert set(rows["value"]) == {10.0}
    assert begun - 0.5 < rows["time_s"][0] < rows["time_s"][-1] <= end + 0.5
    assert len(rows) > 10


def test_sensors_that_are_not_read_to_the_end_are_told(tmp_path, caplog):
    """A process that had crashed was like one that had ended: the record lacked its readings without a word."""
    with Sampling(tmp_path / "whole", zero=time.monotonic(), root=tmp_path):
        pass
    assert not caplog.text
    with Sampling(tmp_path / "j", zero=time.monotonic(), root=tmp_path) as sampling:
        sampling._process.kill()
    assert "the process that reads sensors ended early, by SIGKILL" in caplog.text


def test_an_answer_that_is_cut_off_is_none(tmp_path, monkeypatch):
    """It was read as JSON, and ended in the fault of that."""
    child = tmp_path / "child"
    child.write_text("#!/bin/sh\nprintf '{\"channels\": ['\nexit 3\n")
    child.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(child))
    with pytest.raises(EnvironmentUnfitError, match="did not say what it reads, and ended with exit code 3"):
        Sampling(tmp_path / "j", zero=time.monotonic())


def test_what_a_crash_cut_off_is_left_out_and_more_can_be_appended(tmp_path):
    path = tmp_path / "j"
    with Journal(path) as journal:
        journal.say(run=0)
        journal.add(np.arange(3))
        journal.add(np.arange(1000))
    path.write_bytes(path.read_bytes()[:-7])
    assert [len(entry) for entry in entries_of(path)] == [1, 3]
    repair(path)
    with Journal(path) as journal:
        journal.say(run=1, finished=True)
    assert [len(entry) for entry in entries_of(path)] == [1, 3, 2]
    assert list(entries_of(tmp_path / "nothing")) == []


@pytest.mark.parametrize("place", [3, 12, 40])
def test_a_byte_that_changed_ends_the_journal(tmp_path, place):
    path = tmp_path / "j"
    with Journal(path) as journal:
        journal.add(np.arange(30))
    data = bytearray(path.read_bytes())
    data[place] ^= 0x40
    path.write_bytes(data)
    assert list(entries_of(path)) == []
