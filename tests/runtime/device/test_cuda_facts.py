import pytest

from edge_arseg.runtime.device.cuda import DeviceFacts
from edge_arseg.runtime.device.cuda_facts import LIBRARY, facts_from_driver


class Driver:
    """``libcuda.so.1`` with one GPU; ``fails`` names the call that returns an error."""

    def __init__(self, fails=""):
        calls = {
            "cuInit": lambda flags: 0,
            "cuDeviceGet": lambda device, index: 0 if index == 0 else 101,
            "cuDeviceGetAttribute": attribute,
            "cuDeviceGetName": lambda name, length, device: setattr(name, "value", b"Orin"),
            "cuDeviceTotalMem_v2": lambda size, device: setattr(size._obj, "value", 62 << 30),
        }
        calls[fails] = lambda *_: 100  # CUDA_ERROR_NO_DEVICE
        vars(self).update(calls)


def attribute(value, number, device):
    value._obj.value = {16: 16, 75: 8, 76: 7}[number]


def load(driver):
    return lambda name: driver if name == LIBRARY else pytest.fail(name)


def test_the_driver_s_answers_are_taken_as_they_are(monkeypatch):
    monkeypatch.setattr("edge_arseg.runtime.device.cuda_facts.board_module", lambda: "p3701-0005")
    assert facts_from_driver(load=load(Driver())) == DeviceFacts("p3701-0005", (8, 7), 16, 62 << 30)
    monkeypatch.setattr("edge_arseg.runtime.device.cuda_facts.board_module", lambda: None)
    facts = facts_from_driver(load=load(Driver()))
    assert facts is not None
    assert facts.name == "Orin"


@pytest.mark.parametrize(
    "fails", ["cuInit", "cuDeviceGet", "cuDeviceGetAttribute", "cuDeviceGetName", "cuDeviceTotalMem_v2"]
)
def test_a_driver_that_fails_is_no_gpu(fails):
    assert facts_from_driver(load=load(Driver(fails))) is None


def test_no_driver_and_no_such_gpu_are_no_gpu():
    def missing(name):
        raise OSError(name)

    assert facts_from_driver(load=missing) is None
    assert facts_from_driver(1, load=load(Driver())) is None


def test_the_real_loader_is_asked_without_harm():
    facts = facts_from_driver()
    assert facts is None or facts.sm_count > 0
