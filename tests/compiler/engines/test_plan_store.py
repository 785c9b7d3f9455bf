import errno
import os
import threading

import pytest

from edge_arseg.compiler.engines.store import PlanStore
from edge_arseg.errors import SinkError
from edge_arseg.spec.engine_key import EngineKey, record_from_json
from edge_arseg.spec.manifest import Role
from edge_arseg.storage.files.whole import write_whole

KEY = EngineKey({Role.HR: "a" * 64}, "tensorrt", "10.3.0", (8, 7), 8, "p3767-0005")


@pytest.fixture
def store(tmp_path):
    made = PlanStore(tmp_path / "engines", KEY)
    made.check_writable("")
    return made


def keep(store, role=Role.HR, plan=b"plan", **extra):
    part = store.part(role)
    part.write_bytes(plan)
    return store.keep(role, part, extra)


def test_a_plan_is_plain_and_recorded(store):
    entry = keep(store, plan=b"the very bytes", **{"hr.layers.json": "{}"})
    assert (store.folder / "hr.plan").read_bytes() == b"the very bytes"
    record = record_from_json((store.folder / "build.json").read_bytes())
    assert record.key == KEY
    assert record.plans == {Role.HR: entry}
    assert store.has(Role.HR)
    assert not store.has(Role.LR)
    assert sorted(path.name for path in store.folder.iterdir()) == ["build.json", "hr.layers.json", "hr.plan"]
    assert store.folder.name == KEY.name


def test_plans_join_those_that_are_there(store):
    keep(store)
    keep(store, Role.LR, b"other")
    assert set(store.record().plans) == {Role.HR, Role.LR}
    keep(store, Role.HR, b"newer")
    assert store.has(Role.HR)
    assert store.has(Role.LR)


@pytest.mark.parametrize("content", [b"", b"plaN", b"plan and more"])
def test_a_plan_that_is_not_what_was_written_is_not_there(store, content):
    keep(store)
    (store.folder / "hr.plan").write_bytes(content)
    assert not store.has(Role.HR)


def test_a_plan_without_a_record_is_not_there(store):
    keep(store)
    for record in (b"", b"{}", b"\xff", b"[]"):
        (store.folder / "build.json").write_bytes(record)
        assert not store.has(Role.HR)
    (store.folder / "build.json").unlink()
    assert not store.has(Role.HR)


def test_a_record_of_another_key_does_not_count(store, tmp_path):
    keep(store)
    other = PlanStore(tmp_path / "engines", EngineKey({Role.HR: "b" * 64}, "tensorrt", "10.3.0", (8, 7), 8, "p3767"))
    other.check_writable("")
    (other.folder / "build.json").write_bytes((store.folder / "build.json").read_bytes())
    (other.folder / "hr.plan").write_bytes(b"plan")
    assert not other.has(Role.HR)


def test_a_writer_killed_between_its_steps_leaves_no_plan_or_the_whole(store, monkeypatch):
    """Stop ``keep`` at each rename in turn."""
    keep(store, plan=b"old")
    from pathlib import Path

    real = Path.replace
    for stop in range(1, 4):
        count = 0

        def replace(self, target, stop=stop):
            nonlocal count
            count += 1
            if count == stop:
                raise OSError("killed")
            return real(self, target)

        monkeypatch.setattr(Path, "replace", replace)
        with pytest.raises(SinkError, match="killed"):
            keep(store, plan=b"new")
        monkeypatch.setattr(Path, "replace", real)
        if store.has(Role.HR):
            assert (store.folder / "hr.plan").read_bytes() in (b"old", b"new")
        else:
            assert stop > 1
    keep(store, plan=b"new")
    assert (store.folder / "hr.plan").read_bytes() == b"new"
    assert store.has(Role.HR)


def test_leftovers_of_killed_builds_go(store):
    leftover = store.folder / ".hr.plan.part-99999999"
    leftover.write_bytes(b"half")
    keep(store)
    assert not leftover.exists()


def test_what_a_running_build_writes_is_left_alone(store):
    running = store.folder / f".hr.plan.part-{os.getppid()}"
    running.write_bytes(b"half")
    keep(store)
    assert running.exists()
    (store.folder / f".hr.plan.part-{os.getpid()}").write_bytes(b"of an earlier try")
    assert not store.part(Role.HR).exists()


def test_two_builds_that_end_at_once_keep_both_plans(store, monkeypatch):
    """Each read the record, and the last one wrote it without the plan of the other."""
    parts = {role: store.folder / f"{role.value}.made" for role in (Role.HR, Role.LR)}
    for role, part in parts.items():
        part.write_bytes(role.value.encode())
    real, other = PlanStore.record, []

    def record(self):
        found = real(self)
        if not other:
            other.append(threading.Thread(target=lambda: PlanStore(store.folder.parent, KEY).keep(*lr, {})))
            other[0].start()
            other[0].join(0.3)
        return found

    lr = Role.LR, parts[Role.LR]
    monkeypatch.setattr(PlanStore, "record", record)
    store.keep(Role.HR, parts[Role.HR], {})
    other[0].join()
    monkeypatch.setattr(PlanStore, "record", real)
    assert store.has(Role.HR)
    assert store.has(Role.LR)


def test_a_full_disk_is_told_with_what_to_do(store, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SinkError, match=r"cannot be kept: the disk is full \(.* free\): free some space"):
        keep(store)


def test_a_folder_that_cannot_be_written_is_refused_with_the_way_out(tmp_path):
    (tmp_path / "engines").write_text("a file is in the way")
    with pytest.raises(SinkError, match=r"cannot be written \(.*engines is not a folder\); type that"):
        PlanStore(tmp_path / "engines", KEY).check_writable("type that")


def test_a_read_only_disk_is_refused_before_anything_is_built(tmp_path, monkeypatch):
    def fail(dir):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(dir))

    monkeypatch.setattr("tempfile.TemporaryFile", fail)
    with pytest.raises(SinkError, match=r"cannot be written \(Read-only file system\); type that"):
        PlanStore(tmp_path / "engines", KEY).check_writable("type that")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_refused(tmp_path):
    (tmp_path / "engines").mkdir(mode=0o555)
    with pytest.raises(SinkError, match="Permission denied"):
        PlanStore(tmp_path / "engines", KEY).check_writable("")


def test_what_was_learnt_is_kept_with_its_digest(store, tmp_path):
    assert store.timing_cache() == b""
    store.keep_timing_cache(b"learnt")
    assert store.timing_cache() == b"learnt"
    (file,) = tmp_path.glob("engines/timing-*.cache")
    assert file.name == "timing-tensorrt-10.3.0-sm_87-p3767-0005.cache"
    file.write_bytes(b"edited")
    assert store.timing_cache() == b""
    store.keep_timing_cache(b"again")
    assert store.timing_cache() == b"again"
    file.with_name(f"{file.name}.sha256").write_text("")
    assert store.timing_cache() == b""


def test_a_name_with_spaces_makes_a_file_name(tmp_path):
    key = EngineKey({}, "tensorrt", "10.3.0", (9, 0), 132, "NVIDIA H200/x")
    store = PlanStore(tmp_path, key)
    store.check_writable("")
    store.keep_timing_cache(b"x")
    assert (tmp_path / "timing-tensorrt-10.3.0-sm_90-NVIDIA_H200_x.cache").is_file()


def test_a_file_is_written_whole_or_not(tmp_path, monkeypatch):
    write_whole(tmp_path / "a", b"1", sync=True)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_whole(tmp_path / "a", b"2", sync=True)
    assert (tmp_path / "a").read_bytes() == b"1"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
