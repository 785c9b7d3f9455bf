"""Warping a batch is warping each of it."""

import torch

from edge_arseg.network.warp import flow_at_feature, flows_at_feature, warp


def test_each_of_a_batch_is_moved_by_its_own_flow():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(3, 4, 9, 13, generator=generator)
    flows = 4.0 * torch.randn(3, 18, 26, 2, generator=generator)
    together = warp(features, flows_at_feature(flows, feature_size=(9, 13), frame_height=72))
    for n in range(3):
        alone = warp(features[n : n + 1], flow_at_feature(flows[n], feature_size=(9, 13), frame_height=72))
        assert torch.equal(together[n : n + 1], alone)
    assert not torch.equal(
        together[0], warp(features[:1], flow_at_feature(flows[1], feature_size=(9, 13), frame_height=72))[0]
    )
