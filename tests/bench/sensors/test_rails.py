"""Power monitors of boards, as the kernel shows them."""

import math

import pytest
from support.bench.trees import hwmon, iio, ina238, machine

from edge_arseg.bench.sampling.sampler import _readings, found_sensors
from edge_arseg.bench.sensors import hwmon as hwmon_sensor
from edge_arseg.bench.sensors.base import is_closed
from edge_arseg.bench.sensors.hwmon import hwmon_rails
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


def test_rails_that_root_alone_may_read_are_named_with_the_command_that_opens_them(tmp_path, monkeypatch):
    """Some kernels show them to nobody else; the record said that there was no sensor."""
    folder = hwmon(tmp_path, "ina3221", {"VDD_IN": (5000, 2000)})
    real = hwmon_sensor.number_of
    monkeypatch.setattr(hwmon_sensor, "number_of", lambda path: None if "_input" in path.name else real(path))
    monkeypatch.setattr(hwmon_sensor, "is_closed", lambda path: path.name.startswith("curr"))
    found = found_sensors(machine(tmp_path))
    assert (found.total, found.channels) == (None, ())
    assert found.seen == (f"hwmon, rails that root alone may read: sudo chmod a+r {folder}/*_input",)
    monkeypatch.setattr(hwmon_sensor, "is_closed", lambda path: False)
    assert found_sensors(machine(tmp_path)).seen == ()


def test_a_file_is_closed_where_it_is_there_and_may_not_be_read(tmp_path):
    class Closed:
        def open(self):
            raise PermissionError

    (tmp_path / "open").write_text("5\n")
    assert is_closed(Closed())
    assert not is_closed(tmp_path / "open")
    assert not is_closed(tmp_path / "missing")


def test_a_rail_that_takes_nothing_may_read_a_little_below_it(tmp_path):
    """The GPU's rail of an idle Thor: -392 mW in a public log. As no reading, it made a notice in each record."""
    hwmon(tmp_path, "ina3221", {"VDD_GPU": (4900, -80)})
    found = found_sensors(machine(tmp_path))
    ((_, _, watts),) = _readings(found.sensors[0], found.channels, 0, 0.0)
    assert watts == pytest.approx(-0.392)
    hwmon(tmp_path, "ina3221", {"VDD_GPU": (4900, -800)})
    ((_, _, watts),) = _readings(found.sensors[0], found.channels, 0, 0.0)
    assert math.isinf(watts)


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
