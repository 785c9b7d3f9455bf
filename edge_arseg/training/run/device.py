"""The device that a training runs on."""

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
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise OptionError(f"--device {name}: expected cpu, cuda, cuda:N or auto") from error
    if device.type not in ("cpu", "cuda"):
        raise OptionError(f"--device {name}: expected cpu, cuda, cuda:N or auto")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise EnvironmentUnfitError(f"--device {name}: torch sees {torch.cuda.device_count()} GPUs; try --device cpu")
    return device
