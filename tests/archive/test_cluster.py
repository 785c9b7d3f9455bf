"""Many machines: files and pieces on a Dask cluster."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.archive.dask_cluster import dask_cluster, end
from support.bundles.fake import FAKE
from support.clips.moving import chainable, encode, moving

from edge_arseg.archive.executors import on_worker
from edge_arseg.archive.executors.bundle_parcel import bundle_from_parcel, parcel_from_bundle
from edge_arseg.cli.archive.options import SchedulerType
from edge_arseg.errors import BundleError, SinkError
from edge_arseg.runtime.bundles.reading import read_bundle

pytest.importorskip("distributed")
SINKS = ("masks://out/{stem}", "jsonl://out/{stem}.jsonl")
SLOW = ("--realtime", "--on-late", "block")
FRAMES = 25
"""Of each clip: a second, in real time."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with dask_cluster(tmp_path_factory.mktemp("dask")) as cluster:
        cluster.pids()
        yield cluster


def indices_in(path):
    return [json.loads(line)["index"] for line in Path(path).read_text().splitlines()]


def hidden():
    return list(Path("out").rglob(".part-*"))


def clips(count):
    Path("clips").mkdir()
    for number in range(count):
        chainable(Path(f"clips/{number}.mp4"), FRAMES)


def started(bundle, cluster, *arguments):
    command = [sys.executable, "-m", "edge_arseg", "run", "clips", *SINKS, *SLOW, "--cluster", cluster.address]
    return subprocess.Popen(
        [*command, "-b", str(bundle), *FAKE, *arguments], stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def test_a_cluster_writes_what_one_process_writes(run, videos, cluster):
    encode(Path("north/long.mp4"), moving(75, step=(1, 1)), g=15, bf=0, refs=1, preset="veryfast", sc_threshold=0)
    arguments = ("north", *SINKS, "--piece-length", 1, "--summary", "s.jsonl")
    answer = run(*arguments, "--cluster", cluster.address)
    assert answer.code == 0, answer.err
    seen = {str(path): path.read_bytes() for path in Path("out").rglob("*.png")}
    assert [indices_in(f"out/{name}.jsonl") for name in ("a", "b", "long")] == [
        list(range(count)) for count in (6, 9, 75)
    ]
    assert [json.loads(line)["frames"] for line in Path("s.jsonl").read_text().splitlines()] == [6, 9, 75]
    assert run(*arguments, "--force").code == 0
    assert {str(path): path.read_bytes() for path in Path("out").rglob("*.png")} == seen


def test_a_video_that_fails_on_a_worker_is_named_without_its_login(run, videos, cluster):
    Path("list.txt").write_text("north/a.mp4\nhttp://user:secret@127.0.0.1:9/gone.mp4\n")
    answer = run("@list.txt", *SINKS, "--cluster", cluster.address)
    assert answer.code == 4
    assert "1 of 2 videos failed: http://***@127.0.0.1:9/gone.mp4" in answer.err
    assert "secret" not in answer.err
    assert indices_in("out/a.jsonl") == list(range(6))


def test_a_worker_that_keeps_dasks_profile_says_what_it_costs(run, videos, cluster):
    assert run("north/a.mp4", *SINKS, "--cluster", cluster.address).code == 0
    said = " ".join(cluster.told.read_text().split())
    assert "Dask's profile of the last 1000 seconds" in said
    assert "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False before dask worker" in said


def test_the_file_for_workers_turns_the_profile_off_and_sets_what_dask_knows():
    import dask
    import yaml

    settings = yaml.safe_load((Path(__file__).parents[2] / "deploy/dask.yaml").read_text())

    def names(tree, *above):
        for name, value in tree.items():
            yield from names(value, *above, name) if isinstance(value, dict) else [".".join((*above, name))]

    assert all(dask.config.get(name) is not None for name in names(settings))
    assert on_worker.note_on_profile()
    with dask.config.set(dask.config.merge(dask.config.config, settings)):
        assert on_worker.note_on_profile() == ""


@pytest.mark.slow
def test_workers_that_are_killed_are_replaced_and_every_frame_is_there_once(
    fake_bundle, tmp_path, monkeypatch, cluster
):
    monkeypatch.chdir(tmp_path)
    clips(6)
    command = started(fake_bundle, cluster)
    for _ in range(2):
        deadline = time.monotonic() + 60
        while not hidden():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(cluster.pids()[0], signal.SIGKILL)
        time.sleep(0.5)
    _, told = command.communicate(timeout=90)
    assert command.returncode == 0, told
    assert [indices_in(f"out/{number}.jsonl") for number in range(6)] == 6 * [list(range(FRAMES))]
    assert [len(list(Path(f"out/{number}").glob("*.png"))) for number in range(6)] == 6 * [FRAMES]


@pytest.mark.slow
def test_a_killed_scheduler_ends_the_command_and_resume_finishes(run, fake_bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    clips(5)
    with dask_cluster(tmp_path) as cluster:
        cluster.pids()
        command = started(fake_bundle, cluster)
        deadline = time.monotonic() + 60
        while len(list(Path("out").glob("*.jsonl"))) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        end(cluster.scheduler, signal.SIGKILL)
        _, told = command.communicate(timeout=90)
        assert command.returncode == 3, told
    assert "is gone; what is whole stays: type the same again with --resume" in told
    whole = {path.name: path.stat().st_mtime_ns for path in Path("out").glob("*.jsonl")}
    assert all(indices_in(f"out/{name}") == list(range(FRAMES)) for name in whole)
    answer = run("clips", *SINKS, *SLOW, "--resume", "--processes", 2)
    assert (answer.code, "of 5 videos " in answer.err) == (0, True), answer.err
    assert [indices_in(f"out/{number}.jsonl") for number in range(5)] == 5 * [list(range(FRAMES))]
    assert {name: Path("out", name).stat().st_mtime_ns for name in whole} == whole
    assert hidden() == []


def test_without_a_scheduler_it_is_said_how_to_start_one(run, videos, monkeypatch):
    monkeypatch.setattr("edge_arseg.archive.executors.cluster._CONNECT_S", 0.5)
    answer = run("north", *SINKS, "--cluster", "tcp://user:secret@127.0.0.1:9")
    assert (answer.code, "no scheduler answers" in answer.err, "secret" in answer.err) == (3, True, False), answer.err


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("host:9", "tcp://host:9"),
        ("host", "tcp://host:8786"),
        (" [::1] ", "tcp://[::1]:8786"),
        ("TLS://user:secret@host", "tls://user:secret@host:8786"),
        ("inproc://10.0.0.1/1/1", "inproc://10.0.0.1/1/1"),
    ],
)
def test_an_address_of_a_scheduler_is_one_of_tcp_and_of_its_port_unless_it_says_otherwise(typed, meant):
    assert SchedulerType().convert(typed, None, None) == meant


@pytest.mark.parametrize("typed", ["", " ", "tcp://"])
def test_an_empty_address_of_a_scheduler_is_refused(run, videos, typed):
    answer = run("north", *SINKS, "--cluster", typed)
    assert (answer.code, "expected the address of a scheduler like tcp://HOST:8786" in answer.err) == (2, True)


def test_an_address_that_dask_cannot_read_is_told_at_once_and_without_a_trace(fake_bundle, videos):
    command = [sys.executable, "-m", "edge_arseg", "run", "north", "null://", "--cluster", "host:port"]
    start = time.monotonic()
    answer = subprocess.run([*command, "-b", fake_bundle, *FAKE], capture_output=True, text=True, timeout=60)
    assert answer.returncode == 3
    assert answer.stderr.splitlines()[-1].startswith("error: --cluster tcp://host:port: no scheduler answers (")
    assert ("Exception" in answer.stderr, "......" in answer.stderr) == (False, False)
    assert time.monotonic() - start < 15


def test_a_bundle_is_kept_by_its_digest_and_a_damaged_one_is_replaced(fake_bundle, tmp_path):
    parcel, digest = parcel_from_bundle(fake_bundle), read_bundle(fake_bundle).digest
    bundle = bundle_from_parcel(parcel, digest, cache=tmp_path)
    assert bundle.path == tmp_path / "bundles" / f"{digest}.arseg"
    assert bundle_from_parcel(b"not looked at", digest, cache=tmp_path) == bundle
    file = bundle.path / "fusion/weights.npz"
    whole = file.read_bytes()
    file.write_bytes(b"x" * len(whole))
    assert bundle_from_parcel(parcel, digest, cache=tmp_path) == bundle
    assert file.read_bytes() == whole
    with pytest.raises(BundleError, match="expected"):
        bundle_from_parcel(parcel, "0" * 64, cache=tmp_path)


def test_a_worker_whose_disk_is_full_says_so_and_keeps_no_half_of_a_bundle(fake_bundle, tmp_path, monkeypatch):
    def full(*_arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("zipfile.ZipFile.extractall", full)
    with pytest.raises(SinkError, match=r"bundles: cannot be written \(No space left on device\); name a folder"):
        bundle_from_parcel(parcel_from_bundle(fake_bundle), "0" * 64, cache=tmp_path)
    assert list((tmp_path / "bundles").iterdir()) == []
