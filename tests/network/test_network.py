"""The whole network: sizes, the order of steps, and what is refused."""

import re

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.networks.small import OWN_MODEL, own_network
from torch.nn import functional as F

from edge_arseg.errors import OptionError
from edge_arseg.network.network import Network, check_sizes
from edge_arseg.network.variants import VARIANTS
from edge_arseg.spec.model import lr_size
from edge_arseg.testing.networks import random_frame


@pytest.fixture(scope="module")
def own():
    return own_network()


@pytest.fixture(scope="module")
def skeletons():
    """The published networks without memory for their weights: sizes are all that is asked."""
    with torch.device("meta"):
        return {name: Network(model) for name, model in VARIANTS.items()}


@pytest.mark.parametrize(
    ("frame", "scale", "expected"),
    [
        ((720, 960), 0.3, (216, 288)),
        ((720, 960), 0.4, (288, 384)),
        ((720, 960), 0.5, (360, 480)),
        ((720, 960), 0.6, (432, 576)),
        ((720, 960), 0.7, (503, 672)),  # not 504
        ((720, 960), 0.8, (576, 768)),
        ((720, 960), 0.9, (648, 864)),
        ((720, 960), 1.0, (720, 960)),
        ((1024, 2048), 0.3, (307, 614)),
        ((1024, 2048), 0.7, (716, 1433)),
        ((1024, 2048), 0.9, (921, 1843)),
    ],
)
def test_lr_sizes_are_truncated_as_the_reference_does(frame, scale, expected):
    assert lr_size(*frame, scale) == expected


def test_frames_are_normalised_per_channel(own):
    frame = torch.tensor([[[0, 127, 255], [255, 0, 0]]], dtype=torch.uint8)
    image = own.image_from_frame(frame)
    mean, std = OWN_MODEL.normalisation.mean, OWN_MODEL.normalisation.std
    assert image.shape == (1, 3, 1, 2)
    expected = [(value / 255 - m) / s for value, m, s in zip((0, 127, 255), mean, std, strict=True)]
    torch.testing.assert_close(image[0, :, 0, 0], torch.tensor(expected), rtol=1e-5, atol=1e-6)


def test_the_lr_image_is_resized_as_if_after_normalising_and_without_antialiasing(own):
    frame = random_frame(45, 61)
    image = own.image_from_frame(frame)
    expected = F.interpolate(image, (22, 30), mode="bilinear", align_corners=True)
    torch.testing.assert_close(own.lr_image_from_frame(frame, 0.5), expected, rtol=1e-6, atol=2e-6)
    assert torch.equal(own.lr_image_from_frame(frame, 1.0), image)


@torch.inference_mode()
@pytest.mark.parametrize("scale", [0.3, 0.5, 0.7, 1.0])
def test_every_way_through_gives_logits_of_the_frame_s_size(own, scale):
    key, frame, flow = random_frame(45, 61), random_frame(45, 61, seed=1), torch.randn(12, 16, 2)
    for logits in (own.hr_logits(key), own.lr_logits(frame, scale), own.ar_logits(key, frame, flow, scale)):
        assert logits.shape == (1, 11, 45, 61)
        assert torch.isfinite(logits).all()


@torch.inference_mode()
def test_keyframe_flow_and_frame_all_matter(own):
    key, frame, flow = random_frame(45, 61), random_frame(45, 61, seed=1), torch.zeros(12, 16, 2)
    base = own.ar_logits(key, frame, flow, 0.5)
    for changed in (
        own.ar_logits(frame, frame, flow, 0.5),
        own.ar_logits(key, key, flow, 0.5),
        own.ar_logits(key, frame, flow + 16.0, 0.5),
    ):
        assert (changed - base).abs().max() > 1e-4


def test_the_heads_difference_is_zero_only_for_equal_heads():
    network = own_network()
    assert network.head_difference() == 0.0
    with torch.no_grad():
        network.lr_head.classifier.bias[3] += 0.25
    assert network.head_difference() == pytest.approx(0.25)


@pytest.mark.parametrize("scale", [0.0, -0.5, 1.01, float("nan"), float("inf")])
def test_lr_scales_out_of_range_are_refused(own, scale):
    with pytest.raises(OptionError, match=r"--lr-scale 0\.5"):
        check_sizes(own, height=90, width=122, lr_scale=scale)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("height", "width", "scale"),
    [(8, 8, 0.5), (15, 64, 0.5), (64, 15, 0.5), (8, 8, 0.3), (1, 1, 1.0), (720, 960, 0.001)],
)
def test_a_frame_too_small_is_refused_with_a_size_that_works(skeletons, variant, height, width, scale):
    with pytest.raises(OptionError, match=f"size {height}x{width} ") as caught:
        check_sizes(skeletons[variant], height=height, width=width, lr_scale=scale)
    suggested = _suggested(caught.value)
    check_sizes(skeletons[variant], height=suggested[0], width=suggested[1], lr_scale=scale)


@settings(max_examples=300)
@given(
    height=st.integers(1, 200),
    width=st.integers(1, 200),
    scale=st.floats(0.01, 1.0),
    variant=st.sampled_from([*VARIANTS]),
)
def test_whatever_size_is_suggested_works(skeletons, height, width, scale, variant):
    network = skeletons[variant]
    try:
        check_sizes(network, height=height, width=width, lr_scale=scale)
    except OptionError as error:
        suggested = _suggested(error)
    else:
        assume(False)
    check_sizes(network, height=suggested[0], width=suggested[1], lr_scale=scale)


def test_a_feature_of_one_pixel_is_refused_with_a_size_that_works(skeletons):
    network = skeletons["cityscapes-psp18"]
    with pytest.raises(OptionError, match="feature of 1x1, expected at least 2x2") as caught:
        check_sizes(network, height=8, width=8, lr_scale=1.0)
    suggested = _suggested(caught.value)
    check_sizes(network, height=suggested[0], width=suggested[1], lr_scale=1.0)


@torch.inference_mode()
@pytest.mark.parametrize("size", [(9, 9), (16, 16), (17, 31)])
def test_the_smallest_sizes_accepted_really_work(own, size):
    scale = 1.0 if min(size) < 16 else 0.5
    check_sizes(own, height=size[0], width=size[1], lr_scale=scale)
    logits = own.ar_logits(random_frame(*size), random_frame(*size, seed=1), torch.zeros(*size, 2), scale)
    assert logits.shape == (1, 11, *size)
    assert torch.isfinite(logits).all()


def _suggested(error):
    found = re.search(r"try --size (\d+)x(\d+)", str(error))
    assert found, error
    return int(found[1]), int(found[2])
