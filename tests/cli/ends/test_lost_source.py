"""A live source that goes away for good, through the command in a process of its own."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.bundles.fake import FAKE
from support.children import Child
from support.clips.rtsp_server import RtspServer, missing

ROOT = Path(__file__).parents[3]


@pytest.mark.skipif(missing() is not None, reason=str(missing()))
def test_a_source_that_is_lost_for_good_ends_with_4_and_whole_results(fake_bundle, tmp_path):
    lines = tmp_path / "a.jsonl"
    command = ["run", None, f"jsonl://{lines}", tmp_path / "a.mp4", "-b", fake_bundle, *FAKE, "--timeout", "1.2"]
    with RtspServer(size="64x48", login="me:secret") as server:
        command[1] = server.url
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "edge_arseg", *command]
        with Child(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            end = time.monotonic() + 30
            while (not lines.exists() or lines.read_text().count("\n") < 10) and time.monotonic() < end:
                time.sleep(0.05)
            server.kill()
            lost = time.monotonic()
            _, told = process.communicate()
    assert process.returncode == 4, told
    assert time.monotonic() - lost < 8
    last = told.splitlines()[-1]
    assert last.startswith(f"error: rtsp://***@127.0.0.1:{server.port}/live: no frame for ")
    assert "opening it again did not help; last fault: " in last
    assert "secret" not in told
    found = [json.loads(line) for line in lines.read_text().splitlines()]
    probe = [sys.executable, "-c", "import av, sys; print(len(list(av.open(sys.argv[1]).decode(video=0))))"]
    pictures = subprocess.run([*probe, tmp_path / "a.mp4"], capture_output=True, text=True, check=True).stdout
    assert len(found) >= 10
    assert int(pictures) == len(found) or f"{int(pictures) - len(found)}" in told
