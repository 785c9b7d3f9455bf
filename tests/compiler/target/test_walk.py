"""The walk of docs/architecture.md that ends in ``compile``, as the calls really go: each room once."""

from functools import partial

import pytest
from support.compiling.builders import GOOD
from support.compiling.kernels import FakeCompiler
from support.compiling.machines import BOARD, HOST, NANO
from support.walks.rooms import rooms_entered, ways_back

from edge_arseg.compiler.kernels.choice import choice_from_target
from edge_arseg.compiler.target import options as compile_setting
from edge_arseg.compiler.target.compile import compile_bundle
from edge_arseg.compiler.target.options import CompileOptions
from edge_arseg.runtime.bundles.reading import read_bundle


@pytest.fixture(autouse=True)
def a_compiler(monkeypatch, tmp_path):
    """Every machine finds one, and none has kernels of another test in its cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(
        compile_setting, "choice_from_target", partial(choice_from_target, find=lambda _: FakeCompiler())
    )


def test_on_the_host_each_room_is_entered_once(own_bundle, tmp_path):
    bundle, options = read_bundle(own_bundle), CompileOptions(output=tmp_path / "own-nano.arseg")
    entered = rooms_entered(lambda: compile_bundle(bundle, NANO, options, machine=HOST))
    assert entered == [
        "compiler.target",
        "compiler.machine",
        "compiler.kernels",
        "compiler.writing",
        "runtime.kernels",
        "compiler.quantize",
        "compiler.onnx_graph",
        "compiler.entries",
        "runtime.verification",
        "runtime.engines",
        "compiler.engines",
    ]
    assert ways_back(entered) == []


def test_on_the_board_each_room_is_entered_once_for_all_of_its_engines(own_bundle, tmp_path):
    bundle, options = read_bundle(own_bundle), CompileOptions(output=tmp_path / "own-nano.arseg", builder=GOOD)
    entered = rooms_entered(lambda: compile_bundle(bundle, NANO, options, machine=BOARD))
    assert entered == [
        "compiler.target",
        "compiler.machine",
        "compiler.kernels",
        "compiler.engines",
        "compiler.writing",
        "runtime.kernels",
        "compiler.quantize",
        "compiler.onnx_graph",
        "compiler.entries",
        "runtime.verification",
        "runtime.engines",
    ]
    assert ways_back(entered) == []
