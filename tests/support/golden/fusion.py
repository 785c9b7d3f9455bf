"""Intermediates that the reference implementation left of its fusion."""

import importlib.util
import json
from pathlib import Path

import numpy as np

from edge_arseg.spec.weights import FusionWeights

GOLDEN = Path(__file__).resolve().parents[4] / "shared" / "golden"
VARIANTS = ["camvid-psp18", "camvid-bise18", "cityscapes-psp18", "cityscapes-bise18"]
FRAME_HEIGHT = 96


def golden_case(variant: str, folder: Path = GOLDEN) -> tuple[dict[str, np.ndarray], FusionWeights]:
    """Intermediates as float32, flow in pixels, and the fusion weights that made them."""
    with np.load(folder / f"golden_{variant}_even.npz") as stored:
        case = {name: stored[name] for name in stored.files}
    for name in ("hr_feature", "warped_feature", "lr_feature", "fused_feature"):
        case[name] = case[name].astype(np.float32)
    case["flow"] = (case["mv_quarter_pel"] / 4).astype(np.float32)
    spec = importlib.util.spec_from_file_location("make_checkpoint", folder / "make_checkpoint.py")
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    entries = json.loads((folder / f"keys_{variant}_ar.json").read_text())
    entries = [entry for entry in entries if "fuse_attention" in entry["key"]]
    state = maker.make_state_dict(entries, int(case["seed_ar"]))
    names = ("lr_query_conv", "hr_key_conv", "hr_value_conv")
    parts = [state[f"module.fuse_attention.{name}.{part}"] for name in names for part in ("weight", "bias")]
    return case, FusionWeights(*parts)


def difference(actual: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference as a share of the largest value."""
    return float(np.abs(actual - expected).max() / np.abs(expected).max())
