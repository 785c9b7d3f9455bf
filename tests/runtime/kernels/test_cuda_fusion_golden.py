"""The GPU kernel's source, run on the host, against intermediates of the reference implementation."""

import pytest
from support.golden.fusion import FRAME_HEIGHT, GOLDEN, VARIANTS, difference, golden_case
from support.gpu import host as cuda_host
from support.gpu.host import plan_on_host, run_on_host

from edge_arseg.runtime.kernels.cuda.launch_plan import Storage
from edge_arseg.spec.weights import FusionShapes

reference = pytest.importorskip("support.golden.fusion_reference", reason="the oracle is written in torch")

pytestmark = [
    pytest.mark.skipif(not GOLDEN.is_dir(), reason="no golden files beside the repository"),
    pytest.mark.skipif(cuda_host.compiler() is None, reason="no C++ compiler to run the kernel on the host"),
]

BOUND = {Storage.EXACT: 5e-6, Storage.MIXED: 3e-3, Storage.HALF: 3e-3}
CASES = [  # the feature of camvid-psp18 has the size of the frame, so it takes as long as all others together
    pytest.param(variant, storage, marks=[pytest.mark.slow] if variant == "camvid-psp18" else [])
    for variant in VARIANTS
    for storage in Storage
]


@pytest.mark.parametrize(("variant", "storage"), CASES)
def test_source_agrees_with_the_reference_implementation(variant, storage):
    case, weights = golden_case(variant)
    key, flow, lr = case["hr_feature"], case["flow"], case["lr_feature"]
    channels, height, width = key.shape
    shapes = FusionShapes(channels, (height, width), lr.shape[1:], flow.shape[:2], FRAME_HEIGHT)
    fused = run_on_host(plan_on_host(shapes, storage), weights, key, flow, lr)
    assert difference(fused, case["fused_feature"]) < 3e-3  # stored as float16
    assert difference(fused, reference.fuse(key, flow, lr, weights, FRAME_HEIGHT)) < BOUND[storage]
