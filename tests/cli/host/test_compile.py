import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.bundles.toy import write_toy_bundle

from edge_arseg.compiler.engines import workshop
from edge_arseg.compiler.kernels.choice import KernelChoice
from edge_arseg.compiler.machine import Machine
from edge_arseg.compiler.target import compile as compilation
from edge_arseg.compiler.target import options as compile_setting
from edge_arseg.runtime.device.board import Board
from edge_arseg.runtime.device.cuda import DeviceFacts
from edge_arseg.runtime.device.host_memory import HostMemory
from edge_arseg.spec.targets.target import Configuration

TESTS = Path(__file__).parents[2]
MEMORY = HostMemory(8 * 10**9, 7 * 10**9, 8 * 10**9)
HOST = Machine(Board("cpu", "no Jetson", memory=MEMORY), None, "x86_64", lambda: MEMORY)
NANO = "jetson-orin-nano-8gb"
BOARD = Machine(
    Board(NANO, "module p3767-0005", configuration=Configuration.SUPER, memory=MEMORY),
    DeviceFacts("p3767-0005", (8, 7), 8, 8 * 10**9),
    "aarch64",
    lambda: MEMORY,
)
FP32 = ("--hr", "fp32", "--lr", "fp32", "--fuse", "fp32")


@pytest.fixture
def machine(monkeypatch):
    monkeypatch.setattr(compile_setting, "choice_from_target", lambda *_: KernelChoice({}, "no compiler", "none here"))

    def be(which):
        monkeypatch.setattr(compilation, "this_machine", lambda: which)

    be(HOST)
    return be


@pytest.fixture
def toy(tmp_path):
    return write_toy_bundle(tmp_path / "toy.arseg")


def test_on_a_host_it_says_what_to_do_next(edge_arseg, machine, toy):
    answer = edge_arseg("compile", toy, "--target", NANO, *FP32)
    assert answer.code == 0
    assert "elsewhere" in answer.out
    assert f"type there: edge-arseg compile toy-{NANO}.arseg" in answer.out
    assert (toy.parent / f"toy-{NANO}.arseg/manifest.json").is_file()


def test_on_the_board_it_builds(edge_arseg, machine, toy, monkeypatch):
    from support.compiling.builders import FakeBuilder

    from edge_arseg.compiler.engines.process import BuildResult

    def build(job, progress):
        progress("building hr, 0:10 so far: thinking")
        job.plan.write_bytes(b"plan")
        return BuildResult(b"", "", ("a warning",), 61.0)

    machine(BOARD)
    monkeypatch.setattr("edge_arseg.compiler.engines.tensorrt.TensorRtBuilder", FakeBuilder)
    monkeypatch.setattr(workshop, "result_from_job", build)
    answer = edge_arseg("compile", toy, *FP32, "--graph", "hr", "--json")
    assert answer.code == 0
    found = json.loads(answer.out)
    assert (found["target"], found["engines_here"]) == (NANO, True)
    assert [step["state"] for step in found["steps"]] == ["elsewhere", "made", "made"]
    assert found["next"] == f"edge-arseg compile {found['bundle']}"  # which builds the others
    assert found["warnings"] == ["hr: a warning"]
    assert "0:10 so far: thinking" in answer.err
    assert "built hr in 61 s" in answer.err
    assert Path(found["engines"], "hr.plan").read_bytes() == b"plan"


def test_a_dry_run_prints_the_steps(edge_arseg, machine, toy):
    pytest.importorskip("torch")  # a dry run ends where the run would: it has graphs to convert
    answer = edge_arseg("compile", toy, "--target", NANO, "--dry-run", "--json")
    assert answer.code == 0
    found = json.loads(answer.out)
    assert found["dry_run"] is True
    assert found["next"] == ""
    assert "hr fp32 to fp16" in found["steps"][1]["detail"]
    assert [path.name for path in toy.parent.iterdir()] == ["toy.arseg"]


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("--dla", "0"), 2, "Leave out --dla"),
        (("--target", "orin"), 2, "no target is called 'orin'"),
        (("--target", "jetson-tx2"), 3, "not supported"),
        (("--target", "cpu", "--hr", "fp16"), 2, "leave out --hr"),
        (("--target", "cpu", "--lr", "int8"), 2, "edge-arseg quantize"),
        (("--target", NANO, *FP32, "-o", "name"), 2, "try -o name.arseg"),
    ],
)
def test_refusals_have_their_code_and_advice(edge_arseg, machine, toy, arguments, code, text):
    answer = edge_arseg("compile", toy, *arguments)
    assert answer.code == code
    assert text in answer.err


def test_no_bundle_is_said(edge_arseg, tmp_path):
    assert edge_arseg("compile", tmp_path / "none.arseg").code == 3


def test_a_board_needs_only_the_device_half(toy):
    """Engines of a bundle that a host has prepared, in a process that cannot import torch or onnx."""
    code = f"""
import sys
for name in ("torch", "onnx", "onnxscript", "safetensors"):
    sys.modules[name] = None
sys.path.insert(0, {str(TESTS)!r})
sys.path.insert(0, {str(TESTS / "cli/host")!r})

if __name__ == "__main__":
    from dataclasses import replace
    from pathlib import Path
    from edge_arseg.compiler.target import bundle_steps
    from edge_arseg.compiler.target import compile as compilation
    from edge_arseg.compiler.target import options as compile_setting
    from edge_arseg.compiler.target.options import CompileOptions
    from edge_arseg.compiler.kernels.choice import KernelChoice
    from edge_arseg.runtime.bundles.reading import read_bundle
    from edge_arseg.spec.manifest import Precision, Role
    from test_compile import BOARD, FP32, HOST, NANO

    compile_setting.choice_from_target = lambda *_: KernelChoice({{}}, "")
    options = CompileOptions(
        dict.fromkeys((Role.HR, Role.LR, Role.FUSE), Precision.FP32), builder="support.compiling.builders:FakeBuilder"
    )
    made = compilation.compile_bundle(read_bundle({str(toy)!r}), NANO, options, machine=HOST).bundle
    options = CompileOptions(roles=(Role.HR, Role.LR), builder="support.compiling.builders:FakeBuilder")
    found = compilation.compile_bundle(read_bundle(made), None, options, machine=BOARD)
    print(found.engines)
"""
    script = toy.parent / "board.py"
    script.write_text(code)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    engines = Path(done.stdout.strip())
    assert sorted(path.name for path in engines.glob("*.plan")) == ["hr.plan", "lr.plan"]
