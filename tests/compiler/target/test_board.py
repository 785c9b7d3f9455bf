"""Compiling on the board: the engines, with a builder that only pretends."""

import os
from dataclasses import replace

import pytest
from support.compiling.builders import GOOD
from support.compiling.machines import BOARD, ENGINES, FACTS, GB, HOST, NANO, OPTIONS, PLENTY, states

from edge_arseg.compiler.engines import workshop
from edge_arseg.compiler.target.compile import compile_bundle, next_command, preview_compile
from edge_arseg.compiler.target.options import CompileOptions
from edge_arseg.compiler.target.steps import StepState
from edge_arseg.errors import BuildError, MemoryExhaustedError
from edge_arseg.runtime.bundles import plans
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.device.host_memory import HostMemory
from edge_arseg.spec.manifest import Role


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
    from support.compiling import builders as fake_builders

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
    options = replace(OPTIONS, builder="support.compiling.builders:Interrupted")
    monkeypatch.setenv("FAKE_BUILDER_ABLE", "2")
    with pytest.raises(BuildError, match="the power went out"):
        compile_bundle(toy, NANO, options, machine=BOARD)
    assert len(log()) == 2
    found = preview_compile(toy, NANO, options, machine=BOARD)
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
        (BOARD, replace(OPTIONS, builder="support.compiling.builders:Newer")),
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


def test_an_engine_with_more_scratch_memory_joins_those_that_are_there(toy, log):
    """As the message on fuse says. What followed was to build all of them again, and fuse as it had failed."""
    rest = tuple(role for role in Role if role is not Role.FUSE)
    first = compile_bundle(toy, NANO, replace(OPTIONS, roles=rest), machine=BOARD)
    assert first.missing == (Role.FUSE,)
    large = replace(OPTIONS, roles=(Role.FUSE,), workspace_bytes=4 << 30, memory_check=False)
    joined = compile_bundle(toy, NANO, large, machine=BOARD)
    assert (joined.missing, joined.engines == first.engines) == ((), False)
    assert next_command(joined).startswith("edge-arseg verify")
    again = compile_bundle(toy, NANO, OPTIONS, machine=BOARD)
    assert {states(again)[name] for name in ENGINES} == {StepState.DONE}
    assert [step.detail for step in again.steps if step.name == "engine fuse"] == [str(joined.engines)]
    assert len(log()) == len(Role)


def test_memory_that_runs_out_names_the_graphs_that_are_left(toy, monkeypatch):
    real = workshop.result_from_job

    def build(job, progress):
        if job.name == "fuse":
            raise MemoryExhaustedError("allow twice as much: --workspace 1024")
        return real(job, progress)

    monkeypatch.setattr(workshop, "result_from_job", build)
    left = r"--workspace 1024\. With another .* leave out what is built: --graph fuse --graph head --graph lr_head"
    with pytest.raises(MemoryExhaustedError, match=left):
        compile_bundle(toy, NANO, OPTIONS, machine=BOARD)


def test_free_memory_does_not_change_what_is_built(toy):
    options = replace(OPTIONS, roles=(Role.HR,))
    first = compile_bundle(toy, NANO, options, machine=BOARD)
    less = HostMemory(PLENTY.total, 4 * GB, 0)
    machine = replace(BOARD, board=replace(BOARD.board, memory=less), read_memory=lambda: less)
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
