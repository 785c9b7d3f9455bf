"""What compiling refuses, and where it says to go on."""

from dataclasses import replace

import pytest
from support.compiling.builders import GOOD
from support.compiling.machines import BOARD, FACTS, FP32, GB, HOST, NANO, OPTIONS, PLENTY, states, tree

from edge_arseg.compiler.engines import workshop
from edge_arseg.compiler.target.compile import compile_bundle, next_command, preview_compile
from edge_arseg.compiler.target.options import CompileOptions
from edge_arseg.compiler.target.steps import StepState
from edge_arseg.errors import EnvironmentUnfitError, MemoryExhaustedError, SinkError
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.device.board import Board
from edge_arseg.runtime.device.cuda import DeviceFacts
from edge_arseg.runtime.device.host_memory import HostMemory
from edge_arseg.spec.manifest import Precision, Role
from edge_arseg.spec.targets.target import Configuration


def test_a_board_that_is_not_supported_says_why(toy):
    with pytest.raises(EnvironmentUnfitError, match=r"Jetson Nano is not supported: .*GridSample.*targets list"):
        compile_bundle(toy, "jetson-nano", OPTIONS, machine=HOST)


def test_the_older_boards_get_graphs_only(toy):
    found = compile_bundle(toy, "jetson-agx-xavier", OPTIONS, machine=HOST)
    assert states(found)["engines"] is StepState.ELSEWHERE
    assert "trtexec" in found.steps[-1].detail
    assert next_command(found) == (
        f"copy {found.bundle} to the board and type there: trtexec --onnx={found.bundle.name}/onnx/hr.onnx "
        f"--saveEngine=hr.plan && trtexec --onnx={found.bundle.name}/onnx/lr.onnx --saveEngine=lr.plan"
    )


@pytest.mark.parametrize(
    ("precision", "flags"),
    [(Precision.FP16, " --fp16"), (Precision.INT8, " --int8 --fp16"), (Precision.MIXED, " --int8 --fp16")],
)
def test_older_boards_are_told_to_allow_what_the_graphs_compute_in(toy, precision, flags):
    """TensorRT 8.5, the newest of Xavier, builds no graph of half or int8 types without them."""
    found = compile_bundle(toy, "jetson-agx-xavier", OPTIONS, machine=HOST)
    followed = next_command(replace(found, precisions={Role.HR: precision}))
    assert followed.endswith(f"/onnx/hr.onnx --saveEngine=hr.plan{flags}")


def test_a_board_that_cannot_be_told_asks_for_its_name(toy):
    board = Board(
        None, "nothing names it", ("jetson-thor-t4000", "jetson-thor-t5000"), configuration=Configuration.NORMAL
    )
    machine = replace(BOARD, board=board)
    with pytest.raises(EnvironmentUnfitError, match="--target jetson-thor-t4000 or --target jetson-thor-t5000"):
        compile_bundle(toy, None, OPTIONS, machine=machine)


def test_a_named_target_is_believed_where_nothing_contradicts(toy):
    """In a container the device tree is often out of sight."""
    machine = replace(BOARD, board=Board("cpu", "nothing", memory=PLENTY))
    place = preview_compile(toy, NANO, OPTIONS, machine=machine).place
    assert place.here
    assert "declared" in place.why
    assert not preview_compile(toy, NANO, OPTIONS, machine=replace(machine, architecture="x86_64")).place.here


def test_another_board_is_a_host(toy):
    found = compile_bundle(toy, "jetson-agx-orin-64gb", OPTIONS, machine=BOARD)
    assert states(found)["engines"] is StepState.ELSEWHERE
    assert found.steps[-1].detail == f"on the board: this is {NANO}"
    assert not preview_compile(toy, "cuda", OPTIONS, machine=BOARD).place.here


def test_the_wrong_gpu_is_refused(toy):
    machine = replace(BOARD, facts=replace(FACTS, compute_capability=(11, 0)))
    with pytest.raises(EnvironmentUnfitError, match=r"compute capability 11\.0, Jetson Orin Nano 8GB has 8\.7.*detect"):
        compile_bundle(toy, NANO, OPTIONS, machine=machine)


def test_a_board_without_its_gpu_is_refused(toy):
    with pytest.raises(EnvironmentUnfitError, match=r"lists no GPU: .*`video`.*--runtime nvidia.*--no-engines"):
        compile_bundle(toy, NANO, OPTIONS, machine=replace(BOARD, facts=None))


def test_a_desktop_builds_where_it_has_a_gpu(toy):
    machine = replace(HOST, facts=DeviceFacts("NVIDIA H200", (9, 0), 132, 140 * GB))
    assert preview_compile(toy, "cuda", OPTIONS, machine=machine).place.here
    assert not preview_compile(toy, "cuda", OPTIONS, machine=HOST).place.here


def test_python_without_tensorrt_is_told_before_anything_is_done(toy, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "tensorrt", None)
    before = tree(tmp_path)
    with pytest.raises(EnvironmentUnfitError, match="TensorRT"):
        compile_bundle(toy, NANO, CompileOptions(FP32), machine=BOARD)
    assert tree(tmp_path) == before


def test_too_little_memory_is_refused_before_the_build(toy, log):
    little = HostMemory(8 * GB, GB, 0)
    machine = replace(BOARD, read_memory=lambda: little)
    with pytest.raises(MemoryExhaustedError, match=r"building hr takes about .* 1\.0 GB of 8\.0 GB are free"):
        compile_bundle(toy, NANO, OPTIONS, machine=machine)
    assert log() == []
    compile_bundle(toy, NANO, replace(OPTIONS, memory_check=False), machine=machine)
    assert len(log()) == len(Role)


def test_a_disk_that_fills_up_while_building_names_the_other_cache(toy, monkeypatch):
    def full(*_):
        raise SinkError("cannot write hr.plan: the disk is full: free some space")

    monkeypatch.setattr(workshop, "result_from_job", full)
    with pytest.raises(SinkError, match=r"the disk is full.*built before is kept.*--user-cache") as caught:
        compile_bundle(toy, NANO, OPTIONS, machine=BOARD)
    assert caught.value.exit_code == 4


def test_a_cache_that_cannot_be_written_names_the_other(toy, tmp_path, monkeypatch, log):
    compiled = read_bundle(compile_bundle(toy, NANO, OPTIONS, machine=HOST).bundle)
    (compiled.path / "engines").write_text("in the way, as a read-only disk would be")
    options = CompileOptions(builder=GOOD)
    with pytest.raises(SinkError, match=r"engines.*cannot be written .*--user-cache"):
        compile_bundle(compiled, None, options, machine=BOARD)
    assert log() == []
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = compile_bundle(compiled, None, replace(options, user_cache=True), machine=BOARD)
    assert found.engines is not None
    assert found.engines.is_relative_to(tmp_path / "cache/edge-arseg/engines")
