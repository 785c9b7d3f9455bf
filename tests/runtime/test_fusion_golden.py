"""The fusion kernel and the oracle of its tests against intermediates of the reference implementation."""

import importlib.util
import json
from pathlib import Path

import fusion_reference as reference
import numpy as np
import pytest

from edge_arseg.runtime.numba_fusion import FusionKernel, FusionShapes
from edge_arseg.spec.fusion import FusionWeights

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "golden"
VARIANTS = ["camvid-psp18", "camvid-bise18", "cityscapes-psp18", "cityscapes-bise18"]

pytestmark = pytest.mark.skipif(not GOLDEN.is_dir(), reason="no golden files beside the repository")


def golden_case(variant: str) -> tuple[dict[str, np.ndarray], FusionWeights]:
    """Intermediates as float32, flow in pixels, and the fusion weights that made them."""
    with np.load(GOLDEN / f"golden_{variant}_even.npz") as stored:
        case = {name: stored[name] for name in stored.files}
    for name in ("hr_feature", "warped_feature", "lr_feature", "fused_feature"):
        case[name] = case[name].astype(np.float32)
    case["flow"] = (case["mv_quarter_pel"] / 4).astype(np.float32)
    spec = importlib.util.spec_from_file_location("make_checkpoint", GOLDEN / "make_checkpoint.py")
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    entries = json.loads((GOLDEN / f"keys_{variant}_ar.json").read_text())
    entries = [entry for entry in entries if "fuse_attention" in entry["key"]]
    state = maker.make_state_dict(entries, int(case["seed_ar"]))
    names = ("lr_query_conv", "hr_key_conv", "hr_value_conv")
    parts = [state[f"module.fuse_attention.{name}.{part}"] for name in names for part in ("weight", "bias")]
    return case, FusionWeights(*parts)


def difference(actual: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference as a share of the largest value."""
    return float(np.abs(actual - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("variant", VARIANTS)
def test_oracle_and_kernel_agree_with_the_reference_implementation(variant: str) -> None:
    case, weights = golden_case(variant)
    key, flow, lr = case["hr_feature"], case["flow"], case["lr_feature"]
    assert difference(reference.warp(key, flow, 96), case["warped_feature"]) < 1e-3  # stored as float16
    expected = reference.fuse(key, flow, lr, weights, 96)
    assert difference(expected, case["fused_feature"]) < 3e-3  # the softmax amplifies the roundings of its input

    channels, height, width = key.shape
    kernel = FusionKernel(FusionShapes(channels, (height, width), lr.shape[1:], flow.shape[:2], 96), weights)
    assert difference(kernel.run(key, flow, lr), expected) < 1e-5
