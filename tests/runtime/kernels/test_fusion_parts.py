"""A large feature is fused and decoded in parts: the same class map, without the feature ever being whole."""

import numpy as np
import pytest
from support.bundles.fake import write_fake_bundle

from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.fusion import cpu as fusion
from edge_arseg.runtime.fusion.cpu import CpuKernelFusion
from edge_arseg.runtime.stages import StageClock

HEIGHT, WIDTH, CHANNELS = 50, 64, 6


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    path = tmp_path_factory.mktemp("parts") / "fake.arseg"
    return read_bundle(write_fake_bundle(path, size=(HEIGHT, WIDTH), channels=CHANNELS))


def class_map(bundle, threads=2):
    rng = np.random.default_rng(5)
    key, lr = (rng.normal(size=(1, CHANNELS, HEIGHT, WIDTH)).astype(np.float32) for _ in range(2))
    flow = rng.normal(0, 3, (-(-HEIGHT // 4), WIDTH // 4, 2)).astype(np.float32)
    kernel, clock = CpuKernelFusion(bundle, threads=threads), StageClock()
    found = np.array(kernel.class_map(key, flow, lr, clock))
    assert set(clock.take()) == {"fuse", "head"}
    return found, max(part.nbytes for part in kernel._fused), len(kernel._fused)


@pytest.mark.parametrize("rows", [10, 20, 49])
def test_the_class_map_is_the_same(bundle, monkeypatch, rows):
    whole, size, parts = class_map(bundle)
    assert (size, parts) == (4 * CHANNELS * HEIGHT * WIDTH, 1)
    assert len(np.unique(whole)) > 5
    limit = 4 * CHANNELS * rows * WIDTH
    monkeypatch.setattr(fusion, "PART_BYTES", limit)
    found, size, parts = class_map(bundle)
    assert np.array_equal(found, whole)
    assert size <= limit
    assert parts == -(-HEIGHT // rows)
