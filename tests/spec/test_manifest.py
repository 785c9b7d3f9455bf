import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.bundles.small import small_manifest

from edge_arseg.errors import BundleError
from edge_arseg.spec import manifest as manifests
from edge_arseg.spec.manifest import REVISION, Role, json_from_manifest, manifest_from_json, manifest_schema

manifests._adapter()  # made at its first use, which takes longer than one example of a test may

NEWER = {"target", "compiled_from", "kernels", "quantization", "branches", "fit"}
"""Fields that the first bundles were written without."""


def edited(**changes) -> str:
    data = json.loads(json_from_manifest(small_manifest()))
    data.update(changes)
    return json.dumps({key: value for key, value in data.items() if value is not ...})


def test_round_trip_keeps_everything():
    manifest = small_manifest()
    assert manifest_from_json(json_from_manifest(manifest)) == manifest


def test_a_newer_revision_is_refused_by_the_version_that_is_needed():
    told = rf"revision {REVISION + 1} seen, this version reads 1 to {REVISION}; .*install"
    with pytest.raises(BundleError, match=told):
        manifest_from_json(edited(revision=REVISION + 1))


@pytest.mark.parametrize("revision", [..., None, "1", True, 1.5, [1]])
def test_something_else_than_a_revision_is_refused(revision):
    with pytest.raises(BundleError, match="no revision number seen"):
        manifest_from_json(edited(revision=revision))


def test_an_older_revision_asks_for_a_new_export():
    with pytest.raises(BundleError, match="export the checkpoint again"):
        manifest_from_json(edited(revision=0))


@pytest.mark.parametrize("text", ["", "{", "[1, 2", "\x00\x01", "nonsense"])
def test_what_is_not_json_is_refused(text):
    with pytest.raises(BundleError, match="not JSON"):
        manifest_from_json(text)


@pytest.mark.parametrize("text", ["[]", "3", "null", '"text"'])
def test_other_json_is_refused(text):
    with pytest.raises(BundleError, match="no revision number"):
        manifest_from_json(text)


def test_a_manifest_of_the_first_revision_is_read():
    """The one that the package shipped: quantized with weights of 8 bits, though it does not say so."""
    manifest = manifest_from_json((Path(__file__).parent / "manifest_revision_1.json").read_bytes())
    assert (manifest.revision, manifest.golden.min_agreement, manifest.golden.because) == (1, 0.987, None)
    assert manifest.quantization is not None
    assert (manifest.quantization.activations, manifest.quantization.weight_bits) == ("uint8", 8)


@pytest.mark.parametrize("bits", [6, 9, 7.5, "x"])
def test_weights_have_7_or_8_bits(bits):
    data = json.loads((Path(__file__).parent / "manifest_revision_1.json").read_bytes())
    data["quantization"]["weight_bits"] = bits
    with pytest.raises(BundleError, match=r"quantization\.weight_bits"):
        manifest_from_json(json.dumps(data))


def test_the_window_is_7_where_it_is_not_said_and_only_such_as_there_are():
    data = json.loads((Path(__file__).parent / "manifest_revision_1.json").read_bytes())
    assert manifest_from_json(json.dumps(data)).model.window == 7
    data["model"]["window"] = 5
    assert manifest_from_json(json.dumps(data)).model.window == 5
    data["model"]["window"] = 4
    with pytest.raises(BundleError, match=r"model\.window: 4 seen, expected one of 3, 5, 7"):
        manifest_from_json(json.dumps(data))


def test_words_without_a_gate_are_refused():
    golden = json.loads(json_from_manifest(small_manifest()))["golden"]
    with pytest.raises(BundleError, match="because is there, min_agreement is not"):
        manifest_from_json(edited(golden={**golden, "because": "it is enough"}))


def test_all_wrong_entries_are_reported_at_once():
    with pytest.raises(BundleError) as caught:
        manifest_from_json(edited(height=0, lr_scale=1.5, gop=..., surprise=1))
    message = str(caught.value)
    assert "4 wrong entries" in message
    for field in ("height", "lr_scale", "gop", "surprise"):
        assert f"  {field}:" in message


def test_a_bundle_without_the_newer_fields_is_read():
    assert manifest_from_json(edited(**dict.fromkeys(NEWER, ...))) == small_manifest()


def test_a_kernel_that_is_not_among_the_files_is_refused():
    kernel = {"file": "kernels/fusion.cubin", "sm": 87, "source": "0" * 64, "compiler": "nvcc 12.6"}
    with pytest.raises(BundleError, match=r"kernels: kernels/fusion\.cubin is not among the files"):
        manifest_from_json(edited(kernels=[kernel]))


def test_a_missing_graph_and_an_unlisted_file_are_both_named():
    data = json.loads(json_from_manifest(small_manifest()))
    del data["graphs"]["fuse"]
    del data["files"]["onnx/hr.onnx"]
    with pytest.raises(BundleError, match="'fuse'") as caught:
        manifest_from_json(json.dumps(data))
    assert "onnx/hr.onnx is not among the files" in str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        *("../secret", "/etc/passwd", "onnx/../../x", "onnx\\hr.onnx", "C:/x", "", ".", "onnx//hr.onnx"),
        *("./onnx/hr.onnx", "onnx/\x00.onnx", "onnx/\ud800.onnx", "onnx/a\nb", "a" * 5000),
    ],
)
def test_a_path_that_leaves_the_bundle_is_refused(path):
    data = json.loads(json_from_manifest(small_manifest()))
    data["graphs"]["hr"]["file"] = path
    with pytest.raises(BundleError, match=r"graphs\.hr\.file"):
        manifest_from_json(json.dumps(data))


@given(st.text(max_size=30))
def test_an_accepted_path_stays_inside(tmp_path_factory, path):
    root = tmp_path_factory.getbasetemp() / "bundle"
    data = json.loads(json_from_manifest(small_manifest()))
    data["files"][path] = {"sha256": "0" * 64, "bytes": 1}
    try:
        manifest_from_json(json.dumps(data))
    except BundleError:
        return
    if "\0" not in path:
        assert (root / path).resolve().is_relative_to(root.resolve())


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5), st.data())
def test_no_value_anywhere_causes_another_error(value, data):
    manifest = json.loads(json_from_manifest(small_manifest()))
    manifest[data.draw(st.sampled_from(sorted(manifest)))] = value
    with contextlib.suppress(BundleError):
        manifest_from_json(json.dumps(manifest))


def test_the_schema_names_every_field_of_the_manifest():
    schema = manifest_schema()
    fields = json.loads(json_from_manifest(small_manifest()))
    assert set(schema["properties"]) == set(fields)
    assert set(schema["required"]) == set(fields) - NEWER
    assert set(schema["$defs"]["Role"]["enum"]) == {role.value for role in Role}


@pytest.mark.parametrize("revision", [1, 2])
def test_bundles_of_every_revision_up_to_now_are_read(revision):
    assert manifest_from_json(edited(revision=revision)).revision == revision


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"name": "../../evil"}, r"name: '\.\./\.\./evil' seen, expected a plain name"),
        ({"name": "a\x00b"}, "name: .* expected a plain name"),
        ({"target": "a/b"}, "target: 'a/b' seen"),
        ({"lr_height": 99}, "lr_height, lr_width: 99x12 seen, 8x12 is 0.5 of 16x24"),
        ({"cost": {"hr_macs": 0, "lr_macs": 1, "fuse_macs": 1}}, "cost: 0, 1 and 1 MACs seen"),
    ],
)
def test_what_cannot_be_meant_is_refused(changes, fault):
    with pytest.raises(BundleError, match=f"contradicts itself\n  {fault}"):
        manifest_from_json(edited(**changes))


def test_colours_are_bytes():
    data = json.loads(edited())
    data["model"]["classes"][3]["color"] = [999, -1, 0]
    with pytest.raises(BundleError, match=r"model\.classes\.3\.color: \[999, -1, 0\] seen, expected three numbers"):
        manifest_from_json(json.dumps(data))
