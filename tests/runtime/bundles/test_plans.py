import hashlib
from dataclasses import replace

import pytest
from support.bundles.toy import write_toy_bundle

from edge_arseg.errors import BuildError
from edge_arseg.runtime.bundles.plans import engine_roots, plan_from_bundle
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.spec.engine_key import RECORD, EngineKey, PlanRecord, graph_digests, json_from_record, plan_file
from edge_arseg.spec.entries import FileEntry
from edge_arseg.spec.manifest import Role

HERE = {"version": "10.3.0.30", "compute_capability": (8, 7), "sm_count": 8, "device": "p3767-0003"}


@pytest.fixture
def bundle(tmp_path):
    return read_bundle(write_toy_bundle(tmp_path / "toy.arseg"))


def write_plans(bundle, root=None, roles=(Role.HR, Role.LR), built="2026-01-01T00:00:00Z", **changes):
    key = replace(EngineKey(graph_digests(bundle.manifest), "tensorrt", **HERE), **changes)
    folder = (root or bundle.path / "engines") / key.name
    folder.mkdir(parents=True)
    plans = {}
    for role in roles:
        data = f"{role.value} {changes} {built}".encode()
        (folder / plan_file(role)).write_bytes(data)
        plans[role] = FileEntry(hashlib.sha256(data).hexdigest(), len(data))
    (folder / RECORD).write_text(json_from_record(PlanRecord(key, plans, built)))
    return folder


def test_the_plan_that_fits_is_found(bundle):
    write_plans(bundle, version="8.6.2.3")
    folder = write_plans(bundle)
    assert plan_from_bundle(bundle, Role.LR, **HERE) == folder / "lr.plan"


def test_the_users_cache_is_looked_at_too(bundle, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = write_plans(bundle, tmp_path / "cache/edge-arseg/engines" / bundle.digest[:16])
    assert plan_from_bundle(bundle, Role.HR, **HERE) == folder / "hr.plan"


def test_of_two_that_differ_in_flags_the_last_built_counts(bundle):
    write_plans(bundle, flags=("O5",), built="2026-01-01T00:00:00Z")
    newer = write_plans(bundle, flags=("O3",), built="2026-01-02T00:00:00Z")
    assert plan_from_bundle(bundle, Role.HR, **HERE) == newer / "hr.plan"


@pytest.mark.parametrize(("change", "passing"), [({"sm_count": 4}, True), ({"version": "8.6.2.3"}, False)])
def test_another_power_mode_may_pass_and_another_library_does_not(bundle, change, passing):
    write_plans(bundle, **change)
    with pytest.raises(BuildError) as caught:
        plan_from_bundle(bundle, Role.HR, **HERE)
    assert caught.value.transient is passing


def test_without_plans_it_says_what_to_type(bundle):
    with pytest.raises(BuildError, match=r"no plans built .*engines.*edge-arseg compile .*toy\.arseg$"):
        plan_from_bundle(bundle, Role.HR, **HERE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": "8.6.2.3"}, r"built for tensorrt 8\.6\.2\.3, here tensorrt 10\.3\.0\.30"),
        ({"compute_capability": (7, 2)}, r"compute capability 7\.2, here compute capability 8\.7"),
        ({"sm_count": 4}, r"4 multiprocessors .*power mode.* here 8"),
        ({"device": "p3767-0000"}, "device p3767-0000, here device p3767-0003"),
        ({"graphs": {Role.HR: "a" * 64}}, "another version of fuse, head, hr"),
    ],
)
def test_plans_that_do_not_fit_say_what_differs(bundle, change, message):
    write_plans(bundle, version="1.0", compute_capability=(5, 3), sm_count=1)
    write_plans(bundle, **change)
    with pytest.raises(BuildError, match=rf"{message}.*edge-arseg compile"):
        plan_from_bundle(bundle, Role.HR, **HERE)


def test_an_unfinished_build_names_what_there_is(bundle):
    write_plans(bundle)
    with pytest.raises(BuildError, match=r"no plan for fuse \(there are hr, lr\).*not finished"):
        plan_from_bundle(bundle, Role.FUSE, **HERE)


@pytest.mark.parametrize(
    ("data", "message"), [(b"hr", "2 bytes seen"), (None, "missing"), ("same length", "SHA-256 .* seen")]
)
def test_a_damaged_plan_is_never_loaded(bundle, data, message):
    path = write_plans(bundle) / "hr.plan"
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data if isinstance(data, bytes) else b"x" * path.stat().st_size)
    with pytest.raises(BuildError, match=rf"hr\.plan: .*{message}.*delete .* build again"):
        plan_from_bundle(bundle, Role.HR, **HERE)


def test_a_broken_record_counts_as_none(bundle, caplog):
    (write_plans(bundle) / RECORD).write_text("{")
    with pytest.raises(BuildError, match="no plans built"):
        plan_from_bundle(bundle, Role.HR, **HERE)
    assert "not a record of plans" in caplog.text


def test_engines_are_looked_for_in_the_bundle_and_in_the_cache(tmp_path):
    inside, outside = engine_roots(tmp_path / "a.arseg", "f" * 64, environment={}, home=tmp_path)
    assert inside == tmp_path / "a.arseg/engines"
    assert outside == tmp_path / ".cache/edge-arseg/engines" / ("f" * 16)
    moved = engine_roots(tmp_path / "a.arseg", "f" * 64, environment={"XDG_CACHE_HOME": "/other"}, home=tmp_path)[1]
    assert moved.parts[1] == "other"
