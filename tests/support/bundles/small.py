"""A small valid bundle made without torch or onnx, to damage in tests of the reader."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from edge_arseg.runtime.bundles.reading import MANIFEST
from edge_arseg.spec.entries import DecoderEntry, FileEntry, GoldenEntry, Provenance
from edge_arseg.spec.manifest import REVISION, GraphEntry, Manifest, Precision, Role, json_from_manifest
from edge_arseg.spec.model import CAMVID_11, CAMVID_NORMALISATION, Cost, Model
from edge_arseg.spec.tensor import TensorSpec
from edge_arseg.spec.weights import DecoderWeights, FusionWeights, GoldenFrames, bytes_from_arrays

CONTENTS = {f"onnx/{role.value}.onnx": f"graph of {role.value}".encode() * 100 for role in Role}


def small_golden() -> GoldenFrames:
    maps = np.zeros((2, 16, 24), np.uint8)
    return GoldenFrames(
        np.zeros((2, 16, 24, 3), np.uint8), np.zeros((2, 4, 6, 2), np.float32), np.array([0, 11]), maps, maps, maps
    )


def small_weights() -> FusionWeights:
    weight, bias = np.zeros((8, 1, 3, 3), np.float32), np.zeros(8, np.float32)
    return FusionWeights(weight, bias, weight, bias, weight, bias)


def small_classifier() -> DecoderWeights:
    return DecoderWeights(np.zeros((11, 8), np.float32), np.zeros(11, np.float32))


def small_contents() -> dict[str, bytes]:
    return {
        **CONTENTS,
        "golden/gop.npz": bytes_from_arrays(small_golden()),
        "fusion/weights.npz": bytes_from_arrays(small_weights()),
        "decoder/weights.npz": bytes_from_arrays(small_classifier()),
    }


def small_manifest(contents: dict[str, bytes] | None = None) -> Manifest:
    contents = small_contents() if contents is None else contents
    frame = {"frame": TensorSpec("uint8", (16, 24, 3))}
    return Manifest(
        revision=REVISION,
        name="small",
        model=Model("small", "tiny", CAMVID_11, CAMVID_NORMALISATION),
        height=16,
        width=24,
        lr_scale=0.5,
        lr_height=8,
        lr_width=12,
        gop=12,
        flow_block=4,
        graphs={role: GraphEntry(f"onnx/{role.value}.onnx", Precision.FP32, frame, {}) for role in Role},
        cost=Cost(1000, 200, 100),
        fusion_weights="fusion/weights.npz",
        decoder=DecoderEntry("decoder/weights.npz", 1),
        golden=GoldenEntry("golden/gop.npz", "clip.mp4", (0, 11)),
        provenance=Provenance({"hr.pth": "0" * 64}, {"python": "3.11"}),
        files={name: FileEntry(hashlib.sha256(data).hexdigest(), len(data)) for name, data in sorted(contents.items())},
    )


def write_small_bundle(path: Path, **changes: object) -> Path:
    return write_bundle_folder(path, small_contents(), **changes)


def write_bundle_folder(path: Path, contents: dict[str, bytes], **changes: object) -> Path:
    """Write a bundle's files and their manifest: that of the small bundle, but for ``changes``."""
    for name, data in contents.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    (path / MANIFEST).write_text(json_from_manifest(replace(small_manifest(contents), **changes)))
    return path
