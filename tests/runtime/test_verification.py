"""The gate of a bundle: absolute, unless somebody says in words why it is lower."""

import json
import shutil
from dataclasses import replace

import pytest
from support.bundles.small import small_manifest, write_small_bundle

from edge_arseg.compiler.writing import NewBundle
from edge_arseg.errors import OptionError
from edge_arseg.runtime.bundles.gate import gate_text, required_agreement
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.bundles.zoo import default_bundle
from edge_arseg.runtime.verification import verify_bundle


@pytest.mark.parametrize(
    ("own", "because", "required", "text"),
    [
        (None, None, 0.99, "99.00%"),
        (0.98, None, 0.98, "98.00%"),
        (0.995, None, 0.995, "99.50%"),
        (0.93, "doors are enough", 0.93, "93.00%, because: doors are enough"),
        (
            0.929,
            None,
            0.98,
            "98.00%; the 92.90% that this bundle asks of itself is what it reached when it was made, less a point, and "
            "does not count",
        ),
    ],
)
def test_what_is_asked_of_a_bundle(own, because, required, text):
    manifest = small_manifest()
    manifest = replace(manifest, golden=replace(manifest.golden, min_agreement=own, because=because))
    assert required_agreement(manifest) == required
    assert gate_text(manifest) == text


def as_revision_1(bundle, path, *, min_agreement):
    """A bundle as the first version wrote it: it graded itself."""
    shutil.copytree(bundle, path)
    data = json.loads((path / "manifest.json").read_text())
    data["revision"] = 1
    data["golden"]["min_agreement"] = min_agreement
    del data["golden"]["because"], data["quantization"]["weight_bits"]
    (path / "manifest.json").write_text(json.dumps(data))
    return path


def test_a_bundle_of_the_first_revision_cannot_lower_its_gate(edge_arseg, tmp_path, monkeypatch):
    from edge_arseg.runtime import verification

    path = as_revision_1(default_bundle(), tmp_path / "old.arseg", min_agreement=0.929)
    assert edge_arseg("verify", path).code == 0
    monkeypatch.setattr(verification, "_agreement", lambda seen, expected: 0.9386)
    answer = edge_arseg("verify", path)
    assert answer.code == 1
    assert "93.8600% of the pixels agree, 98.0000% expected" in answer.err
    assert "the 92.90% that this bundle asks of itself is what it reached when it was made" in answer.err


def test_what_is_written_anew_has_the_newest_revision(tmp_path):
    old = read_bundle(write_small_bundle(tmp_path / "old.arseg", revision=1))
    contents = old.contents(old.manifest.files)
    assert NewBundle(tmp_path / "new.arseg").write(old.manifest, contents).manifest.revision == 3
    assert old.manifest.revision == 1


@pytest.mark.parametrize("share", [98, -0.1, float("nan"), "0.98"])
def test_a_share_that_is_none_is_refused(share):
    """98 per cent, given as 98, was never reached, and nan neither."""
    with pytest.raises(OptionError, match=f"an agreement of {share!r} seen, expected a share of the pixels, 0 to 1"):
        verify_bundle(default_bundle(), min_agreement=share)
