from dataclasses import replace

import pytest
from support.bundles.fake import write_fake_bundle
from support.bundles.small import small_manifest

from edge_arseg.errors import BundleError
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.spec.graph_contract import check_graphs
from edge_arseg.spec.manifest import GraphEntry, Role
from edge_arseg.spec.tensor import TensorSpec


@pytest.fixture
def manifest(tmp_path):
    return read_bundle(write_fake_bundle(tmp_path / "a.arseg")).manifest


def edited(manifest, role, kind, name, spec):
    entry = manifest.graphs[role]
    values = {key: value for key, value in {**getattr(entry, kind), name: spec}.items() if value}
    return replace(manifest, graphs={**manifest.graphs, role: replace(entry, **{kind: values})})


def test_a_whole_bundle_can_be_run(manifest):
    check_graphs(manifest, Role, where="a.arseg")
    more = edited(manifest, Role.HR, "outputs", "logits", TensorSpec("float32", (1, 11, 48, 64)))
    check_graphs(more, Role, where="a.arseg")


@pytest.mark.parametrize(
    ("role", "kind", "name", "spec", "fault"),
    [
        (Role.FUSE, "inputs", "key_feature", None, "fuse: no input 'key_feature' (seen: flow, lr_feature)"),
        (Role.HEAD, "outputs", "class_map", None, "head: no output 'class_map' (seen: none)"),
        (
            Role.HR,
            "inputs",
            "frame",
            TensorSpec("uint8", (48, 65, 3)),
            "hr: input 'frame' is uint8[48, 65, 3], expected uint8[48, 64, 3]",
        ),
        (
            Role.FUSE,
            "outputs",
            "class_map",
            TensorSpec("int64", (48, 64)),
            "fuse: output 'class_map' is int64[48, 64], expected uint8[48, 64]",
        ),
        (
            Role.FUSE,
            "inputs",
            "flow",
            TensorSpec("float32", (12, 16)),
            "fuse: input 'flow' is float32[12, 16], expected float32[12, 16, 2] for cells of 4 pixels",
        ),
        (
            Role.LR,
            "outputs",
            "lr_feature",
            TensorSpec("float32", (1, 0, 48, 64)),
            "lr: output 'lr_feature' is float32[1, 0, 48, 64], expected [1, channels, rows, columns]",
        ),
    ],
)
def test_what_the_runtime_needs_and_the_manifest_lacks_is_named(manifest, role, kind, name, spec, fault):
    with pytest.raises(BundleError) as caught:
        check_graphs(edited(manifest, role, kind, name, spec), Role, where="a.arseg")
    assert str(caught.value).splitlines() == [
        "a.arseg: its manifest describes graphs that cannot be run",
        f"  {fault}",
        "Export the bundle again",
    ]


def test_all_faults_are_in_one_message_and_other_roles_are_left_alone():
    manifest = small_manifest()  # its graphs have no outputs
    with pytest.raises(BundleError) as caught:
        check_graphs(manifest, (Role.HR, Role.HEAD), where="a.arseg")
    assert "hr: no output 'feature' (seen: none)" in str(caught.value)
    assert "head: no input 'fused_feature' (seen: frame)" in str(caught.value)
    check_graphs(manifest, (), where="a.arseg")
    without = replace(manifest, graphs={Role.HR: GraphEntry("a.onnx", manifest.graphs[Role.HR].precision, {}, {})})
    with pytest.raises(BundleError, match="lr: there is no such graph"):
        check_graphs(without, (Role.LR,), where="a.arseg")


@pytest.mark.parametrize("shape", [(-1,), (2**31,), ("batch", 3), (None,), (2**20, 2**20, 2)])
def test_a_shape_that_no_memory_holds_is_no_shape(shape):
    with pytest.raises(ValueError, match=r"seen, (expected a static shape|too large for any memory)"):
        TensorSpec("float32", shape)
