import threading
import time

import pytest

from edge_arseg.bench import sensors
from edge_arseg.bench.power import board_rails, measured_energy
from edge_arseg.bench.sensors.hwmon import hwmon_rails
from edge_arseg.bench.sensors.rapl import rapl_counters
from edge_arseg.spec.targets.files import targets


def hwmon(root, chip, rails, number=3):
    folder = root / f"sys/class/hwmon/hwmon{number}"
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{chip}\n")
    for i, (label, (millivolts, milliamperes)) in enumerate(rails.items(), 1):
        (folder / f"in{i}_label").write_text(f"{label}\n")
        (folder / f"in{i}_input").write_text(f"{millivolts}\n")
        (folder / f"curr{i}_input").write_text(f"{milliamperes}\n")
    (folder / "in7_label").write_text("sum of shunt voltages\n")
    (folder / "in7_input").write_text("5\n")


def iio(root, driver, rails):
    folder = root / f"sys/bus/i2c/drivers/{driver}/6-0040/iio:device0"
    folder.mkdir(parents=True)
    for i, (label, (millivolts, milliamperes)) in enumerate(rails.items()):
        (folder / f"rail_name_{i}").write_text(f"{label}\n")
        (folder / f"in_voltage{i}_input").write_text(f"{millivolts}\n")
        (folder / f"in_current{i}_input").write_text(f"{milliamperes}\n")


def test_a_module_with_a_total_rail_is_not_counted_twice(tmp_path):
    hwmon(tmp_path, "ina3221", {"VDD_IN": (5000, 2000), "VDD_CPU_GPU_CV": (5000, 1000), "VDD_SOC": (5000, 400)})
    with measured_energy(tmp_path) as energy:
        time.sleep(0.3)
    assert energy.source == "hwmon, total VDD_IN"
    assert energy.watts == pytest.approx(10.0, rel=0.25)
    assert energy.rails["VDD_SOC"] == pytest.approx(0.2 * energy.joules, rel=0.01)
    assert energy.samples >= 3


def test_an_agx_total_is_the_sum_of_three(tmp_path):
    rails = {"VDD_GPU_SOC": (5000, 1000), "VDD_CPU_CV": (5000, 600), "VIN_SYS_5V0": (5000, 400)}
    hwmon(tmp_path, "ina3221", rails)
    hwmon(tmp_path, "ina3221", {"VDDQ_VDD2_1V8AO": (5000, 9000)}, number=4)
    with measured_energy(tmp_path) as energy:
        time.sleep(0.2)
    assert energy.watts == pytest.approx(10.0, rel=0.3)
    assert "VDD_GPU_SOC + VDD_CPU_CV + VIN_SYS_5V0" in energy.source


def test_other_chips_and_unlabelled_channels_are_no_rails(tmp_path):
    hwmon(tmp_path, "coretemp", {"VDD_IN": (5000, 2000)})
    assert hwmon_rails(tmp_path, board_rails()) == {}
    hwmon(tmp_path, "ina3221", {"VDD_IN": (5000, 2000)}, number=5)
    assert list(hwmon_rails(tmp_path, board_rails())) == ["VDD_IN"]


def test_an_unknown_board_has_rails_but_no_total(tmp_path):
    hwmon(tmp_path, "ina3221", {"VDD_ODD": (5000, 2000)})
    with measured_energy(tmp_path) as energy:
        pass
    assert energy.joules is None
    assert energy.watts is None
    assert "not measured: VDD_ODD" in energy.source


def test_no_sensor_is_said(tmp_path):
    with measured_energy(tmp_path) as energy:
        pass
    assert energy.joules is None
    assert energy.source.startswith("not measured: no sensor")


def rapl(root, microjoules):
    folder = root / "sys/class/powercap/intel-rapl:0"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "name").write_text("package-0\n")
    (folder / "max_energy_range_uj").write_text("1000000000\n")
    (folder / "energy_uj").write_text(f"{microjoules}\n")


def test_a_rapl_counter_may_wrap(tmp_path):
    rapl(tmp_path, 999_000_000)
    with measured_energy(tmp_path) as energy:
        rapl(tmp_path, 4_000_000)
    assert energy.joules == pytest.approx(5.0)
    assert "not the board" in energy.source


def test_a_counter_that_cannot_be_read_is_none(tmp_path):
    rapl(tmp_path, 1)
    (tmp_path / "sys/class/powercap/intel-rapl:0/energy_uj").unlink()
    assert rapl_counters(tmp_path) == {}


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


def test_every_board_has_an_expected_total():
    assert set(TOTALS) == {name for name, target in targets().items() if target.rails}


@pytest.mark.parametrize("name", TOTALS)
def test_the_total_of_each_board_is_measured(name, tmp_path):
    rails = RAILS.get(name, ["VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"])
    watts = {rail: 2.0**i for i, rail in enumerate(rails)}
    values = {rail: (5000, round(200 * watts[rail])) for rail in rails}
    driver = targets()[name].rails.driver
    (iio if driver == "ina3221x" else hwmon)(tmp_path, driver, values)
    with measured_energy(tmp_path) as energy:
        time.sleep(0.06)
    where = "IIO" if driver == "ina3221x" else "hwmon"
    assert energy.source == f"{where}, total {' + '.join(TOTALS[name])}"
    # every rail has a power of its own, so a rail too many or too few is another number
    assert energy.joules / sum(energy.rails.values()) == pytest.approx(
        sum(watts[rail] for rail in TOTALS[name]) / sum(watts.values())
    )


@pytest.mark.parametrize("content", ["", "²", "9" * 5000, "\0", "5000 mV"])
def test_a_reading_that_is_no_number_is_no_rail(content, tmp_path):
    hwmon(tmp_path, "ina3221", {"VDD_IN": (5000, 2000)})
    (tmp_path / "sys/class/hwmon/hwmon3/in1_input").write_text(content)
    assert hwmon_rails(tmp_path, board_rails()) == {}


class Wattmeter:
    """A toy: 3 joules between two readings, of which 2 make the total."""

    source, total, interval_s = "a wattmeter", ("whole",), None

    def __init__(self):
        self.readings = 0

    def read(self):
        self.readings += 1
        return {"whole": 2.0 * self.readings, "part": 1.0 * self.readings}


def test_a_sensor_is_registered_by_one_entry(tmp_path, monkeypatch):
    hwmon(tmp_path, "ina3221", {"VDD_ODD": (5000, 2000)})
    monkeypatch.setattr(sensors, "SENSORS", (*sensors.SENSORS, lambda root, boards: Wattmeter()))
    with measured_energy(tmp_path) as energy:
        time.sleep(0.01)
    assert (energy.source, energy.joules, energy.samples) == ("a wattmeter", 2.0, 2)
    assert energy.rails == {"whole": 2.0, "part": 1.0}


def test_what_goes_wrong_inside_is_raised_and_nothing_reads_on(tmp_path):
    hwmon(tmp_path, "ina3221", {"VDD_IN": (5000, 2000)})
    before = threading.active_count()
    with pytest.raises(KeyError), measured_energy(tmp_path):
        raise KeyError
    assert threading.active_count() == before
