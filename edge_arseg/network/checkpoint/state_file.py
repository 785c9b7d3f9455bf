"""Reading a state_dict from a file, without running what the file may hold."""

import pickle
import re
import warnings
from pathlib import Path

import torch
from torch import Tensor

from edge_arseg.errors import CheckpointError


def state_from_file(path: Path) -> dict[str, Tensor]:
    """Read a state_dict saved by ``torch.save``.

    Only tensors and plain containers are unpickled (``weights_only=True``): code in the file is refused, not run.

    Raises:
        CheckpointError: no such file, not a checkpoint, a pickle that holds code, or not a dictionary of tensors.
    """
    if not path.is_file():
        seen = "a folder" if path.is_dir() else "nothing"
        raise CheckpointError(f"{path}: {seen} seen, expected a checkpoint file (.pth)")
    try:
        with warnings.catch_warnings():  # torch also warns of what it refuses
            warnings.simplefilter("ignore")
            state = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # a damaged pickle fails in any way: struct.error, AttributeError, AssertionError, ...
        foreign = _foreign_content(path, error)
        if foreign is None:
            raise CheckpointError(_not_a_checkpoint(path, error)) from error
        raise CheckpointError(
            f"{path}: holds more than tensors, and was not loaded because that can run code ({foreign}). "
            "Expected a plain state_dict; save one with torch.save(model.state_dict(), FILE)"
        ) from error
    return _checked(state, path)


def _foreign_content(path: Path, error: Exception) -> str | None:
    """Say what a pickle holds besides tensors; ``None`` where the file is no pickle, or a damaged one."""
    if not isinstance(error, pickle.UnpicklingError):
        return None
    if name := re.search(r"GLOBAL (\S+)", str(error)):
        return f"it names {name[1]}"
    with path.open("rb") as file:
        start = file.read(2)
    if len(start) == 2 and start[0] == 0x80 and 2 < start[1] <= pickle.HIGHEST_PROTOCOL:
        return f"a pickle of protocol {start[1]}, which torch.save does not write"
    return None


def _checked(state: object, path: Path) -> dict[str, Tensor]:
    if not isinstance(state, dict):
        raise CheckpointError(f"{path}: holds a {type(state).__name__}, expected a state_dict (names to tensors)")
    foreign = [str(key) for key, value in state.items() if not (isinstance(key, str) and isinstance(value, Tensor))]
    if foreign:
        raise CheckpointError(
            f"{path}: expected a bare state_dict; these entries are no named tensors: {', '.join(foreign[:8])}. "
            "If one of them is the state_dict, save it alone: torch.save(checkpoint['state_dict'], FILE)"
        )
    if not state:
        raise CheckpointError(f"{path}: an empty state_dict seen, expected the weights of a network")
    return dict(state)


def _not_a_checkpoint(path: Path, error: Exception) -> str:
    return (
        f"{path}: not a PyTorch checkpoint, or damaged ({_first_line(error)}); expected a file written by "
        "torch.save(model.state_dict(), FILE). Was it downloaded completely?"
    )


def _first_line(error: Exception) -> str:
    if isinstance(error, pickle.UnpicklingError):
        return "no pickle of tensors"  # torch's own text proposes to load the file with its code
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
