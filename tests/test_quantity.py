import pytest

from edge_arseg.bench.conditions import Conditions, conditions_now
from edge_arseg.cli.progress import CLIPS, Meter
from edge_arseg.doctor import findings as doctor
from edge_arseg.quantity import counted


@pytest.mark.parametrize(
    ("number", "noun", "told"),
    [
        (1, "core", "1 core"),
        (2, "core", "2 cores"),
        (0, "frame", "0 frames"),
        (1, "hr frame", "1 hr frame"),
        (24, "hr frame", "24 hr frames"),
        (1, "wrong entry", "1 wrong entry"),
        (3, "wrong entry", "3 wrong entries"),
        (2, "process", "2 processes"),
        (1.0, "frame", "1 frame"),
        (1.5, "frame", "1.5 frames"),
        (float("nan"), "frame", "nan frames"),
    ],
)
def test_one_of_a_thing_is_told_as_one(number, noun, told):
    assert counted(number, noun) == told


def test_doctor_on_one_core_tells_of_one_core(monkeypatch):
    from dataclasses import replace

    here: Conditions = replace(conditions_now(), cores=1)
    monkeypatch.setattr(doctor, "conditions_now", lambda root: here)
    machine = next(one for one in doctor.findings() if one.subject == "machine")
    assert ", 1 core, " in machine.seen


@pytest.mark.parametrize(
    ("done", "total", "told"),
    [(1, None, "1 clip"), (2, None, "2 clips"), (1, 1, "1 of 1 clip"), (1, 3, "1 of 3 clips")],
)
def test_a_meter_tells_one_as_one(done, total, told, capsys):
    meter = Meter(unit=CLIPS)
    meter.show(done, total, "making")
    assert f"making: {told}" in capsys.readouterr().err
