"""What the CUDA driver says of a GPU, asked without a context, pycuda or any other binding."""

import ctypes
from collections.abc import Callable
from typing import Any

from edge_arseg.runtime.device.cuda import DeviceFacts
from edge_arseg.runtime.device.jetson_signs import board_module

LIBRARY = "libcuda.so.1"
_SM_COUNT, _MAJOR, _MINOR = 16, 75, 76
"""``CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT``, ``..._COMPUTE_CAPABILITY_MAJOR``, ``..._MINOR`` of ``cuda.h``."""


def facts_from_driver(index: int = 0, *, load: Callable[[str], Any] = ctypes.CDLL) -> DeviceFacts | None:
    """Ask the driver; ``None`` where there is no driver, or it fails, or it lists no such GPU.

    Args:
        index: of the GPU.
        load: opens the library.
    """
    try:
        cuda = load(LIBRARY)
    except OSError:
        return None
    device, name, size = ctypes.c_int(), ctypes.create_string_buffer(256), ctypes.c_size_t()
    if cuda.cuInit(0) or cuda.cuDeviceGet(ctypes.byref(device), index):
        return None
    values = [ctypes.c_int() for _ in range(3)]
    for value, attribute in zip(values, (_SM_COUNT, _MAJOR, _MINOR), strict=True):
        if cuda.cuDeviceGetAttribute(ctypes.byref(value), attribute, device):
            return None
    if cuda.cuDeviceGetName(name, len(name), device) or cuda.cuDeviceTotalMem_v2(ctypes.byref(size), device):
        return None
    sms, major, minor = (value.value for value in values)
    return DeviceFacts(board_module() or name.value.decode(errors="replace"), (major, minor), sms, size.value)
