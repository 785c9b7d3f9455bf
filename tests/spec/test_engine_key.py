from dataclasses import replace

import pytest

from edge_arseg.errors import BundleError
from edge_arseg.spec.engine_key import (
    EngineKey,
    PlanRecord,
    board_module,
    engine_roots,
    json_from_record,
    module_from_compatible,
    record_from_json,
)
from edge_arseg.spec.manifest import FileEntry, Role

KEY = EngineKey(
    {Role.HR: "a" * 64, Role.LR: "b" * 64}, "tensorrt", "10.3.0.30", (8, 7), 8, "p3767-0003", ("no-tf32", "O3")
)


@pytest.mark.parametrize(
    "change",
    [
        {"graphs": {Role.HR: "a" * 64, Role.LR: "c" * 64}},
        {"version": "10.3.0.31"},
        {"compute_capability": (8, 6)},
        {"sm_count": 4},
        {"device": "p3767-0000"},
        {"flags": ("O3",)},
    ],
)
def test_every_field_changes_the_name(change):
    assert replace(KEY, **change).name != KEY.name


def test_the_name_does_not_depend_on_order():
    turned = replace(KEY, graphs=dict(reversed(KEY.graphs.items())), flags=KEY.flags[::-1])
    assert turned.name == KEY.name
    assert KEY.name == "7016e7870a52008f"  # a new name would orphan every plan that was ever built


def test_differences_name_what_is_seen_and_what_is_here():
    other = replace(KEY, version="10.16.2.10", compute_capability=(7, 2), graphs={Role.HR: "a" * 64})
    assert KEY.differences(other) == [
        "built from another version of lr",
        "built for tensorrt 10.16.2.10, here tensorrt 10.3.0.30",
        "built for compute capability 7.2, here compute capability 8.7",
    ]
    assert KEY.differences(KEY) == []


def test_a_record_survives_json():
    record = PlanRecord(KEY, {Role.HR: FileEntry("d" * 64, 7)}, "2026-01-02T03:04:05Z")
    assert record_from_json(json_from_record(record)) == record


@pytest.mark.parametrize("text", ["", "{}", "junk", '{"key": 1, "plans": {}, "built": ""}'])
def test_junk_is_no_record(text):
    with pytest.raises(BundleError, match=r"here/build\.json: not a record"):
        record_from_json(text, where="here/build.json")


def test_an_unknown_revision_is_refused():
    text = json_from_record(PlanRecord(KEY, {}, "", 2))
    with pytest.raises(BundleError, match="revision 2 seen, this version reads 1"):
        record_from_json(text)


def test_engines_are_looked_for_in_the_bundle_and_in_the_cache(tmp_path):
    inside, outside = engine_roots(tmp_path / "a.arseg", "f" * 64, environment={}, home=tmp_path)
    assert inside == tmp_path / "a.arseg/engines"
    assert outside == tmp_path / ".cache/edge-arseg/engines" / ("f" * 16)
    moved = engine_roots(tmp_path / "a.arseg", "f" * 64, environment={"XDG_CACHE_HOME": "/other"}, home=tmp_path)[1]
    assert moved.parts[1] == "other"


@pytest.mark.parametrize(
    ("strings", "module"),
    [
        ("nvidia,p3768-0000+p3767-0003-super\0nvidia,p3767-0003\0nvidia,tegra234\0", "p3767-0003"),
        ("nvidia,p3509-0000+p3767-0000\0nvidia,tegra234", "p3767-0000"),
        ("nvidia,p4071-0000+p3834-0008\0nvidia,p3834-0008\0nvidia,tegra264", "p3834-0008"),
        ("raspberrypi,4-model-b\0brcm,bcm2711\0", None),
    ],
)
def test_the_module_is_the_last_part_number(strings, module, tmp_path):
    assert module_from_compatible(strings.encode()) == module
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/device-tree/compatible").write_bytes(strings.encode())
    assert board_module(tmp_path) == module


def test_a_machine_without_a_device_tree_has_no_module(tmp_path):
    assert board_module(tmp_path) is None
