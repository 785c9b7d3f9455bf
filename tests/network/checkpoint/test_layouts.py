"""The published layouts: every name and shape is the authors', asserted by digest."""

import hashlib
import json
from functools import lru_cache

import pytest
from support.golden.cases import GOLDEN
from support.networks.published_states import published_states

from edge_arseg.network.checkpoint.published import LAYOUTS, PSP18_STRIDE8, published_key
from edge_arseg.network.variants import VARIANTS

DIGESTS = {  # entries, first 16 digits of SHA-256 over "name shape type" lines, computed from the authors' code
    ("camvid-psp18", "hr"): (156, "df2998691ff90d24"),
    ("camvid-psp18", "ar"): (162, "797940969c48a935"),
    ("camvid-bise18", "hr"): (230, "449623d0c17e177e"),
    ("camvid-bise18", "ar"): (236, "d861c0c59d771034"),
    ("cityscapes-psp18", "hr"): (160, "e2178e8f14cf7090"),
    ("cityscapes-psp18", "ar"): (168, "ccd6b3287c8f20a7"),
    ("cityscapes-bise18", "hr"): (230, "2a9a9ec645f7437e"),
    ("cityscapes-bise18", "ar"): (236, "dcf0377fe47335e5"),
}


@lru_cache
def lines(variant):
    """``name shape type`` of every entry, for the HR and the AR file."""
    return {
        role: sorted(
            f"{key} {tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}" for key, value in state.items()
        )
        for role, state in zip(("hr", "ar"), published_states(variant)[:2], strict=True)
    }


@pytest.mark.parametrize(("variant", "role"), DIGESTS)
def test_our_names_translate_to_the_published_layout(variant, role):
    found = lines(variant)[role]
    digest = hashlib.sha256("\n".join(found).encode()).hexdigest()[:16]
    assert (len(found), digest) == DIGESTS[variant, role]


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="the reference's key lists are not here")
@pytest.mark.parametrize(("variant", "role"), DIGESTS)
def test_the_reference_s_key_lists_are_the_same(variant, role):
    entries = json.loads((GOLDEN / f"keys_{variant}_{role}.json").read_text())
    if (variant, role) == ("cityscapes-psp18", "hr"):
        role = "ar"  # the reference stores its HR network in the fusing class too: 168 entries
    assert sorted(f"{e['key']} {tuple(e['shape'])} {e['dtype']}" for e in entries) == lines(variant)[role]


def test_every_variant_has_a_layout():
    assert {model.backbone for model in VARIANTS.values()} == {layout.backbone for layout in LAYOUTS}


def test_a_name_that_no_rule_fits_is_not_guessed():
    with pytest.raises(KeyError, match=r"unheard\.of"):
        published_key("unheard.of", (("encoder.", "feats."),))
    assert published_key("encoder.bn1.bias", PSP18_STRIDE8.renames) == "layer0.1.bias"
    assert published_key("encoder.layer1.0.bn1.bias", PSP18_STRIDE8.renames) == "layer1.0.bn1.bias"
