"""The fusion kernel and the oracle of its tests against intermediates of the reference implementation."""

import pytest
from support.golden.fusion import FRAME_HEIGHT, GOLDEN, VARIANTS, difference, golden_case

pytest.importorskip("numba")
from edge_arseg.runtime.kernels.numba_fuse import FusionKernel, FusionShapes

reference = pytest.importorskip("support.golden.fusion_reference", reason="the oracle is written in torch")

pytestmark = pytest.mark.skipif(not GOLDEN.is_dir(), reason="no golden files beside the repository")


@pytest.mark.parametrize("variant", VARIANTS)
def test_oracle_and_kernel_agree_with_the_reference_implementation(variant: str) -> None:
    case, weights = golden_case(variant)
    key, flow, lr = case["hr_feature"], case["flow"], case["lr_feature"]
    assert difference(reference.warp(key, flow, FRAME_HEIGHT), case["warped_feature"]) < 1e-3  # stored as float16
    expected = reference.fuse(key, flow, lr, weights, FRAME_HEIGHT)
    assert difference(expected, case["fused_feature"]) < 3e-3  # the softmax amplifies the roundings of its input

    channels, height, width = key.shape
    kernel = FusionKernel(FusionShapes(channels, (height, width), lr.shape[1:], flow.shape[:2], FRAME_HEIGHT), weights)
    assert difference(kernel.run(key, flow, lr), expected) < 1e-5
