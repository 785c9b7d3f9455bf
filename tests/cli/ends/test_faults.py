"""Full disks, kills, folders that cannot be written and a missing PyTorch: what is left, and what is said."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.bundles.fake import FAKE
from support.children import Child, finished

from edge_arseg.bench.record_files.reading import read_record
from edge_arseg.bench.record_files.writing import any_frames

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "examples"))),
    "OMP_NUM_THREADS": "1",
}
RECIPE = """
name = "tiny"
method = "minmax"
[[clips]]
source = "test://street?size=90x122&frames=10"
frames = 10
keyframes = 1
per_distance = 1
"""
STREET = "test://street?size=48x64&frames=20"
LIMIT = 40_000
"""Bytes that a file may grow to: less than the largest graph, more than a manifest."""
SLOW_VERBS = [pytest.param(verb, marks=pytest.mark.slow) for verb in ("export", "quantize")]


@pytest.fixture
def verbs(request, tmp_path):
    """The arguments of each command that builds, with names in ``out`` for what it writes."""
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(RECIPE)
    (tmp_path / "out").mkdir()

    def arguments(verb, out):
        if verb == "bench":
            return ["bench", STREET, "-b", request.getfixturevalue("fake_bundle"), *FAKE, "-o", out / "r.json"]
        if verb == "export":
            checkpoint = request.getfixturevalue("own_checkpoint")
            return ["export", *checkpoint, "--size", "90x122", "--gop", "5", "-o", out / "a.arseg"]
        bundle = request.getfixturevalue("own_bundle")
        if verb == "compile":
            return ["compile", bundle, "--target", "cpu", "-o", out / "a.arseg"]
        return ["quantize", bundle, "--recipe", recipe, "--threads", "1", "-o", out / "a.arseg"]

    return arguments


def typed(arguments, *, limit=None, code=None, **more):
    """Run a command in a process of its own; ``code`` is Python that is run before it."""
    start = [sys.executable, "-m", "edge_arseg"]
    if code is not None:
        start = [sys.executable, "-c", f"{code}\nfrom edge_arseg.cli.main import main\nmain()"]

    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    preexec = None if limit is None else limited
    return finished([*start, *arguments], timeout=300, env={**ENVIRONMENT, **more}, preexec_fn=preexec)


def told(answer):
    assert "Traceback" not in answer.stderr, answer.stderr
    return answer.stderr.splitlines()[-1]


@pytest.mark.parametrize("verb", [*SLOW_VERBS, "compile"])
def test_a_full_disk_leaves_no_bundle(verbs, tmp_path, verb):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    answer = typed(verbs(verb, tmp_path / "out"), limit=LIMIT, TMPDIR=str(scratch))
    assert answer.returncode == 4
    assert "the file may not grow further: see `ulimit -f`, or write to another place" in told(answer)
    assert ("export TMPDIR=FOLDER" in told(answer)) == (verb == "quantize")
    assert [*(tmp_path / "out").iterdir(), *scratch.glob("edge-arseg-*")] == []


@pytest.mark.slow
def test_a_full_disk_keeps_what_bench_measured_and_says_how_to_continue(verbs, tmp_path):
    out = tmp_path / "out"
    arguments = [*verbs("bench", out), "--frames", "60", "--mode", "ar"]
    answer = typed(arguments, limit=12_000)
    assert answer.returncode == 4
    assert told(answer).endswith("what was measured is kept: type the same with --resume to continue")
    assert any_frames(out / "r.json")
    assert typed([*arguments, "--resume"]).returncode == 0
    assert read_record(out / "r.json").state == "finished"
    assert sorted(path.name for path in out.iterdir()) == ["r.json", "r.npz"]


@pytest.mark.slow
def test_a_full_disk_keeps_the_clips_of_a_pair_store_and_the_next_run_adds_the_rest(tmp_path):
    out = tmp_path / "pairs"
    arguments = ["train", "prepare", "--street", "2", "--classes", "camvid-11", "--size", "64x96", "--gop", "2"]
    arguments += ["--workers", "1", "-o", out]
    answer = typed(arguments, limit=10_000)
    assert answer.returncode == 4
    assert told(answer).endswith("make room, and type the same again")
    assert list((out / "clips").iterdir()) == []
    assert typed(arguments).returncode == 0
    assert len(list((out / "clips").glob("*.npy"))) == len((out / "clips.jsonl").read_text().splitlines()) > 0


def test_a_disk_that_is_full_from_the_start_leaves_no_record(verbs, tmp_path):
    answer = typed(verbs("bench", tmp_path / "out"), limit=0)
    assert (answer.returncode, "the file may not grow further" in told(answer)) == (4, True)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.slow
def test_no_place_for_temporary_files_is_said_with_what_to_type(verbs, tmp_path):
    broken = "import tempfile; tempfile._candidate_tempdir_list = lambda: ['/proc/nowhere']"
    answer = typed(verbs("quantize", tmp_path / "out"), code=broken)
    assert answer.returncode == 4
    assert told(answer).endswith("name one with room and type the same again: export TMPDIR=FOLDER")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("verb", ["export", "quantize", "compile", "bench"])
def test_a_folder_that_cannot_be_written_ends_with_4(edge_arseg, verbs, verb):
    answer = edge_arseg(*verbs(verb, Path("/proc/nowhere")))
    assert answer.code == 4
    assert "/proc/nowhere" in answer.err.splitlines()[-1]


ABSENT = "import sys; sys.modules.update(dict.fromkeys(('torch', 'onnx', 'onnxscript', 'safetensors')))"
"""The host half's libraries are not installed."""


@pytest.mark.parametrize("verb", ["export", "quantize", "convert", "train hr", "train lr", "compile for a GPU"])
def test_without_the_host_halfs_libraries_one_line_says_what_to_install(verbs, tmp_path, verb):
    out = tmp_path / "out"
    arguments = {
        "convert": lambda: ["convert", tmp_path / "HR.pth", "-o", out / "a.safetensors"],
        "train hr": lambda: ["train", "hr", tmp_path, "-o", out / "hr"],
        "train lr": lambda: ["train", "lr", tmp_path, "--pairs", tmp_path, "-o", out / "lr"],
        "compile for a GPU": lambda: [*verbs("compile", out)[:2], "--target", "jetson-orin-nano-8gb"],
    }.get(verb, lambda: verbs(verb, out))()
    answer = typed(arguments, code=ABSENT)
    assert (answer.returncode, answer.stdout) == (3, "")
    assert "pip install" in told(answer)
    assert "torch" in told(answer)
    assert list(out.iterdir()) == []


@pytest.mark.slow
def test_without_the_host_halfs_libraries_bench_and_compile_for_a_cpu_do_without(verbs, tmp_path, own_bundle):
    out = tmp_path / "out"
    bench = ["bench", "test://street", "-b", own_bundle, "--backend", "onnxruntime", "-o", out / "r.json"]
    timed = typed([*bench, "--frames", "5", "--mode", "hr", "--layers", "--no-sensors"], code=ABSENT)
    assert timed.returncode == 0, timed.stderr
    assert "layers are timed without their MACs, which need onnx; type: " in timed.stderr
    assert typed(verbs("compile", out), code=ABSENT).returncode == 0
    assert sorted(path.name for path in out.iterdir()) == ["a.arseg", "r.json", "r.npz"]


HANGING = """
import time
import {module} as module

def stop(*_, **__):
    print("stopped", flush=True)
    time.sleep(600)

module.{name} = stop
"""
MOMENTS = {
    "export": ("edge_arseg.compiler.export.export", "agreements_of_bundle"),
    "quantize": ("edge_arseg.compiler.quantize.quantize", "agreements_of_bundle"),
    "compile": ("edge_arseg.compiler.writing", "_write"),
    "bench": ("edge_arseg.bench.bench", "_measure"),
}


def killed(arguments, moment, folder):
    module, name = moment
    code = HANGING.format(module=module, name=name) + "from edge_arseg.cli.main import main\nmain()"
    command, environment = [sys.executable, "-c", code, *arguments], {**ENVIRONMENT, "TMPDIR": str(folder)}
    with Child(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "stopped\n"
        process.kill()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("verb", [*SLOW_VERBS, "compile"])
def test_what_a_kill_leaves_is_hidden_and_goes_with_the_next_run(verbs, tmp_path, verb):
    out, scratch = tmp_path / "out", tmp_path / "scratch"
    scratch.mkdir()
    killed(verbs(verb, out), MOMENTS[verb], scratch)
    assert all(path.name.startswith(".a.arseg.part-") for path in out.iterdir())
    left = [*out.iterdir(), *scratch.glob("edge-arseg-*")]
    assert len(left) == 1
    os.utime(left[0], (time.time() - 3600,) * 2)
    assert typed(verbs(verb, out), TMPDIR=str(scratch)).returncode == 0
    assert [path.name for path in out.iterdir()] == ["a.arseg"]
    assert list(scratch.glob("edge-arseg-*")) == []


def test_a_record_comes_back_where_its_successor_was_killed_before_a_frame(verbs, tmp_path, edge_arseg):
    out = tmp_path / "out"
    arguments = [*verbs("bench", out), "--frames", "8", "--mode", "ar"]
    assert edge_arseg(*arguments).code == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    killed([*arguments, "--force"], MOMENTS["bench"], tmp_path)
    refused = edge_arseg(*arguments)
    assert (refused.code, "it exists already; type --force" in refused.err) == (4, True)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
