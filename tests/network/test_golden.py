"""The torch network gives the logits of the authors' code."""

import shutil

import numpy as np
import pytest
import torch
from support.golden.cases import GOLDEN, golden_case, golden_files, golden_network
from support.golden.paths import torch_logits

from edge_arseg.network.warp import flow_at_feature, warp
from tools.check_golden import rows_from_logits

pytestmark = pytest.mark.skipif(not golden_files(), reason=f"no golden files of the reference in {GOLDEN}")

FILES = golden_files()
EVEN = [file for file in FILES if file.stem.endswith("_even")]


def ids(file):
    return file.stem.removeprefix("golden_")


@pytest.fixture(scope="module")
def golden(request, tmp_path_factory):
    """A golden case and its network; tests of one file follow each other, so that each network is made once."""
    case = golden_case(request.param)
    folder = tmp_path_factory.mktemp(case.name)
    network = golden_network(case, folder)
    shutil.rmtree(folder)
    return case, network


@pytest.mark.parametrize("golden", FILES, ids=ids, indirect=True)
def test_logits_are_those_of_the_reference(golden, tmp_path):
    case, network = golden
    rows = rows_from_logits(case, "torch", torch_logits(network, case, tmp_path))
    assert [row.output for row in rows] == ["hr", "lr", "ar"]
    assert [str(row) for row in rows if not row.passed] == []


@torch.inference_mode()
@pytest.mark.parametrize("golden", EVEN, ids=ids, indirect=True)
def test_every_step_on_the_way(golden):
    case, network = golden
    key, current, flow = (torch.from_numpy(array) for array in (case.key_rgb, case.cur_rgb, case.flow))
    hr = network.hr(network.image_from_frame(key))
    lr = network.lr(network.lr_image_from_frame(current, case.scale))
    moved = flow_at_feature(flow, feature_size=tuple(hr.shape[2:]), frame_height=key.shape[0])
    found = {
        "hr_feature": hr,
        "warped_feature": warp(hr, moved),
        "lr_feature": lr,
        "fused_feature": network.fuse(hr, flow, lr, key.shape[0]),
    }
    assert set(case.features) == set(found)
    for name, expected in case.features.items():
        seen = found[name][0].numpy()
        assert seen.shape == expected.shape, name
        stored = np.abs(expected).max() * 2.0**-11  # float16 has 11 bits
        np.testing.assert_allclose(seen, expected.astype(np.float32), rtol=2.0**-10, atol=stored, err_msg=name)


def test_the_comparison_would_notice(tmp_path):
    """Scaling the similarity as the paper writes it, by 1 / sqrt(C), must not pass."""
    case = golden_case(next(file for file in FILES if "camvid-bise18" in file.name))
    network = golden_network(case, tmp_path)
    with torch.no_grad():
        network.creff.query.weight /= 16.0
        network.creff.query.bias /= 16.0
    rows = rows_from_logits(case, "torch", torch_logits(network, case, tmp_path))
    assert [row.output for row in rows if not row.passed] == ["ar"]
