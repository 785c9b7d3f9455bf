import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from support.children import Child
from support.compiling.builders import GOOD

from edge_arseg.compiler.engines.contract import BuildSettings
from edge_arseg.compiler.engines.process import BuildJob, result_from_job
from edge_arseg.errors import BuildError, MemoryExhaustedError, SinkError
from edge_arseg.spec.manifest import Precision


@pytest.fixture
def job(tmp_path):
    (tmp_path / "hr.onnx").write_bytes(b"the graph")

    def make(builder=GOOD):
        name = builder if ":" in builder else f"support.compiling.builders:{builder}"
        settings = BuildSettings(256 << 20)
        return BuildJob(name, "hr", tmp_path / "hr.onnx", Precision.FP16, settings, tmp_path / "hr.plan", b"cache")

    return make


def test_a_plan_is_written_by_another_process(job, tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_BUILDER_LOG", str(tmp_path / "log"))
    made = job()
    result = result_from_job(made, lambda _: None)
    assert made.plan.read_bytes() == b"plan of the graph"
    assert (result.timing_cache, result.layers, result.warnings) == (b"cache+", '{"Layers": []}', ("a warning",))
    process, precision, cache = (tmp_path / "log").read_text().split()
    assert int(process) != os.getpid()
    assert (precision, cache) == ("fp16", "cache")


def test_a_silent_build_is_heard_of(job):
    lines: list[str] = []
    result_from_job(job("Silent"), lines.append, heartbeat_s=0.4)
    assert len(lines) >= 2
    assert all(line.startswith("building hr, 0:0") for line in lines)
    assert lines[-1].endswith("so far: thinking hard")


def test_a_quick_build_says_nothing(job):
    lines: list[str] = []
    result_from_job(job(), lines.append, heartbeat_s=60)
    assert lines == []


@pytest.mark.parametrize(
    ("builder", "error", "text"),
    [
        ("Killed", MemoryExhaustedError, "killed.*memory runs out.*--workspace 256.*what is built is kept"),
        ("Crashing", BuildError, "by SIGSEGV without"),
        ("Leaving", BuildError, "with exit code 3 without"),
        ("Refusing", BuildError, "no such layer; type something else"),
        ("Unlicensed", BuildError, "^no licence; ask for one$"),
        ("Full", MemoryExhaustedError, "out of it"),
        ("Buggy", BuildError, "KeyError: 'surprise'"),
    ],
)
def test_each_end_has_its_message(job, builder, error, text):
    with pytest.raises(error, match=text):
        result_from_job(job(builder), lambda _: None)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_no_fault_of_the_library(job):
    """It was told as a fault of the build, exit 5, without a word on what to do."""
    full = replace(job(), plan=Path("/dev/full"))
    with pytest.raises(SinkError, match=r"cannot write /dev/full: the disk is full: free some space"):
        result_from_job(full, lambda _: None)


def test_an_interrupt_ends_the_build_at_once(job, monkeypatch):
    """Ctrl-C while the child works: nobody waits for it, and it is gone."""
    pids = []

    def progress(_):
        pids.extend(child_pids())
        raise KeyboardInterrupt

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        result_from_job(job("Silent"), progress, heartbeat_s=0.3)
    assert time.monotonic() - start < 5
    assert len(pids) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_a_build_ends_with_the_command_that_was_killed(job, tmp_path):
    """SIGKILL, which the command cannot pass on: the child sees that its parent is gone."""
    code = """
import multiprocessing
from edge_arseg.compiler.engines.process import result_from_job
from tests_job import JOB
result_from_job(JOB, lambda _: print(multiprocessing.active_children()[0].pid, flush=True), heartbeat_s=0.2)
"""
    stuck = job("Stuck")
    (tmp_path / "tests_job.py").write_text(f"""
from pathlib import Path, PosixPath
from edge_arseg.compiler.engines.contract import BuildSettings
from edge_arseg.compiler.engines.process import BuildJob
from edge_arseg.spec.manifest import Precision
JOB = BuildJob({stuck.builder!r}, "hr", {stuck.graph!r}, Precision.FP16, BuildSettings(1 << 28), {stuck.plan!r})
""")
    folders = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONPATH": folders}
    with Child([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment) as command:
        child = int(command.stdout.readline())
        command.kill()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{child}").exists() and "State:\tZ" not in Path(f"/proc/{child}/status").read_text():
        assert time.monotonic() < deadline, "the build outlived its command"
        time.sleep(0.02)
    assert not stuck.plan.exists()


def child_pids():
    import multiprocessing

    return [child.pid for child in multiprocessing.active_children()]
