"""Published weights of an encoder, from a file into the encoder of a backbone."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from edge_arseg.errors import CheckpointError, OptionError
from edge_arseg.network.backbone import Backbone
from edge_arseg.network.checkpoint.published import PREFIX
from edge_arseg.network.checkpoint.state_file import state_from_file
from edge_arseg.network.checkpoint.weights import described

_COUNTER = "num_batches_tracked"
"""Last part of the names of counters; older files lack them, and nothing is computed from them."""
NAMED = 12
"""Names of each kind of fault that a message lists."""


def load_encoder(backbone: Backbone, path: Path) -> list[str]:
    """Give the encoder of a backbone the weights of a file, all of them or none.

    Files of whole networks fit: what belongs to a classifier is left behind. Names may have other separators
    (``stages.0.bn`` for ``stages_0.bn``: timm's extractors rename modules), and ``module.`` in front.

    Args:
        backbone: with a module ``encoder``.
        path: a state_dict as ``.pth``, which is read without running what it may hold, or ``.safetensors``.

    Returns:
        The names in the file that the encoder has no place for.

    Raises:
        OptionError: the backbone has no encoder to start from a file.
        CheckpointError: the file cannot be read, or lacks weights of the encoder, or has them in other shapes; all
            faults in one message.
    """
    encoder = getattr(backbone, "encoder", None)
    if not isinstance(encoder, torch.nn.Module) or not hasattr(backbone, "decoder"):
        raise OptionError(f"--weights {path}: this backbone has no pretrained encoder; take lite0, lite1 or timm:NAME")
    seen = {key.removeprefix(PREFIX): value for key, value in _read(path).items()}
    published = backbone.encoder_weights(seen)
    wanted = encoder.state_dict()
    places = _places(wanted)
    found: dict[str, Tensor] = {}
    left: list[str] = []
    for key, value in published.items():
        place = key if key in wanted else places.get(_plain(key))
        if place is None:
            left.append(key)
        else:
            found[place] = value
    faults = {
        "missing": [key for key in wanted if key not in found and not key.endswith(_COUNTER)],
        "of another shape": [
            f"{key}: {described(value)} seen, {described(wanted[key])} expected"
            for key, value in found.items()
            if value.shape != wanted[key].shape
        ],
        "holding NaN or infinity": [
            key for key, value in found.items() if value.is_floating_point() and not bool(torch.isfinite(value).all())
        ],
    }
    if any(faults.values()):
        faults["in the file, and without a place"] = left
        raise CheckpointError("\n".join([f"{path}: does not fit the encoder", *_lines(faults)]))
    encoder.load_state_dict({**wanted, **{key: value.to(wanted[key].dtype) for key, value in found.items()}})
    return left


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix != ".safetensors":
        return state_from_file(path)
    try:
        return load_file(path)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: nothing there; expected a .safetensors file") from error
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: not a readable safetensors file ({error})") from error


def _plain(key: str) -> str:
    return key.replace(".", "_")


def _places(wanted: Mapping[str, Tensor]) -> dict[str, str]:
    """Return the encoder's names by their spelling without points, where it is the only one with that spelling."""
    places: dict[str, str] = {}
    for key in wanted:
        places[_plain(key)] = "" if _plain(key) in places else key
    return {plain: key for plain, key in places.items() if key}


def _lines(faults: Mapping[str, list[str]]) -> list[str]:
    lines = []
    for title, names in faults.items():
        if names:
            rest = [f"    and {len(names) - NAMED} more"] if len(names) > NAMED else []
            lines += [f"  {len(names)} {title}:", *(f"    {name}" for name in names[:NAMED]), *rest]
    return lines
