"""The device that a training runs on."""

import re

import torch

from edge_arseg.errors import EnvironmentUnfitError, OptionError


def device_from_name(name: str) -> torch.device:
    """Return the device; ``auto`` is a CUDA GPU where there is one.

    Raises:
        OptionError: not a device.
        EnvironmentUnfitError: a GPU that is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cpu":
        return torch.device("cpu")
    # torch takes cpu:7 for the CPU, and counts GPUs in eight bits
    if (match := re.fullmatch(r"cuda(?::([0-9]{1,3}))?", str(name))) is None:
        raise OptionError(f"--device {name}: expected cpu, cuda, cuda:N or auto")
    if int(match[1] or 0) >= torch.cuda.device_count():
        raise EnvironmentUnfitError(f"--device {name}: torch sees {torch.cuda.device_count()} GPUs; try --device cpu")
    return torch.device("cuda", int(match[1])) if match[1] else torch.device("cuda")
