"""A bundle for the ``fake`` engine, which goes by the manifest: its graphs are no graphs. No torch, no onnx."""

from pathlib import Path

import numpy as np
from support.bundles.small import write_bundle_folder

from edge_arseg.spec.manifest import GraphEntry, Precision, Role
from edge_arseg.spec.tensor import TensorSpec
from edge_arseg.spec.weights import DecoderWeights, FusionWeights, bytes_from_arrays

HEIGHT, WIDTH, GOP = 48, 64, 4
FAKE = ("--backend", "fake", "--fusion", "graph")
"""Options that run it."""


def write_fake_bundle(path: Path, *, size: tuple[int, int] = (HEIGHT, WIDTH), channels: int = 1) -> Path:
    """Write a bundle for frames of ``size``, GOP 4; features have the size of the frame."""
    specs = _specs(*size, channels)
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(0, 0.1, (channels, 1, 3, 3)).astype(np.float32), np.zeros(channels, np.float32)
    classifier = rng.normal(size=(11, channels)).astype(np.float32)
    contents = {f"onnx/{role.value}.onnx": b"nobody reads it" for role in Role}
    contents["golden/gop.npz"] = b""
    contents["fusion/weights.npz"] = bytes_from_arrays(FusionWeights(weight, bias, weight, bias, weight, bias))
    contents["decoder/weights.npz"] = bytes_from_arrays(DecoderWeights(classifier, np.zeros(11, np.float32)))
    return write_bundle_folder(
        path,
        contents,
        name="fake",
        height=size[0],
        width=size[1],
        lr_scale=1.0,
        lr_height=size[0],
        lr_width=size[1],
        gop=GOP,
        graphs={role: GraphEntry(f"onnx/{role.value}.onnx", Precision.FP32, *specs[role]) for role in Role},
    )


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
