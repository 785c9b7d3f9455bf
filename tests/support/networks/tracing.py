"""Traces that are kept: graphs of the small network that were traced before, by either process of the suite."""

import hashlib
import os
from pathlib import Path

import onnx
from support.networks.small import OWN

from edge_arseg.compiler.export import branches

TRACED = branches._traced
"""What traces."""


def keep_traces(patch, folder: Path) -> None:
    """Trace every graph of the small network once; other backbones are traced whenever it is asked for."""

    def kept(module, settings, outputs, name):
        if module.network.model.backbone != OWN:
            return TRACED(module, settings, outputs, name)
        path = folder / f"{key_of(module, settings, outputs, name)}.onnx"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".{os.getpid()}")
            onnx.save(TRACED(module, settings, outputs, name), part)
            part.replace(path)
        return onnx.load(path)

    patch.setattr(branches, "_traced", kept)


def key_of(module, settings, outputs, name) -> str:
    """A digest of all that a trace depends on: weights, sizes, and which outputs."""
    lr_scale = settings.lr_scale if isinstance(module, branches.LrGraph) else None
    digest = hashlib.sha256(repr((settings.frame_size, lr_scale, outputs, name)).encode())
    for key, tensor in module.network.state_dict().items():
        digest.update(key.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
