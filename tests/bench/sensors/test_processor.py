"""Counters, temperatures and clocks of processors, and the process that is measured."""

import math
import time
from pathlib import Path

import pytest
from support.bench.trees import machine, rapl

from edge_arseg.bench.sensors import clocks, heat, process
from edge_arseg.bench.sensors.rapl import RaplSensor, rapl_counters


def test_a_rapl_counter_may_wrap(tmp_path):
    rapl(tmp_path, 999_000_000)
    sensor = RaplSensor(rapl_counters(tmp_path))
    rapl(tmp_path, 4_000_000)
    assert sensor.read() == pytest.approx([5.0])
    (tmp_path / "sys/class/powercap/intel-rapl:0/energy_uj").unlink()
    assert math.isnan(sensor.read()[0])
    rapl(tmp_path, 6_000_000)
    assert sensor.read() == pytest.approx([7.0])
    assert "not the board" in sensor.source


def test_a_counter_that_cannot_be_read_is_none(tmp_path):
    rapl(tmp_path, 1)
    (tmp_path / "sys/class/powercap/intel-rapl:0/energy_uj").unlink()
    assert rapl_counters(tmp_path) == {}


def test_heat_and_clocks_are_found(tmp_path):
    sys_folder = tmp_path / "sys"
    for path, text in {
        "class/thermal/thermal_zone0/type": "cpu-thermal",
        "class/thermal/thermal_zone0/temp": "61500",
        "class/thermal/thermal_zone1/type": "off-thermal",
        "class/thermal/cooling_device0/type": "pwm-fan",
        "class/thermal/cooling_device0/cur_state": "3",
        "class/thermal/cooling_device1/type": "cpufreq-cpu0",
        "class/thermal/cooling_device1/cur_state": "0",
        "devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "7",
        "devices/system/cpu/cpufreq/policy0/scaling_cur_freq": "1510400",
        "class/devfreq/17000000.gpu/cur_freq": "918000000",
        "class/devfreq/15340000.vic/cur_freq": "1",
    }.items():
        (sys_folder / path).parent.mkdir(parents=True, exist_ok=True)
        (sys_folder / path).write_text(f"{text}\n")
    sensor = heat.find(machine(tmp_path))
    assert [channel.name for channel in sensor.channels] == ["cpu-thermal temperature", "throttling"]
    assert sensor.read() == [61.5, 0.0]
    (sys_folder / "devices/system/cpu/cpu0/thermal_throttle/core_throttle_count").write_text("8\n")
    assert sensor.read()[1] == 1.0
    assert sensor.read()[1] == 0.0
    (sys_folder / "class/thermal/cooling_device1/cur_state").write_text("2\n")
    assert sensor.read()[1] == 1.0
    names = [channel.name for channel in clocks.find(machine(tmp_path)).channels]
    assert names == ["CPU policy0 clock", "GPU 17000000.gpu clock"]
    assert clocks.find(machine(tmp_path)).read() == pytest.approx([1510.4, 918.0])


@pytest.mark.timed  # QEMU says in /proc/self/stat that no time was taken
def test_the_process_sees_its_own_memory_and_time():
    sensor = process.find(machine(Path("/")))
    before = sensor.read()
    start = time.process_time()
    while time.process_time() - start < 0.2:
        pass
    after = sensor.read()
    assert 10 < after[0] < 10_000
    assert after[1] - before[1] == pytest.approx(0.2, abs=0.05)
