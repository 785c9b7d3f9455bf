from datetime import datetime, timezone

import numpy as np
import pytest

from edge_arseg.bench.sensors.base import GARBAGE
from edge_arseg.bench.sensors.meter import readings_by_session, readings_of_meter
from edge_arseg.errors import DataError


def test_a_meters_log_is_put_on_the_records_clock(tmp_path):
    log = tmp_path / "meter.csv"
    log.write_text(
        "Time,Voltage,Power_mW\n2026-01-01T00:00:01Z,12,5000\n2026-01-01T00:00:02+00:00,12,7000\n1767225603.5,12,E!\n"
    )
    times, watts = readings_of_meter(log, datetime(2026, 1, 1, tzinfo=timezone.utc))
    assert times == pytest.approx([1.0, 2.0, 3.5])
    assert watts[:2] == pytest.approx([5.0, 7.0])
    assert np.isinf(watts[2])
    log.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="columns a, b seen, expected a time"):
        readings_of_meter(log, datetime.now(timezone.utc))


def test_a_meter_that_is_put_on_the_wrong_way_round_says_nothing(tmp_path):
    (tmp_path / "meter.csv").write_text("time,watts\n100,5\n101,-5\n102,0\n")
    _, watts = readings_of_meter(tmp_path / "meter.csv", datetime.fromtimestamp(90, timezone.utc))
    assert watts.tolist() == [5, GARBAGE, 0]


def test_a_record_that_was_gone_on_with_has_the_readings_of_both_times():
    """Begun at 1000, ended at 1030, and gone on with at 2000, at 32 by its clock: not what lies between."""
    times = np.array([999.0, 1005.0, 1029.0, 1500.0, 1999.0, 2000.5, 2004.0])
    own, watts = readings_by_session(times, times / 1000, [(0.0, 1000.0), (32.0, 2000.0)])
    assert own.tolist() == [-1.0, 5.0, 29.0, 32.5, 36.0]
    assert watts.tolist() == [0.999, 1.005, 1.029, 2.0005, 2.004]


def test_a_meters_log_of_a_spreadsheet_begins_with_a_mark(tmp_path):
    log = tmp_path / "meter.csv"
    log.write_bytes(b"\xef\xbb\xbftime,watts\r\n100,5\r\n101,inf\r\n")
    times, watts = readings_of_meter(log, datetime.fromtimestamp(90, timezone.utc))
    assert times.tolist() == [10, 11]
    assert watts.tolist() == [5, GARBAGE]


def test_a_log_of_many_columns_is_told_by_its_first_ones(tmp_path):
    log = tmp_path / "meter.csv"
    log.write_text("a,b,c,d,e,f,g\n1,2,3,4,5,6,7\n")
    with pytest.raises(DataError, match="columns a, b, c, d, e and 2 more seen, expected a time"):
        readings_of_meter(log, datetime.now(timezone.utc))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-01-01T00:00:01Z", 1),
        ("2026-01-01 00:00:01", 1),
        ("2026-01-01T00:00:01.5", 1.5),
        ("2026-01-01T00:00:01,25z", 1.25),
        ("2026-01-01T00:00:01.123456789+00:00", 1.123456),
        ("2026-01-01T02:30:01.5+0230", 1.5),
        ("2025-12-31T23:00:01-01", 1),
        ("20260101T000001Z", 1),
        ("2026-01-01 00:01", 60),
    ],
)
def test_times_of_iso_8601_are_read_alike_with_every_python(tmp_path, text, seconds):
    """Python 3.10 reads three or six decimals alone, and no zone without a colon."""
    (tmp_path / "meter.csv").write_text(f'time,watts\n"{text}",5\n')
    times, watts = readings_of_meter(tmp_path / "meter.csv", datetime(2026, 1, 1, tzinfo=timezone.utc))
    assert times == pytest.approx([seconds], abs=1e-6)
    assert watts.tolist() == [5]


@pytest.mark.parametrize("text", ["noon", "2026-01-01T00:00:61Z", "2026-13-01 00:00:00", "2026-01-01T00:00:01+99", ""])
def test_a_line_whose_time_is_none_is_garbage(tmp_path, text):
    (tmp_path / "meter.csv").write_text(f'time,watts\n2026-01-01T00:00:01Z,5\n"{text}",6\n')
    times, watts = readings_of_meter(tmp_path / "meter.csv", datetime(2026, 1, 1, tzinfo=timezone.utc))
    assert times == pytest.approx([1, 1])
    assert watts.tolist() == [5, GARBAGE]
