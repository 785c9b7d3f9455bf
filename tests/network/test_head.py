"""The head: which resize comes first, and with which corners."""

import pytest
import torch
from torch.nn import functional as F

from edge_arseg.network.head import Head


def head(**options):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Head(4, 3, **options)


FEATURE = torch.randn(1, 4, 6, 8, generator=torch.Generator().manual_seed(1))
IMAGE, FRAME = (45, 61), (90, 122)


def test_a_branch_is_decoded_at_its_own_image_first():
    plain = head()
    at_image = F.interpolate(plain.classifier(FEATURE), IMAGE, mode="bilinear", align_corners=True)
    expected = F.interpolate(at_image, FRAME, mode="bilinear", align_corners=True)
    assert torch.equal(plain(FEATURE, IMAGE, FRAME), expected)


def test_a_fused_feature_goes_to_the_frame_at_once():
    plain = head()
    expected = F.interpolate(plain.classifier(FEATURE), FRAME, mode="bilinear", align_corners=True)
    assert torch.equal(plain(FEATURE, None, FRAME), expected)
    assert not torch.allclose(expected, plain(FEATURE, IMAGE, FRAME), atol=1e-4)


@pytest.mark.parametrize("image", [IMAGE, None])
def test_upscaling_has_half_pixel_centres_and_does_not_look_at_the_image(image):
    bisenet = head(upscale=8)
    large = F.interpolate(bisenet.classifier(FEATURE), (48, 64), mode="bilinear", align_corners=False)
    expected = F.interpolate(large, FRAME, mode="bilinear", align_corners=True)
    assert torch.equal(bisenet(FEATURE, image, FRAME), expected)


def test_log_probabilities_are_taken_before_the_frame_s_size():
    psp = head(log_probabilities=True)
    at_image = F.interpolate(psp.classifier(FEATURE), IMAGE, mode="bilinear", align_corners=True)
    expected = F.interpolate(F.log_softmax(at_image, 1), FRAME, mode="bilinear", align_corners=True)
    assert torch.equal(psp(FEATURE, IMAGE, FRAME), expected)
    at_their_size = psp(FEATURE, FRAME, FRAME).exp().sum(1)
    torch.testing.assert_close(at_their_size, torch.ones_like(at_their_size))


def test_log_probabilities_name_the_same_class_as_scores_where_nothing_is_resized_after():
    psp = head(log_probabilities=True)
    scores = F.interpolate(psp.scores(FEATURE, FRAME), FRAME, mode="bilinear", align_corners=True)
    assert torch.equal(psp(FEATURE, FRAME, FRAME).argmax(1), scores.argmax(1))
