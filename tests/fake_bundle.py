"""A bundle for the ``fake`` engine: graphs that say what they take and make, and compute nothing. No torch, no onnx."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from bundle_files import small_manifest

from edge_arseg.runtime.bundles.reading import MANIFEST
from edge_arseg.spec.entries import FileEntry
from edge_arseg.spec.manifest import GraphEntry, Precision, Role, json_from_manifest
from edge_arseg.spec.tensor import TensorSpec
from edge_arseg.spec.weights import DecoderWeights, FusionWeights, bytes_from_arrays

HEIGHT, WIDTH, GOP = 48, 64, 4
FAKE = ("--backend", "fake", "--fusion", "graph")
"""Options that run it."""

_DTYPES = {"float32": 1, "uint8": 2}


def write_fake_bundle(path: Path, *, size: tuple[int, int] = (HEIGHT, WIDTH), channels: int = 1) -> Path:
    """Write a bundle for frames of ``size``, GOP 4; features have the size of the frame."""
    specs = _specs(*size, channels)
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(0, 0.1, (channels, 1, 3, 3)).astype(np.float32), np.zeros(channels, np.float32)
    classifier = rng.normal(size=(11, channels)).astype(np.float32)
    contents = {f"onnx/{role.value}.onnx": _graph(*specs[role]) for role in Role}
    contents["golden/gop.npz"] = b""
    contents["fusion/weights.npz"] = bytes_from_arrays(FusionWeights(weight, bias, weight, bias, weight, bias))
    contents["decoder/weights.npz"] = bytes_from_arrays(DecoderWeights(classifier, np.zeros(11, np.float32)))
    for name, data in contents.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    manifest = replace(
        small_manifest(),
        name="fake",
        height=size[0],
        width=size[1],
        lr_scale=1.0,
        lr_height=size[0],
        lr_width=size[1],
        gop=GOP,
        graphs={role: GraphEntry(f"onnx/{role.value}.onnx", Precision.FP32, *specs[role]) for role in Role},
        files={name: FileEntry(hashlib.sha256(data).hexdigest(), len(data)) for name, data in contents.items()},
    )
    (path / MANIFEST).write_text(json_from_manifest(manifest))
    return path


def _specs(height: int, width: int, channels: int) -> dict[Role, tuple[dict[str, TensorSpec], dict[str, TensorSpec]]]:
    frame = {"frame": TensorSpec("uint8", (height, width, 3))}
    class_map = {"class_map": TensorSpec("uint8", (height, width))}
    feature = TensorSpec("float32", (1, channels, height, width))
    flow = TensorSpec("float32", (-(-height // 4), -(-width // 4), 2))
    return {
        Role.HR: (frame, {"feature": feature, **class_map}),
        Role.LR: (frame, {"lr_feature": feature}),
        Role.FUSE: (
            {"key_feature": feature, "flow": flow, "lr_feature": feature},
            {"fused_feature": feature, **class_map},
        ),
        Role.HEAD: ({"fused_feature": feature}, class_map),
        Role.LR_HEAD: ({"lr_feature": feature}, class_map),
    }


def _graph(inputs: dict[str, TensorSpec], outputs: dict[str, TensorSpec]) -> bytes:
    """An ONNX model without nodes; see ``edge_arseg/runtime/engines/graph_file.py`` for the numbers."""
    values = [(11, name, spec) for name, spec in inputs.items()] + [(12, name, spec) for name, spec in outputs.items()]
    graph = _field(2, b"fake") + b"".join(_field(number, _value(name, spec)) for number, name, spec in values)
    return _varint(1 << 3) + _varint(8) + _field(7, graph)


def _value(name: str, spec: TensorSpec) -> bytes:
    shape = b"".join(_field(1, _varint(1 << 3) + _varint(side)) for side in spec.shape)
    tensor = _varint(1 << 3) + _varint(_DTYPES[spec.dtype]) + _field(2, shape)
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])
