"""Compiling on a host, which stops at the bundle, and dry runs anywhere."""

from dataclasses import replace

import pytest
from support.bundles.toy import write_toy_bundle
from support.compiling.machines import BOARD, ENGINES, HOST, NANO, OPTIONS, states, tree

from edge_arseg.compiler.target.compile import compile_bundle, preview_compile
from edge_arseg.compiler.target.options import CompileOptions
from edge_arseg.compiler.target.steps import StepState
from edge_arseg.errors import OptionError
from edge_arseg.runtime.bundles.reading import read_bundle


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


def test_the_result_is_called_after_the_folder_and_lies_beside_it(toy, tmp_path, monkeypatch):
    """Two bundles that were exported under one name and renamed had one result, which --force wrote over."""
    renamed = read_bundle(toy.path.rename(tmp_path / "monday.arseg"))
    assert compile_bundle(renamed, NANO, OPTIONS, machine=HOST).bundle == tmp_path / f"monday-{NANO}.arseg"
    other = compile_bundle(tmp_path / f"monday-{NANO}.arseg", "jetson-orin-nx-8gb", OPTIONS, machine=HOST)
    assert other.bundle == tmp_path / "monday-jetson-orin-nx-8gb.arseg"
    monkeypatch.chdir(renamed.path)
    inside = compile_bundle(".", "cpu", CompileOptions(), machine=HOST)
    assert inside.bundle == tmp_path / "monday-cpu.arseg"
    assert read_bundle(inside.bundle).manifest.name == "monday-cpu"
    (tmp_path / "link.arseg").symlink_to(renamed.path)
    linked = preview_compile(tmp_path / "link.arseg", "cpu", CompileOptions(), machine=HOST)
    assert linked.bundle == tmp_path / "link-cpu.arseg"


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


def test_the_cpu_needs_no_engines(toy):
    found = compile_bundle(toy, "cpu", CompileOptions(), machine=HOST)
    assert states(found)["engines"] is StepState.NONE
    assert read_bundle(found.bundle).manifest.target == "cpu"


def test_local_is_this_machine(toy):
    assert preview_compile(toy, None, CompileOptions(), machine=HOST).target.id == "cpu"
    assert preview_compile(toy, "local", OPTIONS, machine=BOARD).target.id == NANO


@pytest.mark.parametrize("machine", [HOST, BOARD], ids=["host", "board"])
def test_a_dry_run_does_nothing(toy, tmp_path, machine, log):
    before = tree(tmp_path)
    found = preview_compile(toy, NANO, OPTIONS, machine=machine)
    assert tree(tmp_path) == before
    assert log() == []
    assert states(found)["bundle"] is StepState.TODO
    if machine is BOARD:
        assert {name for name, state in states(found).items() if state is StepState.TODO} == {"bundle", *ENGINES}
        assert "fake 1.2.3, 512 MiB of scratch memory, 7.0 GB free" in found.steps[-1].detail


def test_a_dry_run_sees_what_is_there(toy):
    compile_bundle(toy, NANO, OPTIONS, machine=BOARD)
    assert set(states(preview_compile(toy, NANO, OPTIONS, machine=BOARD)).values()) == {
        StepState.NONE,
        StepState.DONE,
    }
