"""JSON and TOML with numbers and nesting without end: each reader refuses them in its own words."""

import pytest
from support.bundles.small import write_small_bundle

from edge_arseg.errors import BundleError, DataError, OptionError, TargetError
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.spec.recipe import recipe_from_toml
from edge_arseg.spec.targets.files import target_from_toml
from edge_arseg.spec.targets.jetpack import JetPackTable
from edge_arseg.training.datasets.classes import classes_from_file

DEEP = "[" * 90_000
LONG = "9" * 5000


@pytest.mark.parametrize("content", [DEEP, '{"a":' * 90_000, LONG])
def test_a_manifest_without_end_is_refused_as_not_json(tmp_path, content):
    bundle = write_small_bundle(tmp_path / "a.arseg")
    (bundle / "manifest.json").write_text(content)
    with pytest.raises(BundleError, match="not JSON"):
        read_bundle(bundle)


@pytest.mark.parametrize("content", [f"a = {DEEP}", f"a = {LONG}"])
def test_toml_without_end_is_refused_as_not_toml(tmp_path, content):
    path = tmp_path / "a.toml"
    path.write_text(content)
    with pytest.raises(OptionError, match="not TOML"):
        recipe_from_toml(content)
    with pytest.raises(TargetError, match="not TOML"):
        target_from_toml(path, JetPackTable("", ()))
    with pytest.raises(DataError, match="not TOML"):
        classes_from_file(path)
