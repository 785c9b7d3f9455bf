from types import SimpleNamespace

import pytest

from edge_arseg.bench.sensors.nvml import nvml_sensor


class NVMLError(Exception):
    pass


def nvml(lost=(), **answers):
    """A stub of pynvml; what is not answered raises.

    Args:
        lost: for each GPU, whether it is there without a handle; none: one GPU that has one.
        answers: of every query.
    """

    def query(name):
        def ask(*_):
            if name not in answers:
                raise NVMLError(name)
            return answers[name]

        return ask

    def handle(number):
        if number < len(lost) and lost[number]:
            raise NVMLError("GPU is lost")
        return "gpu"

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
        nvmlDeviceGetCount=lambda: len(lost) or 1,
        nvmlDeviceGetHandleByIndex=handle,
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


@pytest.mark.parametrize("lost", [(True, False), (False, True)])
def test_a_gpu_that_is_lost_hides_no_other(lost):
    sensor = nvml_sensor(nvml(lost, PowerUsage=70_000))
    assert [channel.name for channel in sensor.channels] == [f"NVML gpu{lost.index(False)} power"]
    assert sensor.read() == [70.0]


def test_gpus_that_are_all_lost_are_no_sensor():
    assert nvml_sensor(nvml((True, True), PowerUsage=70_000)) is None


def test_each_of_two_gpus_counts_energy_and_not_power_too():
    sensor = nvml_sensor(nvml((False, False), TotalEnergyConsumption=12_000, PowerUsage=70_000))
    assert [channel.name for channel in sensor.channels] == ["NVML gpu0 energy", "NVML gpu1 energy"]


def test_a_gpu_without_power_says_that_it_has_no_total():
    assert nvml_sensor(nvml(Temperature=40)).source == "NVML, no total"
