"""Compiling from the host to the board, with a builder that only pretends."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from fake_builders import GOOD
from toy_bundle import write_toy_bundle

from edge_arseg.compiler import compilation
from edge_arseg.compiler.build_process import BuildResult, builder_from_name
from edge_arseg.compiler.compilation import compile_bundle, plan_from_bundle
from edge_arseg.compiler.compile_options import CompileOptions
from edge_arseg.compiler.compile_steps import StepState
from edge_arseg.compiler.engine_place import Machine
from edge_arseg.compiler.kernel_choice import KernelChoice
from edge_arseg.errors import BuildError, EnvironmentUnfitError, MemoryExhaustedError, OptionError, SinkError
from edge_arseg.runtime import plans
from edge_arseg.runtime.board import Board
from edge_arseg.runtime.bundle import read_bundle
from edge_arseg.runtime.cuda_device import DeviceFacts
from edge_arseg.runtime.cuda_fusion.image import kernel_for_gpu
from edge_arseg.runtime.cuda_fusion.source_files import source_digest
from edge_arseg.runtime.host_memory import HostMemory
from edge_arseg.spec.manifest import KernelEntry, Precision, QuantizationEntry, Role
from edge_arseg.spec.target import Configuration

GB = 10**9
PLENTY = HostMemory(8 * GB, 7 * GB, 8 * GB)
NANO = "jetson-orin-nano-8gb"
FACTS = DeviceFacts("p3767-0005", (8, 7), 8, 8 * GB)
HOST = Machine(Board("cpu", "no Jetson", memory=PLENTY), None, "x86_64", lambda: PLENTY)
BOARD = Machine(
    Board(NANO, "module p3767-0005 in the device tree", configuration=Configuration.SUPER, memory=PLENTY),
    FACTS,
    "aarch64",
    lambda: PLENTY,
)
FP32 = dict.fromkeys((Role.HR, Role.LR, Role.FUSE), Precision.FP32)
OPTIONS = CompileOptions(FP32, builder=GOOD)


@pytest.fixture(autouse=True)
def no_compiler(monkeypatch):
    monkeypatch.setattr(compilation, "choice_from_target", lambda *_: KernelChoice((), "no compiler", "none here"))


@pytest.fixture(autouse=True)
def in_this_process(request, monkeypatch):
    """A process per build is slow; ``test_build_process.py`` and the tests that ask for ``own_process`` have them."""
    if "own_process" in request.fixturenames:
        return

    def build(job, progress):
        made = builder_from_name(job.builder).build(
            job.graph.read_bytes(), job.precision, job.settings, job.timing_cache, progress
        )
        job.plan.write_bytes(made.plan)
        return BuildResult(made.timing_cache, made.layers, made.warnings, 0.0)

    monkeypatch.setattr(compilation, "result_from_job", build)


@pytest.fixture
def own_process():
    """Build in processes of their own."""


@pytest.fixture
def toy(tmp_path):
    return read_bundle(write_toy_bundle(tmp_path / "toy.arseg"))


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_BUILDER_LOG", str(tmp_path / "log"))
    return lambda: (tmp_path / "log").read_text().splitlines() if (tmp_path / "log").exists() else []


def states(found):
    return {step.name: step.state for step in found.steps}


def tree(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


ENGINES = {f"engine {role.value}" for role in Role}


# The host


def test_a_host_stops_at_the_bundle(toy, tmp_path):
    found = compile_bundle(toy, NANO, OPTIONS, machine=HOST)
    assert found.bundle == tmp_path / f"toy-{NANO}.arseg"
    assert states(found) == {
        "kernels": StepState.ELSEWHERE,
        "bundle": StepState.MADE,
        "engines": StepState.ELSEWHERE,
    }
    made = read_bundle(found.bundle).manifest
    assert (made.target, made.compiled_from, made.name) == (NANO, toy.digest, f"toy-{NANO}")
    assert read_bundle(toy.path).digest == toy.digest
    assert "no plan for a Jetson can be built elsewhere" in found.steps[-1].detail


def test_typed_again_it_finds_its_work_done(toy, tmp_path):
    compile_bundle(toy, NANO, OPTIONS, machine=HOST)
    before = tree(tmp_path)
    found = compile_bundle(toy, NANO, OPTIONS, machine=HOST)
    assert states(found)["bundle"] is StepState.DONE
    assert tree(tmp_path) == before


def test_what_another_bundle_was_compiled_to_is_not_replaced_unasked(toy, tmp_path):
    compile_bundle(toy, NANO, OPTIONS, machine=HOST)
    other = write_toy_bundle(tmp_path / "other/toy.arseg")
    (other / "manifest.json").write_text((other / "manifest.json").read_text().replace('"gop": 4', '"gop": 5'))
    options = replace(OPTIONS, output=tmp_path / f"toy-{NANO}.arseg")
    with pytest.raises(OptionError, match="--force"):
        compile_bundle(read_bundle(other), NANO, options, machine=HOST)
    compile_bundle(read_bundle(other), NANO, replace(options, force=True), machine=HOST)
    assert read_bundle(tmp_path / f"toy-{NANO}.arseg").manifest.gop == 5


@pytest.fixture
def kernel_compiler(monkeypatch):
    """A compiler for sm_87; returns what it was asked for."""
    asked = []

    def begin(source=None, compiler="nvcc 13.0"):
        def kernels(sms):
            asked.extend(sms)
            return {
                KernelEntry(f"kernels/f{sm}.cubin", sm, source or source_digest(), compiler): b"cubin" for sm in sms
            }

        chosen = KernelChoice((87,), "fusion kernel for sm_87", "", (compiler,))
        monkeypatch.setattr(compilation, "choice_from_target", lambda *_: chosen)
        monkeypatch.setattr(compilation, "kernels_from_sms", kernels)
        return asked

    return begin


def test_kernels_travel_along(toy, kernel_compiler):
    asked = kernel_compiler()
    found = compile_bundle(toy, NANO, OPTIONS, machine=HOST)
    assert asked == [87]
    assert states(found)["kernels"] is StepState.MADE
    assert (found.bundle / "kernels/f87.cubin").read_bytes() == b"cubin"
    made = read_bundle(found.bundle)
    assert [kernel.sm for kernel in made.manifest.kernels] == [87]
    for options in (CompileOptions(builder=GOOD), CompileOptions(builder=GOOD, force=True)):
        again = compile_bundle(made, NANO, options, machine=HOST)
        assert states(again)["kernels"] is StepState.DONE
    assert asked == [87]


def test_force_lets_the_board_compile_the_kernel_with_a_compiler_that_its_driver_takes(toy, kernel_compiler):
    kernel_compiler()
    first = read_bundle(compile_bundle(toy, NANO, OPTIONS, machine=HOST).bundle)
    kernel_compiler(compiler="nvcc 12.6")
    assert states(compile_bundle(first, None, CompileOptions(builder=GOOD), machine=BOARD))["kernels"] is StepState.DONE
    compile_bundle(first, None, CompileOptions(builder=GOOD, force=True), machine=BOARD)
    assert [kernel.compiler for kernel in read_bundle(first.path).manifest.kernels] == ["nvcc 12.6"]


@pytest.mark.parametrize("outdated", [False, True], ids=["without", "of another version"])
def test_force_puts_a_kernel_into_a_bundle_that_was_compiled_without(toy, kernel_compiler, outdated):
    """On a board with a compiler, for a bundle of a host that had none, or had another version of the kernel."""
    if outdated:
        kernel_compiler("0" * 64)
    first = read_bundle(compile_bundle(toy, NANO, OPTIONS, machine=HOST).bundle)
    asked = kernel_compiler()
    asked.clear()
    with pytest.raises(BuildError, match=rf"type: edge-arseg compile {first.path} --target {NANO} --force"):
        kernel_for_gpu(first, (8, 7))

    left = compile_bundle(first, None, CompileOptions(builder=GOOD), machine=BOARD)
    assert (states(left)["kernels"], asked) == (StepState.NONE, [])
    assert "--force" in left.steps[0].detail
    dry = plan_from_bundle(first, None, CompileOptions(builder=GOOD, force=True), machine=BOARD)
    assert states(dry)["kernels"] is StepState.TODO

    found = compile_bundle(first, None, CompileOptions(builder=GOOD, force=True), machine=BOARD)
    assert states(found) == dict.fromkeys(["kernels", "bundle", *ENGINES], StepState.MADE)
    made = read_bundle(found.bundle)
    assert made.path == first.path
    assert kernel_for_gpu(made, (8, 7)).source == source_digest()
    assert (made.manifest.compiled_from, made.manifest.graphs) == (toy.digest, first.manifest.graphs)
    assert states(compile_bundle(toy, NANO, OPTIONS, machine=HOST))["bundle"] is StepState.DONE


def test_the_cpu_needs_no_engines(toy):
    found = compile_bundle(toy, "cpu", CompileOptions(), machine=HOST)
    assert states(found)["engines"] is StepState.NONE
    assert read_bundle(found.bundle).manifest.target == "cpu"


def test_local_is_this_machine(toy):
    assert plan_from_bundle(toy, None, CompileOptions(), machine=HOST).target.id == "cpu"
    assert plan_from_bundle(toy, "local", OPTIONS, machine=BOARD).target.id == NANO


# The board


def test_the_board_goes_on_where_the_host_stopped(toy, log, own_process):
    """The same verb; the bundle names its target. What it builds is what the runtime finds."""
    compiled = read_bundle(compile_bundle(toy, NANO, OPTIONS, machine=HOST).bundle)
    found = compile_bundle(compiled, None, CompileOptions(builder=GOOD), machine=BOARD)
    assert states(found) == {
        "kernels": StepState.NONE,
        "bundle": StepState.DONE,
        **dict.fromkeys(ENGINES, StepState.MADE),
    }
    assert found.bundle == compiled.path
    assert found.warnings == tuple(f"{role.value}: a warning" for role in Role)
    processes = {line.split()[0] for line in log()}
    assert len(processes) == len(Role)
    assert str(os.getpid()) not in processes
    assert found.engines is not None
    for role in Role:
        assert (found.engines / f"{role.value}.plan").read_bytes() == b"plan of toy"
        assert (found.engines / f"{role.value}.layers.json").is_file()
    record = plans.record_from_json((found.engines / "build.json").read_bytes())
    assert (record.key.library, record.key.version) == ("fake", "1.2.3")
    assert (record.key.compute_capability, record.key.sm_count, record.key.device) == ((8, 7), 8, "p3767-0005")
    assert read_bundle(compiled.path).digest == compiled.digest  # engines are no part of it


def test_the_runtime_finds_what_was_built(toy, monkeypatch):
    import fake_builders

    monkeypatch.setattr(fake_builders.FakeBuilder, "library", "tensorrt")
    found = compile_bundle(toy, NANO, OPTIONS, machine=BOARD)
    bundle = read_bundle(found.bundle)
    facts = {"compute_capability": (8, 7), "sm_count": 8, "device": "p3767-0005"}
    path = plans.plan_from_bundle(bundle, Role.HR, version="1.2.3", **facts)
    assert path.read_bytes() == b"plan of toy"
    with pytest.raises(BuildError, match=r"built for tensorrt 1\.2\.3, here tensorrt 1\.3"):
        plans.plan_from_bundle(bundle, Role.HR, version="1.3", **facts)


def test_on_the_board_one_command_does_both(toy):
    found = compile_bundle(toy, NANO, OPTIONS, machine=BOARD)
    assert states(found)["bundle"] is StepState.MADE
    assert {state for name, state in states(found).items() if name in ENGINES} == {StepState.MADE}


def test_nothing_is_built_twice(toy, log):
    compile_bundle(toy, NANO, OPTIONS, machine=BOARD)
    found = compile_bundle(toy, NANO, OPTIONS, machine=BOARD)
    assert len(log()) == len(Role)
    assert {state for name, state in states(found).items() if name in ENGINES} == {StepState.DONE}


def test_a_build_that_stopped_goes_on(toy, log, monkeypatch):
    options = replace(OPTIONS, builder="fake_builders:Interrupted")
    monkeypatch.setenv("FAKE_BUILDER_ABLE", "2")
    with pytest.raises(BuildError, match="the power went out"):
        compile_bundle(toy, NANO, options, machine=BOARD)
    assert len(log()) == 2
    found = plan_from_bundle(toy, NANO, options, machine=BOARD)
    assert list(states(found).values())[2:] == [StepState.DONE] * 2 + [StepState.TODO] * 3
    monkeypatch.setenv("FAKE_BUILDER_ABLE", "99")
    compile_bundle(toy, NANO, options, machine=BOARD)
    assert len(log()) == len(Role)
    assert not list(found.bundle.rglob("*.part-*"))


def test_a_plan_that_was_edited_is_built_again(toy, log):
    found = compile_bundle(toy, NANO, OPTIONS, machine=BOARD)
    assert found.engines is not None
    (found.engines / "lr.plan").write_bytes(b"plan of ToY")
    again = compile_bundle(toy, NANO, OPTIONS, machine=BOARD)
    assert {name for name, state in states(again).items() if state is StepState.MADE} == {"engine lr"}
    assert (found.engines / "lr.plan").read_bytes() == b"plan of toy"
    assert len(log()) == len(Role) + 1


@pytest.mark.parametrize(
    ("machine", "options"),
    [
        (replace(BOARD, facts=replace(FACTS, sm_count=4)), OPTIONS),
        (replace(BOARD, facts=replace(FACTS, name="p3767-0003")), OPTIONS),
        (BOARD, replace(OPTIONS, builder="fake_builders:Newer")),
        (BOARD, replace(OPTIONS, workspace_bytes=256 << 20)),
    ],
    ids=["power mode", "module", "library", "flags"],
)
def test_what_a_plan_depends_on_keeps_plans_apart(toy, machine, options):
    options = replace(options, roles=(Role.HR,))
    first = compile_bundle(toy, NANO, replace(OPTIONS, roles=(Role.HR,)), machine=BOARD)
    other = compile_bundle(toy, NANO, options, machine=machine)
    assert first.engines != other.engines
    assert states(other)["engine hr"] is StepState.MADE


def test_free_memory_does_not_change_what_is_built(toy):
    options = replace(OPTIONS, roles=(Role.HR,))
    first = compile_bundle(toy, NANO, options, machine=BOARD)
    less = HostMemory(PLENTY.total, 4 * GB, 0)
    machine = replace(BOARD, board=replace(BOARD.board, memory=less), memory_now=lambda: less)
    assert compile_bundle(toy, NANO, options, machine=machine).engines == first.engines


def test_builds_learn_from_those_before(toy, log):
    compile_bundle(toy, NANO, OPTIONS, machine=BOARD)
    assert [line.split()[2:] for line in log()] == [["+" * i] if i else [] for i in range(len(Role))]


def test_one_engine_can_be_asked_for(toy, log):
    found = compile_bundle(toy, NANO, replace(OPTIONS, roles=(Role.LR,)), machine=BOARD)
    assert set(states(found)) == {"kernels", "bundle", "engine lr"}
    assert len(log()) == 1


def test_the_board_can_stop_at_the_bundle_too(toy):
    found = compile_bundle(toy, NANO, replace(OPTIONS, engines=False), machine=BOARD)
    assert states(found)["engines"] is StepState.NONE
    assert found.engines is None


# The plan


@pytest.mark.parametrize("machine", [HOST, BOARD], ids=["host", "board"])
def test_a_dry_run_does_nothing(toy, tmp_path, machine, log):
    before = tree(tmp_path)
    found = plan_from_bundle(toy, NANO, OPTIONS, machine=machine)
    assert tree(tmp_path) == before
    assert log() == []
    assert states(found)["bundle"] is StepState.TODO
    if machine is BOARD:
        assert {name for name, state in states(found).items() if state is StepState.TODO} == {"bundle", *ENGINES}
        assert "fake 1.2.3, 512 MiB of scratch memory, 7.0 GB free" in found.steps[-1].detail


def test_a_dry_run_sees_what_is_there(toy):
    compile_bundle(toy, NANO, OPTIONS, machine=BOARD)
    assert set(states(plan_from_bundle(toy, NANO, OPTIONS, machine=BOARD)).values()) == {
        StepState.NONE,
        StepState.DONE,
    }


# Refusals


def test_a_board_that_is_not_supported_says_why(toy):
    with pytest.raises(EnvironmentUnfitError, match=r"Jetson Nano is not supported: .*GridSample.*targets list"):
        compile_bundle(toy, "jetson-nano", OPTIONS, machine=HOST)


def test_the_older_boards_get_graphs_only(toy):
    found = compile_bundle(toy, "jetson-agx-xavier", OPTIONS, machine=HOST)
    assert states(found)["engines"] is StepState.ELSEWHERE
    assert "trtexec" in found.steps[-1].detail


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
    place = plan_from_bundle(toy, NANO, OPTIONS, machine=machine).place
    assert place.here
    assert "declared" in place.why
    assert not plan_from_bundle(toy, NANO, OPTIONS, machine=replace(machine, architecture="x86_64")).place.here


def test_another_board_is_a_host(toy):
    found = compile_bundle(toy, "jetson-agx-orin-64gb", OPTIONS, machine=BOARD)
    assert states(found)["engines"] is StepState.ELSEWHERE
    assert found.steps[-1].detail == f"on the board: this is {NANO}"
    assert not plan_from_bundle(toy, "cuda", OPTIONS, machine=BOARD).place.here


def test_the_wrong_gpu_is_refused(toy):
    machine = replace(BOARD, facts=replace(FACTS, compute_capability=(11, 0)))
    with pytest.raises(EnvironmentUnfitError, match=r"compute capability 11\.0, Jetson Orin Nano 8GB has 8\.7.*detect"):
        compile_bundle(toy, NANO, OPTIONS, machine=machine)


def test_a_board_without_its_gpu_is_refused(toy):
    with pytest.raises(EnvironmentUnfitError, match=r"lists no GPU: .*`video`.*--runtime nvidia.*--no-engines"):
        compile_bundle(toy, NANO, OPTIONS, machine=replace(BOARD, facts=None))


def test_a_desktop_builds_where_it_has_a_gpu(toy):
    machine = replace(HOST, facts=DeviceFacts("NVIDIA H200", (9, 0), 132, 140 * GB))
    assert plan_from_bundle(toy, "cuda", OPTIONS, machine=machine).place.here
    assert not plan_from_bundle(toy, "cuda", OPTIONS, machine=HOST).place.here


def test_python_without_tensorrt_is_told_before_anything_is_done(toy, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "tensorrt", None)
    before = tree(tmp_path)
    with pytest.raises(EnvironmentUnfitError, match="TensorRT"):
        compile_bundle(toy, NANO, CompileOptions(FP32), machine=BOARD)
    assert tree(tmp_path) == before


def test_too_little_memory_is_refused_before_the_build(toy, log):
    little = HostMemory(8 * GB, GB, 0)
    machine = replace(BOARD, memory_now=lambda: little)
    with pytest.raises(MemoryExhaustedError, match=r"building hr takes about .* 1\.0 GB of 8\.0 GB are free"):
        compile_bundle(toy, NANO, OPTIONS, machine=machine)
    assert log() == []
    compile_bundle(toy, NANO, replace(OPTIONS, memory_check=False), machine=machine)
    assert len(log()) == len(Role)


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


@pytest.mark.parametrize(
    ("target", "asked", "text"),
    [
        ("cpu", {Role.HR: Precision.FP16}, r"hr: fp16 does not run on CPU.*\(it has fp32, int8\); leave out --hr"),
        (
            NANO,
            {Role.LR: Precision.INT8},
            r"lr: int8 needs ranges.*edge-arseg quantize .* --lr int8 --activations int8",
        ),
        ("cpu", {Role.LR: Precision.INT8}, r"--lr int8 --activations uint8"),
    ],
)
def test_a_precision_that_cannot_be_had_says_what_to_type(toy, target, asked, text):
    with pytest.raises(OptionError, match=text):
        compile_bundle(toy, target, CompileOptions(asked), machine=HOST)


def quantized(toy, activations):
    entry = toy.manifest.graphs[Role.HR]
    graphs = {**toy.manifest.graphs, Role.HR: replace(entry, precision=Precision.INT8)}
    record = QuantizationEntry(activations, "0" * 64, "street", "0" * 64, "a.json", "b.json")
    return replace(toy, manifest=replace(toy.manifest, graphs=graphs, quantization=record))


def test_quantized_graphs_stay_as_they_are(toy):
    found = plan_from_bundle(quantized(toy, "int8"), NANO, CompileOptions(), machine=HOST)
    assert "graphs as they are" in found.steps[1].detail
    with pytest.raises(OptionError, match=r"hr: int8 in this bundle, fp16 asked for"):
        plan_from_bundle(quantized(toy, "int8"), NANO, CompileOptions({Role.HR: Precision.FP16}), machine=HOST)


def test_activations_of_the_other_engine_are_refused(toy):
    with pytest.raises(OptionError, match=r"hr: quantized with uint8 activations.*--activations int8"):
        plan_from_bundle(quantized(toy, "uint8"), NANO, CompileOptions(), machine=HOST)
    with pytest.raises(OptionError, match="--activations uint8"):
        plan_from_bundle(quantized(toy, "int8"), "cpu", CompileOptions(), machine=HOST)


def test_a_board_without_the_host_half_says_where_to_convert(toy, monkeypatch):
    from edge_arseg.compiler import target_bundle

    monkeypatch.setattr(target_bundle, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentUnfitError, match=r"takes onnx, torch, not installed here: on the host type"):
        compile_bundle(toy, NANO, CompileOptions(builder=GOOD), machine=BOARD)
    assert not Path(f"{toy.path.parent}/toy-{NANO}.arseg").exists()
