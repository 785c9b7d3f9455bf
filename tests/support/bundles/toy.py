"""A bundle whose answers are known, without torch, onnx or an engine library.

A picture shows class ``c`` as grey ``c * STEP``: the HR "network" reads the classes off the picture. The LR one does
the same. The fusion gives the keyframe's classes, unmoved, so that AR is right at distance 0 and as wrong behind it as
the picture has changed. Pictures must reach it unharmed: as PNG, at the bundle's size.
"""

from pathlib import Path

import av
import numpy as np
from support.bundles.small import write_bundle_folder

from edge_arseg.runtime.engines.contract import Engine
from edge_arseg.spec.manifest import GraphEntry, Precision, Role
from edge_arseg.spec.model import CAMVID_11
from edge_arseg.spec.tensor import TensorSpec
from edge_arseg.spec.weights import DecoderWeights, FusionWeights, GoldenFrames, bytes_from_arrays
from edge_arseg.video.sinks.class_ids.png import palette_from_classes, png_from_indices

HEIGHT, WIDTH, GOP, STEP = 48, 64, 4, 20
_FRAME = {"frame": TensorSpec("uint8", (HEIGHT, WIDTH, 3))}
_MAP = TensorSpec("uint8", (HEIGHT, WIDTH))
_FEATURE = TensorSpec("float32", (1, 1, HEIGHT, WIDTH))
_FLOW = TensorSpec("float32", (HEIGHT // 4, WIDTH // 4, 2))
_SPECS = {
    Role.HR: (_FRAME, {"feature": _FEATURE, "class_map": _MAP}),
    Role.LR: (_FRAME, {"lr_feature": _FEATURE}),
    Role.FUSE: (
        {"key_feature": _FEATURE, "flow": _FLOW, "lr_feature": _FEATURE},
        {"fused_feature": _FEATURE, "class_map": _MAP},
    ),
    Role.HEAD: ({"fused_feature": _FEATURE}, {"class_map": _MAP}),
    Role.LR_HEAD: ({"lr_feature": _FEATURE}, {"class_map": _MAP}),
}


class ToyEngine(Engine):
    def __init__(self, path: Path, *, threads: int | None = None):
        self.role = Role(path.stem)
        super().__init__(path.stem, *_SPECS[self.role])

    def _run(self, feeds):
        if self.role in (Role.HR, Role.LR):
            shown = np.minimum(np.rint(feeds["frame"][..., 0] / STEP), 10).astype(np.uint8)
            feature = shown[None, None].astype(np.float32)
            return {"feature": feature, "lr_feature": feature, "class_map": shown}
        feature = feeds["key_feature"] if self.role is Role.FUSE else next(iter(feeds.values()))
        return {"fused_feature": feature, "class_map": feature[0, 0].astype(np.uint8)}

    def close(self):
        pass


def toy_golden() -> GoldenFrames:
    """A keyframe and the frame behind it, with what the toy makes of them."""
    maps = moving_maps(2)
    frames = np.repeat(maps[..., None] * np.uint8(STEP), 3, axis=3)
    flows = np.zeros((2, HEIGHT // 4, WIDTH // 4, 2), np.float32)
    return GoldenFrames(frames, flows, np.array([0, 1]), maps, np.stack([maps[0]] * 2), maps)


def write_toy_bundle(path: Path, *, golden: GoldenFrames | None = None, **changes: object) -> Path:
    weight, bias = np.zeros((1, 1, 3, 3), np.float32), np.zeros(1, np.float32)
    contents = {f"onnx/{role.value}.onnx": b"toy" for role in Role}
    contents["golden/gop.npz"] = bytes_from_arrays(golden or toy_golden())
    contents["fusion/weights.npz"] = bytes_from_arrays(FusionWeights(weight, bias, weight, bias, weight, bias))
    classes = np.arange(11, dtype=np.float32)
    # 2cx - c^2 is largest for the class that is nearest to x.
    contents["decoder/weights.npz"] = bytes_from_arrays(DecoderWeights(2 * classes[:, None], -classes * classes))
    changed = {
        "name": "toy",
        "height": HEIGHT,
        "width": WIDTH,
        "lr_scale": 1.0,
        "lr_height": HEIGHT,
        "lr_width": WIDTH,
        "gop": GOP,
        "graphs": {role: GraphEntry(f"onnx/{role.value}.onnx", Precision.FP32, *_SPECS[role]) for role in Role},
    }
    return write_bundle_folder(path, contents, **{**changed, **changes})


def moving_maps(count: int, *, speed: int = 2) -> np.ndarray:
    """``[count, H, W] uint8``: vertical bars of all eleven classes that move to the right, ``speed`` pixels a frame."""
    columns = (np.arange(WIDTH) - speed * np.arange(count)[:, None]) // 5 % 11
    return np.repeat(columns[:, None].astype(np.uint8), HEIGHT, axis=1)


def write_image(path: Path, class_map: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = av.VideoFrame.from_ndarray(np.repeat(class_map[..., None] * np.uint8(STEP), 3, axis=2), format="rgb24")
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as output:
        stream = output.add_stream("png", 1)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "rgb24"
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def write_label(path: Path, label: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png_from_indices(label, palette_from_classes(CAMVID_11)))
