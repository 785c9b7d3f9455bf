import math
import os
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from support.bench.trees import hwmon, iio, ina238, rapl

from edge_arseg.bench.sampling.sampler import found_sensors
from edge_arseg.bench.sampling.sampling import board_rails
from edge_arseg.bench.sensors import clocks, heat, process, tegrastats
from edge_arseg.bench.sensors.base import GARBAGE, Machine
from edge_arseg.bench.sensors.hwmon import hwmon_rails
from edge_arseg.bench.sensors.meter import readings_by_session, readings_of_meter
from edge_arseg.bench.sensors.nvml import nvml_sensor
from edge_arseg.bench.sensors.rapl import RaplSensor, rapl_counters
from edge_arseg.errors import DataError
from edge_arseg.spec.targets.files import targets

TOTALS = {
    "jetson-nano": ["POM_5V_IN"],
    "jetson-tx2": ["VDD_IN"],
    "jetson-tx2-nx": ["VDD_IN"],
    "jetson-xavier-nx": ["VDD_IN"],
    "jetson-agx-xavier": ["GPU", "CPU", "SOC", "CV", "VDDRQ", "SYS5V"],
    "jetson-orin-nano-4gb": ["VDD_IN"],
    "jetson-orin-nano-8gb": ["VDD_IN"],
    "jetson-orin-nx-8gb": ["VDD_IN"],
    "jetson-orin-nx-16gb": ["VDD_IN"],
    "jetson-agx-orin-32gb": ["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"],
    "jetson-agx-orin-64gb": ["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"],
    "jetson-thor-t4000": ["VIN"],
    "jetson-thor-t5000": ["VIN"],
}
RAILS = {  # every rail that a board shows
    "jetson-nano": ["POM_5V_IN", "POM_5V_GPU", "POM_5V_CPU"],
    "jetson-tx2": ["VDD_SYS_GPU", "VDD_SYS_SOC", "VDD_4V0_WIFI", "VDD_IN", "VDD_SYS_CPU", "VDD_SYS_DDR"],
    "jetson-tx2-nx": ["VDD_IN", "VDD_CPU_GPU", "VDD_SOC"],
    "jetson-agx-xavier": ["GPU", "CPU", "SOC", "CV", "VDDRQ", "SYS5V"],
    "jetson-agx-orin-32gb": ["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0", "VDDQ_VDD2_1V8AO"],
    "jetson-agx-orin-64gb": ["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0", "VDDQ_VDD2_1V8AO"],
    "jetson-thor-t4000": ["VDD_GPU", "VDD_CPU_SOC_MSS", "VIN_SYS_5V0", "VIN"],
    "jetson-thor-t5000": ["VDD_GPU", "VDD_CPU_SOC_MSS", "VIN_SYS_5V0", "VIN"],
}


def machine(root):
    return Machine(root, board_rails(), os.getpid())


def total_watts(root):
    """Power of the channels that make the total."""
    found = found_sensors(machine(root))
    values = [value for sensor in found.sensors for value in sensor.read()]
    return sum(value for value, channel in zip(values, found.channels, strict=True) if channel.total)


def test_every_board_has_an_expected_total():
    assert set(TOTALS) == {name for name, target in targets().items() if target.rails}


@pytest.mark.parametrize("name", TOTALS)
def test_the_total_of_each_board_is_measured(name, tmp_path):
    """Every rail has a power of its own, so a rail too many or too few is another number."""
    rails = RAILS.get(name, ["VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"])
    watts = {rail: 2.0**i for i, rail in enumerate(rails)}
    driver = targets()[name].rails.driver
    values = {rail: (5000, round(200 * watts[rail])) for rail in rails}
    (iio if driver == "ina3221x" else hwmon)(tmp_path, driver, values)
    found = found_sensors(machine(tmp_path))
    assert found.total == f"{'IIO' if driver == 'ina3221x' else 'hwmon'}, total {' + '.join(TOTALS[name])}"
    assert total_watts(tmp_path) == pytest.approx(sum(watts[rail] for rail in TOTALS[name]))


def test_thor_has_chips_of_two_kinds(tmp_path):
    hwmon(tmp_path, "ina3221", {"VDD_GPU": (5000, 400), "VDD_CPU_SOC_MSS": (5000, 1200)})
    ina238(tmp_path, "VIN", 19_780_000, 5)
    assert total_watts(tmp_path) == pytest.approx(19.78)
    assert set(hwmon_rails(machine(tmp_path))) == {"VDD_GPU", "VDD_CPU_SOC_MSS", "VIN"}


def test_other_chips_and_channels_without_current_are_no_rails(tmp_path):
    hwmon(tmp_path, "coretemp", {"VDD_IN": (5000, 2000)})
    assert hwmon_rails(machine(tmp_path)) == {}
    hwmon(tmp_path, "ina3221", {"VDD_IN": (5000, 2000), "NC": (0, 0)}, number=5)
    assert list(hwmon_rails(machine(tmp_path))) == ["VDD_IN"]


def test_an_unknown_board_has_rails_but_no_total(tmp_path):
    hwmon(tmp_path, "ina3221", {"VDD_ODD": (5000, 2000)})
    found = found_sensors(machine(tmp_path))
    assert found.total is None
    assert "no board is known whose total is among VDD_ODD" in found.seen[0]


@pytest.mark.parametrize("content", ["", "²", "9" * 5000, "\0", "5000 mV"])
def test_a_reading_that_is_no_number_is_no_rail(content, tmp_path):
    folder = hwmon(tmp_path, "ina3221", {"VDD_IN": (5000, 2000)})
    (folder / "in1_input").write_text(content)
    assert hwmon_rails(machine(tmp_path)) == {}


def test_a_sensor_that_vanishes_is_missing_and_one_that_babbles_is_garbage(tmp_path):
    folder = hwmon(tmp_path, "ina3221", {"VDD_IN": (5000, 2000)})
    (sensor,) = found_sensors(machine(tmp_path)).sensors
    assert list(sensor.read()) == [10.0]
    (folder / "curr1_input").write_text("0x7f\n")
    assert list(sensor.read()) == [math.inf]
    (folder / "curr1_input").unlink()
    assert math.isnan(sensor.read()[0])


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


LINES = {
    "JetPack 4, TX2": (
        "RAM 1873/3830MB (lfb 2x1MB) IRAM 0/252kB CPU [12%@1113,off] EMC_FREQ 0%@1600 GR3D_FREQ 0%@114 APE 150 "
        "MTS fg 0% bg 1% PMIC@100C GPU@41C VDD_SYS_GPU 77/77 VDD_SYS_SOC 539/539 VDD_IN 2930/3405",
        {("power", "VDD_IN"): 2.93, ("power", "VDD_SYS_GPU"): 0.077, ("temperature", "GPU"): 41.0},
    ),
    "JetPack 4, Nano": (
        "RAM 1/2MB GR3D_FREQ 0%@76 APE 25 PLL@37C CPU@38.5C POM_5V_IN 1750/1628 POM_5V_GPU 0/0 POM_5V_CPU 366/406",
        {("power", "POM_5V_IN"): 1.75, ("power", "POM_5V_GPU"): 0.0, ("temperature", "CPU"): 38.5},
    ),
    "JetPack 6": (
        "RAM 1/2MB SWAP 0/3MB cpu@52.9C VDD_IN 5072mW/5072mW VDD_CPU_GPU_CV 816mW/816mW VDD_SOC 1464mW/1464mW",
        {("power", "VDD_IN"): 5.072, ("power", "VDD_SOC"): 1.464, ("temperature", "cpu"): 52.9},
    ),
    "JetPack 7.2, AGX Orin": (
        "07-25-2026 09:08:28 RAM 20642/62817MB (lfb 1x2MB) CPU [23%@2201,20%@2199] EMC_FREQ 3%@3199 GR3D_FREQ "
        "12%@[1300,1300] NVENC0 off cpu@52.968C/52.968C VDD_GPU_SOC 5139mW/5139mW/5139mW VDD_CPU_CV "
        "3268mW/3268mW/3268mW VIN_SYS_5V0 5500mW/5500mW/5500mW",
        {("power", "VIN_SYS_5V0"): 5.5, ("clock", "GPU"): 1300.0, ("clock", "CPU"): 2200.0},
    ),
    "JetPack 7.0, Thor": (
        "RAM 1/2MB GR3D_FREQ @[314,314,314] VDD_GPU 1962mW/1962mW VDD_CPU_SOC_MSS 5887mW/5887mW VIN_SYS_5V0 "
        "5635mW/5635mW VIN 19780mW/19780mW",
        {("power", "VIN"): 19.78, ("power", "VDD_GPU"): 1.962, ("clock", "GPU"): 314.0},
    ),
}  # fmt: skip


@pytest.mark.parametrize("generation", LINES)
def test_tegrastats_of_every_generation_is_read(generation):
    line, wanted = LINES[generation]
    found = tegrastats.values_of_line(line)
    assert {name: found.get(name) for name in wanted} == wanted
    assert not {"RAM", "SWAP", "IRAM"} & {name for _, name in found}
    assert ("temperature", "PMIC") not in found


def test_tegrastats_stands_in_where_the_files_are_hidden(tmp_path):
    program = tmp_path / "usr/bin/tegrastats"
    program.parent.mkdir(parents=True)
    program.write_text(
        f"#!{sys.executable}\nimport time\nprint({LINES['JetPack 6'][0]!r}, flush=True)\ntime.sleep(60)\n"
    )
    program.chmod(0o755)
    sensor = tegrastats.find(machine(tmp_path))
    try:
        assert sensor.source == "tegrastats, total VDD_IN"
        assert (
            dict(zip([c.name for c in sensor.channels], sensor.read(), strict=True))["tegrastats VDD_IN power"] == 5.072
        )
        time.sleep(1.1)
        assert all(map(math.isnan, sensor.read()))  # the line is old
    finally:
        sensor.close()
    hwmon(tmp_path, "ina3221", {"VDD_IN": (5000, 2000)})
    assert tegrastats.find(machine(tmp_path)) is None


class NVMLError(Exception):
    pass


def nvml(**answers):
    """A stub of pynvml with one GPU; what is not answered raises."""

    def query(name):
        def ask(*_):
            if name not in answers:
                raise NVMLError(name)
            return answers[name]

        return ask

    names = (
        "TotalEnergyConsumption",
        "PowerUsage",
        "Temperature",
        "ClockInfo",
        "CurrentClocksThrottleReasons",
        "MemoryInfo",
    )
    return SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: None,
        nvmlDeviceGetCount=lambda: 1,
        nvmlDeviceGetHandleByIndex=lambda _: "gpu",
        **{f"nvmlDeviceGet{name}": query(name) for name in (*names, "MemoryInfo")},
    )  # fmt: skip


def test_nvml_that_opens_is_no_sensor():
    assert nvml_sensor(nvml()) is None  # as on Orin: every query is not supported


def test_nvml_counts_energy_before_it_asks_for_power():
    sensor = nvml_sensor(nvml(TotalEnergyConsumption=12_000, PowerUsage=70_000, CurrentClocksThrottleReasons=0x4 | 0x1))
    assert [channel.name for channel in sensor.channels if channel.total] == ["NVML gpu0 energy"]
    assert sensor.read() == [12.0, 1.0]
    only_power = nvml_sensor(nvml(PowerUsage=70_000, CurrentClocksThrottleReasons=0x1))
    assert [(channel.quantity, channel.total) for channel in only_power.channels] == [
        ("power", True),
        ("throttling", False),
    ]
    assert only_power.read() == [70.0, 0.0]


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
