"""Views of stills: reproducible by number, consistent between picture and label."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_arseg.errors import MemoryExhaustedError, OptionError
from edge_arseg.runtime.device.host_memory import HostMemory
from edge_arseg.training.hr import stills as stills_module
from edge_arseg.training.hr.augmentation import coded, view_from_still
from edge_arseg.training.hr.settings import HrSettings, StillAugmentation
from edge_arseg.training.hr.stills import Still, StillViews, check_memory, checked_crop, stills_from_street
from edge_arseg.training.run.views import batches

PLAIN = StillAugmentation(crop=(48, 64), light=0.0, blur=0.0, coded=0.0)


def coloured_label(size=(60, 80)):
    """A label of large cells and a picture that shows it: class c is the grey value 20 * (c + 1)."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    label = ((rows // 15) * 3 + columns // 20).astype(np.uint8) % 11
    return Still(np.repeat((20 * (label + 1))[..., None], 3, 2).astype(np.uint8), label)


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_picture_and_label_move_together(seed):
    still = coloured_label()
    rgb, label = view_from_still(still.rgb, still.label, PLAIN, np.random.default_rng(seed))
    assert rgb.shape == (48, 64, 3)
    assert label.shape == (48, 64)
    shown = np.where(label == 255, 0, 20 * (label.astype(int) + 1))
    agree = np.abs(rgb[..., 0].astype(int) - shown) <= 1
    assert agree.mean() > 0.7  # all but what bilinear sampling mixes at the edges of cells
    flat = np.ones_like(agree)
    for shift in itertools.product((-1, 0, 1), repeat=2):
        flat &= np.roll(label, shift, (0, 1)) == label
    flat[[0, -1]] = flat[:, [0, -1]] = False
    assert agree[flat].all()


def test_light_and_codec_leave_the_label_alone():
    still = coloured_label()
    plain = view_from_still(still.rgb, still.label, PLAIN, np.random.default_rng(3))
    varied = view_from_still(still.rgb, still.label, StillAugmentation(crop=(48, 64)), np.random.default_rng(3))
    assert np.array_equal(plain[1], varied[1])
    assert not np.array_equal(plain[0], varied[0])


def test_coarser_coding_is_further_from_the_original():
    rgb = stills_from_street(1, size=(96, 128), seed=2)[0].rgb
    errors = [float(np.abs(coded(rgb, crf=crf).astype(int) - rgb).mean()) for crf in (10, 25, 40)]
    assert errors == sorted(errors)
    assert errors[0] < 0.7 * errors[2]


def views(first, last, **changes):
    stills = [Still(s.rgb + np.uint8(k), s.label) for k in range(5) for s in [coloured_label()]]
    arguments = {"rendered_share": 0.3, "seed": 4} | changes
    rendered = [Still(np.zeros((60, 80, 3), np.uint8), np.zeros((60, 80), np.uint8))]
    return StillViews(stills, rendered, StillAugmentation(crop=(48, 64)), first=first, last=last, **arguments)


def test_a_view_depends_on_its_number_alone():
    whole, rest = views(0, 12), views(7, 12)
    assert len(rest) == 5
    for k in range(5):
        for a, b in zip(whole[7 + k], rest[k], strict=True):
            assert np.array_equal(a, b)
    assert not np.array_equal(whole[7][0], views(0, 12, seed=5)[7][0])


@pytest.mark.parametrize("workers", [0, 1])
def test_batches_hold_views_in_order(workers):
    of_two = list(batches(views(0, 7), 2, workers=workers))
    assert [tuple(rgb.shape) for rgb, _ in of_two] == [(2, 48, 64, 3)] * 3
    assert np.array_equal(of_two[1][0][1].numpy(), views(0, 7)[3][0])


def test_every_still_is_seen_once_an_epoch(monkeypatch):
    monkeypatch.setattr(stills_module, "view_from_still", lambda rgb, label, *_: (int(rgb[0, 0, 0]), label))
    seen = views(0, 10, rendered_share=0.0)
    first = [seen[k][0] for k in range(5)]
    second = [seen[k][0] for k in range(5, 10)]
    assert sorted(first) == sorted(second) == [20, 21, 22, 23, 24]
    assert first != second


def test_street_pictures_are_labelled_and_differ():
    stills = stills_from_street(12, size=(48, 64), seed=1)
    assert len(stills) == 12
    assert stills[0].rgb.shape == (48, 64, 3)
    assert len({still.rgb.tobytes() for still in stills}) == 12
    assert {int(v) for still in stills for v in np.unique(still.label)} >= {0, 1, 3, 4}


@pytest.mark.parametrize("crop", [(47, 64), (30, 64), (48, 63)])
def test_sizes_that_x264_cannot_encode_are_refused(crop):
    with pytest.raises(OptionError, match="even sides"):
        checked_crop(crop)


def test_pictures_and_views_have_to_fit_the_memory():
    memory = HostMemory(total=10_000_000, available=1_000_000, swap_free=200_000)
    recipe = HrSettings(batch=2, augmentation=StillAugmentation(crop=(100, 50)))
    check_memory(27, (100, 100), recipe, memory)  # 1.08 MB and 0.12 MB
    with pytest.raises(MemoryExhaustedError, match=r"28 pictures of 100x100 take about 0.0 GB of memory"):
        check_memory(28, (100, 100), recipe, memory)
    check_memory(10**9, (100, 100), recipe, HostMemory())
