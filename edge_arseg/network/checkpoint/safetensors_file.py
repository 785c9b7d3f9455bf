"""Networks as safetensors files: our own checkpoint format.

The tensors are the network's state_dict under our names; the metadata holds ``format``, ``revision``, the model's
description as JSON, ``trained``: the branches that were trained, ``hr`` or ``hr,lr``, and ``lr_scale``, the size of the
LR image that the LR branch was trained with, where that is known. Nothing in such a file can
run; a backbone that it names as ``module:function`` is imported only if the reader names it too.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from edge_arseg.errors import CheckpointError, SinkError
from edge_arseg.network.backbones.registry import imports_code
from edge_arseg.network.checkpoint.weights import described
from edge_arseg.network.network import Network
from edge_arseg.spec.frame import Branch
from edge_arseg.spec.model import Model, lr_scale_fault, model_faults
from edge_arseg.storage.fault import advice_on
from edge_arseg.storage.files.whole import whole_file
from edge_arseg.storage.folders import made_folders, remove_folders

FORMAT = "edge_arseg"
REVISION = 1
"""Revision 1 (2026): state_dict of ``Network``, metadata ``format``, ``revision``, ``model``, ``trained`` and
``lr_scale``. Files from before ``trained`` was written lack it and count as trained throughout: what they hold is not
known. Files from before ``lr_scale`` was written lack that."""
BEST = "best.safetensors"
"""The weights to take from the folder of a training run."""
POSITION_BIAS = "creff.position_bias"
"""Tensor that files of before 0.1.0 and published checkpoints lack; zeros, as ``Creff`` starts with, then."""

_MODEL = TypeAdapter(Model)


def safetensors_from_network(network: Network, path: Path | str) -> Path:
    """Write a network to ``path``, whole or not at all; the same network makes the same bytes.

    Raises:
        SinkError: the file cannot be written.
    """
    path = Path(path)
    metadata = {
        "format": FORMAT,
        "revision": str(REVISION),
        "model": _MODEL.dump_json(network.model).decode(),
        "trained": ",".join(branch.value for branch in network.trained),
    }
    if network.lr_scale is not None:
        metadata["lr_scale"] = repr(network.lr_scale)
    tensors = {key: value.contiguous() for key, value in network.state_dict().items()}
    try:
        place = Path(os.path.realpath(path))  # a link stays a link
        made = made_folders(place.parent)
        try:
            with whole_file(place) as part:
                part.touch()
                mode = part.stat().st_mode
                save_file(tensors, part, metadata=metadata)
                part.chmod(mode)  # safetensors 0.8 makes a file that nobody but its owner may read
                _sort_metadata(part)
        except BaseException:
            remove_folders(made)
            raise
    except (OSError, SafetensorError) as error:
        needed = sum(tensor.nbytes for tensor in tensors.values())
        raise SinkError(f"cannot write {path}: {advice_on(error, path, needed=needed)}") from error
    return path


def _sort_metadata(path: Path) -> None:
    """Sort the metadata of a file, whose order safetensors 0.8 draws anew each time, so that digests can be compared.

    A header is JSON without spaces but for those that fill it up, behind its length in eight bytes, little-endian
    (safetensors' README, Format): sorted, it is as long as before.
    """
    with path.open("r+b") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        if len(text) <= length:
            file.seek(8)
            file.write(text.ljust(length))


def network_from_safetensors(path: Path | str, *, backbone: str | None = None) -> Network:
    """Read a network that ``safetensors_from_network`` or ``train`` wrote.

    Args:
        path: the file.
        backbone: name to use instead of the one in the file; needed where that is ``module:function``, since a file
            alone must not decide what is imported.

    Returns:
        The network in ``eval`` mode.

    Raises:
        CheckpointError: not such a file, an unknown revision, a backbone that only the caller may name, or weights that
            do not fit the backbone.
        OptionError: the backbone it names is not known here.
    """
    path = Path(path)
    with _opened(path) as file:
        metadata = file.metadata() or {}
        state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dictionary)
    model = _model_from_metadata(metadata, path)
    own = model.backbone
    model = replace(model, backbone=own if backbone is None else backbone)
    if backbone is None:
        check_named_by_file(own, path)
    network = Network(model)
    network.trained = _trained_from_metadata(metadata, path)
    network.lr_scale = _lr_scale_from_metadata(metadata, path)
    wanted = network.state_dict()
    state.setdefault(POSITION_BIAS, wanted[POSITION_BIAS])
    faults = [f"missing {key}" for key in wanted if key not in state]
    faults += [f"unexpected {key}" for key in state if key not in wanted]
    faults += [
        f"{key}: {described(state[key])} seen, {described(wanted[key])} expected"
        for key in wanted
        if key in state and described(state[key]) != described(wanted[key])
    ]
    faults += [
        f"{key}: holds NaN or infinity"
        for key, like in wanted.items()
        if key in state and state[key].dtype == like.dtype and not bool(torch.isfinite(state[key]).all())
    ]
    if faults and own != model.backbone and not imports_code(own):
        raise another_backbone(own, model.backbone, path)
    if faults:
        lines = "\n  ".join(faults)
        raise CheckpointError(f"{path}: does not fit backbone {model.backbone!r}\n  {lines}")
    network.load_state_dict(state)
    return network.eval()


def backbone_of_safetensors(path: Path) -> str:
    """Return the name of the backbone that a file holds weights of.

    Raises:
        CheckpointError: not such a file, an unknown revision, or a backbone that only the caller may name.
    """
    with _opened(path) as file:
        metadata = file.metadata() or {}
    return check_named_by_file(_model_from_metadata(metadata, path).backbone, path)


def check_named_by_file(backbone: str, path: Path) -> str:
    """Return the backbone that a file or a bundle names, unless it would be imported.

    Raises:
        CheckpointError: only the caller may name it.
    """
    if imports_code(backbone):
        raise CheckpointError(
            f"{path}: names a backbone to be imported, {backbone!r}, which a file alone must not decide; "
            f"if that is yours: --backbone {backbone}"
        )
    return backbone


def another_backbone(seen: str, expected: str, path: Path) -> CheckpointError:
    """Return what to raise where a file or a bundle holds weights of another backbone than the caller names."""
    return CheckpointError(
        f"{path}: backbone {seen} seen, {expected} expected; type --backbone {seen}, or leave it out"
    )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if path.is_dir():
        raise CheckpointError(
            f"{path}: a folder without {BEST} seen, expected a .safetensors file or the folder of a run of `train`"
        )
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{path}: nothing there; expected a .safetensors file or the folder of a run of `train`"
        ) from error
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: not a readable safetensors file ({error})") from error


def _trained_from_metadata(metadata: dict[str, str], path: Path) -> tuple[Branch, ...]:
    text = metadata.get("trained", "hr,lr")
    if text not in ("hr", "hr,lr"):
        raise CheckpointError(f"{path}: trained branches {text!r} seen, expected hr or hr,lr; is the file edited?")
    return tuple(Branch(name) for name in text.split(","))


def _lr_scale_from_metadata(metadata: dict[str, str], path: Path) -> float | None:
    text = metadata.get("lr_scale")
    if text is None:
        return None
    scale: float | str = text
    with suppress(ValueError):
        scale = float(text)
    if fault := lr_scale_fault(scale):
        raise CheckpointError(f"{path}: {fault}; is the file edited?")
    return float(scale)


def _model_from_metadata(metadata: dict[str, str], path: Path) -> Model:
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"{path}: a safetensors file of another program; expected one written by `edge-arseg convert` or `train`"
        )
    if metadata.get("revision") != str(REVISION):
        raise CheckpointError(
            f"{path}: revision {metadata.get('revision')} seen, this version reads {REVISION}; "
            "update edge-arseg, or convert the original checkpoint again"
        )
    try:
        model = _MODEL.validate_python(json.loads(metadata.get("model", "")))
    except (ValueError, RecursionError) as error:  # ValidationError is a ValueError
        raise CheckpointError(f"{path}: its model description is damaged ({error})") from error
    if faults := model_faults(model):
        lines = "\n  ".join(faults)
        raise CheckpointError(f"{path}: its model description cannot be meant\n  {lines}")
    return model
