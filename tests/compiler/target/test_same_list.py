"""A dry run fails where the real run would and says what it will take; a compilation ends with a command that works."""

import os
import shutil
import types
from dataclasses import replace
from pathlib import Path

import pytest
from support.compiling.builders import GOOD
from support.compiling.machines import BOARD, GB, HOST, NANO, OPTIONS, PLENTY, tree

from edge_arseg.compiler.engines import workshop
from edge_arseg.compiler.engines.memory import LIBRARY_BYTES, entry_in_precision
from edge_arseg.compiler.target.compile import compile_bundle, next_command, preview_compile
from edge_arseg.compiler.target.options import CompileOptions
from edge_arseg.errors import ArsegError, EnvironmentUnfitError, MemoryExhaustedError, OptionError, SinkError
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.device.host_memory import HostMemory
from edge_arseg.spec.manifest import Precision, Role

LITTLE = HostMemory(8 * GB, GB, 0)


def both(toy, target, options, machine):
    """The message of the error that the dry run and the real run end with; they must be the same, and do nothing."""
    before = tree(toy.path.parent)
    answers = []
    for verb in (preview_compile, compile_bundle):
        with pytest.raises(ArsegError) as caught:
            verb(toy, target, options, machine=machine)
        answers.append((caught.type, str(caught.value)))
    assert answers[0] == answers[1]
    assert tree(toy.path.parent) == before
    return answers[0]


def test_a_missing_library_of_the_host(toy, monkeypatch):
    from edge_arseg.compiler.target import bundle as target_bundle

    monkeypatch.setattr(target_bundle, "find_spec", lambda name: None if name == "torch" else object())
    kind, text = both(toy, NANO, CompileOptions(builder=GOOD), HOST)
    assert kind is EnvironmentUnfitError
    assert "takes torch, not installed here" in text
    assert f"--target {NANO}" in text


def test_a_missing_library_of_the_board(toy, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tensorrt", None)
    kind, text = both(toy, NANO, replace(OPTIONS, builder=CompileOptions().builder), BOARD)
    assert kind is EnvironmentUnfitError
    assert "TensorRT" in text


def test_too_little_memory(toy):
    kind, text = both(toy, NANO, OPTIONS, replace(BOARD, read_memory=lambda: LITTLE))
    assert kind is MemoryExhaustedError
    assert "1.0 GB of 8.0 GB are free" in text
    preview_compile(toy, NANO, replace(OPTIONS, memory_check=False), machine=replace(BOARD, read_memory=lambda: LITTLE))


def test_an_output_that_is_there(toy, tmp_path):
    (tmp_path / f"toy-{NANO}.arseg").mkdir()
    kind, text = both(toy, NANO, OPTIONS, HOST)
    assert kind is OptionError
    assert "exists already; type --force" in text


@pytest.mark.parametrize("cache", [False, True], ids=["bundle", "user's cache"])
def test_a_place_that_cannot_be_written(toy, tmp_path, monkeypatch, cache):
    (tmp_path / "file").write_text("no folder")
    if cache:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
        kind, text = both(toy, NANO, replace(OPTIONS, user_cache=True), BOARD)
        assert "export XDG_CACHE_HOME=FOLDER" in text
    else:
        kind, text = both(toy, NANO, replace(OPTIONS, output=tmp_path / "file/x.arseg"), HOST)
    assert kind is SinkError
    assert "cannot be written" in text


def test_a_disk_without_room(toy, monkeypatch):
    free = toy.size() - 1
    monkeypatch.setattr(shutil, "disk_usage", lambda place: types.SimpleNamespace(free=free))
    kind, text = both(toy, NANO, OPTIONS, HOST)
    assert kind is SinkError
    assert "the disk is full" in text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(toy, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o555)
    assert both(toy, NANO, replace(OPTIONS, output=tmp_path / "locked/x.arseg"), HOST)[0] is SinkError


def test_a_dry_run_says_what_each_engine_takes(toy):
    steps = preview_compile(toy, NANO, OPTIONS, machine=BOARD).steps[2:]
    assert [step.name for step in steps] == [f"engine {role.value}" for role in Role]
    for step in steps:
        assert step.estimate == "estimate: 1.7 GB of RAM; minutes not known, none was built here yet"
        assert step.ram_bytes is not None
        assert LIBRARY_BYTES + (512 << 20) < step.ram_bytes < LIBRARY_BYTES + (512 << 20) + 10**7
        assert step.minutes is None


def test_minutes_are_those_of_an_earlier_build_here(toy, monkeypatch):
    from edge_arseg.compiler.engines.process import BuildResult

    def build(job, progress):
        job.plan.write_bytes(b"plan")
        return BuildResult(b"", "", (), 90.0 if job.name == "hr" else 30.0)

    monkeypatch.setattr(workshop, "result_from_job", build)
    made = compile_bundle(toy, NANO, OPTIONS, machine=BOARD)
    steps = preview_compile(
        read_bundle(made.bundle), NANO, replace(OPTIONS, builder="support.compiling.builders:Newer"), machine=BOARD
    ).steps
    assert {step.name: step.minutes for step in steps[2:]} == {
        "engine hr": 1.5, **dict.fromkeys(("engine lr", "engine fuse", "engine head", "engine lr_head"), 0.5)
    }  # fmt: skip
    assert "1.5 minutes when it was built here before" in steps[2].estimate


def test_a_host_says_what_the_board_will_need(toy):
    step = preview_compile(toy, NANO, OPTIONS, machine=HOST).steps[-1]
    assert "1.7 of the board's 8 GB of RAM" in step.estimate


def test_the_size_of_a_graph_is_known_before_it_is_converted(own_bundle, tmp_path):
    """What the dry run judges memory by, against the graphs that the real run makes."""
    source = read_bundle(own_bundle)
    made = read_bundle(compile_bundle(source, NANO, CompileOptions(output=tmp_path / "x.arseg"), machine=HOST).bundle)
    for role, entry in source.manifest.graphs.items():
        size = source.graph_path(role).stat().st_size
        seen = made.manifest.graphs[role]
        guess, guessed = entry_in_precision(entry, size, Precision.FP16, fuse=Precision.FP16)
        assert (guess.inputs, guess.outputs) == (seen.inputs, seen.outputs)
        if role in (Role.HR, Role.LR):  # of the others nodes, not weights, are most of the file
            assert 0.7 < guessed / made.graph_path(role).stat().st_size < 1.3


def test_the_command_that_follows(toy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    on_cpu = compile_bundle(toy, "cpu", CompileOptions(), machine=HOST)
    assert next_command(on_cpu) == f"edge-arseg run test://street toy-cpu.mp4 --limit 60 -b {tmp_path}/toy-cpu.arseg"
    Path("toy-cpu.mp4").touch()
    assert "toy-cpu-2.mp4" in next_command(on_cpu)
    on_host = compile_bundle(toy, NANO, OPTIONS, machine=HOST)
    name = f"toy-{NANO}.arseg"
    assert next_command(on_host) == f"copy {tmp_path}/{name} to the board and type there: edge-arseg compile {name}"
    left_out = compile_bundle(toy, NANO, replace(OPTIONS, engines=False), machine=BOARD)
    assert next_command(left_out) == f"edge-arseg compile {tmp_path}/{name}"
    some = compile_bundle(toy, NANO, replace(OPTIONS, roles=(Role.HR,)), machine=BOARD)
    assert next_command(some) == f"edge-arseg compile {tmp_path}/{name}"
    whole = compile_bundle(toy, NANO, OPTIONS, machine=BOARD)
    assert next_command(whole) == f"edge-arseg verify {tmp_path}/{name} --backend tensorrt"
    without_fuse = replace(whole, missing=(Role.FUSE, Role.LR_HEAD), kernels=True)
    assert next_command(without_fuse) == (
        f"edge-arseg run test://street toy-{NANO}.mp4 --limit 60 -b {tmp_path}/{name} --backend tensorrt"
    )


def test_memory_that_a_build_leaves_behind_is_looked_at_before_the_next(toy, log):
    """What is free is asked again before every build, not only at the start."""
    answers = iter([PLENTY] * 7 + [LITTLE] * 9)
    with pytest.raises(MemoryExhaustedError, match="building fuse"):
        compile_bundle(toy, NANO, OPTIONS, machine=replace(BOARD, read_memory=lambda: next(answers)))
    assert len(log()) == 2
