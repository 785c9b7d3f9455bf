"""What is read without the validation library is what the library reads."""

import json
from pathlib import Path

import pytest

import edge_arseg
from edge_arseg.errors import BundleError
from edge_arseg.spec import manifest as manifests
from edge_arseg.spec.manifest import Manifest, manifest_from_json
from edge_arseg.spec.plain import NotPlainError, value_of

MANIFESTS = sorted((Path(edge_arseg.__file__).parent / "zoo").glob("*.arseg/manifest.json"))
ODD = [
    None, True, False, 0, 1, -1, 2, 3.0, 0.5, 1e400, float("nan"), 10**30, "", "1", "x", "\n", "a/../b", "/a", "hr",
    "f" * 64, "f" * 64 + "\n", "F" * 64, "uint8", "uint8\n", "float32", [], [1], ["x"], [1, 2, 3], {}, {"x": 1},
]  # fmt: skip
"""Values in place of each value of a manifest; JSON as Python reads it has infinities and NaN."""


def places(data, path=()):
    """Every place in nested dicts and lists; of lists the first two items."""
    yield path
    if isinstance(data, dict):
        for key in data:
            yield from places(data[key], (*path, key))
    elif isinstance(data, list):
        for i in range(min(2, len(data))):
            yield from places(data[i], (*path, i))


def with_value(data, path, value):
    if not path:
        return value
    changed = data.copy()
    changed[path[0]] = with_value(data[path[0]], path[1:], value)
    return changed


@pytest.fixture(params=MANIFESTS, ids=lambda path: path.parent.stem)
def data(request):
    return json.loads(request.param.read_text())


def test_the_shipped_manifests_are_plain_and_read_alike(data):
    assert value_of(Manifest, data) == manifests._adapter().validate_python(data)


def test_whatever_is_accepted_is_what_the_library_makes_of_it():
    """Each value replaced, each entry left out, and an entry too many in each part."""
    data = json.loads(next(path for path in MANIFESTS if "int8" in path.parent.name).read_text())
    for name in list(data["files"])[2:]:  # these are all alike
        del data["files"][name]
    accepted = refused = 0
    small = [path for path in places(data) if len(path) < 5]
    # a third of the values at each place, another third at the next
    changed = [with_value(data, path, value) for i, path in enumerate(small) for value in ODD[i % 3 :: 3]]
    for path in small:
        inner = data
        for key in path:
            inner = inner[key]
        if isinstance(inner, dict):
            changed.append(with_value(data, path, {**inner, "one_more": 1}))
            changed += [with_value(data, path, {k: v for k, v in inner.items() if k != name}) for name in inner]
    for case in changed:
        try:
            value = value_of(Manifest, case)
        except NotPlainError:
            refused += 1
            continue
        accepted += 1
        expected = manifests._adapter().validate_python(case)
        assert repr(value) == repr(expected)  # NaN is not itself; a bool, an integer and a float are not alike
    assert accepted > 100
    assert refused > 500


def test_what_is_not_plain_is_decided_by_the_library(data):
    data["height"] = "360"
    assert manifest_from_json(json.dumps(data)).height == 360
    data["height"] = "high"
    with pytest.raises(BundleError, match="height: Input should be a valid integer"):
        manifest_from_json(json.dumps(data))
