from dataclasses import replace

import pytest

from edge_arseg.errors import BundleError
from edge_arseg.spec.engine_key import (
    EngineKey,
    PlanRecord,
    json_from_record,
    record_from_json,
)
from edge_arseg.spec.entries import FileEntry
from edge_arseg.spec.manifest import Role

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
