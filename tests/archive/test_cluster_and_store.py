"""A cluster whose videos and results lie in an object store."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from support.archive.dask_cluster import dask_cluster
from support.archive.s3 import s3_server
from support.bundles.fake import FAKE
from support.clips.moving import chainable

pytest.importorskip("distributed")
FRAMES, CLIPS = 25, 4


@pytest.fixture
def s3():
    with s3_server() as store:
        yield store


@pytest.mark.slow
def test_a_worker_is_killed_and_the_store_has_every_result_once(s3, fake_bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in range(CLIPS):
        chainable(tmp_path / f"{number}.mp4", FRAMES)
        s3.put_file(str(tmp_path / f"{number}.mp4"), f"cars/in/{number}.mp4")
    sinks = ("masks://s3://cars/out/{stem}", "jsonl://s3://cars/out/{stem}.jsonl")
    with dask_cluster(tmp_path) as cluster:
        pids = cluster.pids()
        command = subprocess.Popen(
            [sys.executable, "-m", "edge_arseg", "run", "s3://cars/in/*.mp4", *sinks,
             "--realtime", "--on-late", "block", "--cluster", cluster.address, "-b", str(fake_bundle), *FAKE],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        deadline = time.monotonic() + 120
        while not s3.glob("cars/out/*.jsonl"):  # one is whole, others are at work
            assert time.monotonic() < deadline
            assert command.poll() is None, command.communicate()
            time.sleep(0.05)
        os.kill(pids[0], signal.SIGKILL)
        _, told = command.communicate(timeout=180)
        assert command.returncode == 0, told
    assert "very-secret" not in told
    assert sorted(s3.glob("cars/out/*.jsonl")) == [f"cars/out/{number}.jsonl" for number in range(CLIPS)]
    for number in range(CLIPS):
        lines = s3.cat_file(f"cars/out/{number}.jsonl").decode().splitlines()
        assert [json.loads(line)["index"] for line in lines] == list(range(FRAMES))
        masks = [path.rpartition("/")[2] for path in s3.find(f"cars/out/{number}")]
        assert sorted(masks) == [f"{index:06d}.png" for index in range(FRAMES)]
