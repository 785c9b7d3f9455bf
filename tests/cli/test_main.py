import json
import subprocess
import sys

import pytest

from edge_arseg.cli.main import COMMANDS
from edge_arseg.errors import ArsegError

HEAVY = ("torch", "onnx", "onnxruntime", "numba", "matplotlib", "av")


def test_help_lists_every_command_and_loads_nothing_heavy():
    code = (
        "import sys; from edge_arseg.cli.main import exit_code\n"
        "exit_code(['--help'])\n"
        f"print(sorted(m for m in {HEAVY} if m in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.strip() == "[]"
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(edge_arseg, command):
    answer = edge_arseg(command, "--help")
    assert answer.code == 0
    assert answer.out.startswith(f"Usage: edge-arseg {command} ")


def test_the_module_runs_like_the_command():
    done = subprocess.run([sys.executable, "-m", "edge_arseg", "--version"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert done.stdout.startswith("edge-arseg, version 0.")


@pytest.mark.parametrize(
    "arguments", [["nope"], ["verify"], ["verify", "--what"], ["export", "x", "--size", "720"], ["run"]]
)
def test_wrong_usage_exits_with_2(edge_arseg, arguments):
    answer = edge_arseg(*arguments)
    assert answer.code == 2
    assert answer.out == ""
    assert "Usage: edge-arseg" in answer.err


def test_exit_codes_of_errors_are_the_documented_ones():
    def tree(kind):
        return {kind.__name__: kind.exit_code} | {
            k: v for child in kind.__subclasses__() for k, v in tree(child).items()
        }

    codes = tree(ArsegError)
    assert {name: codes[name] for name in ("GateError", "OptionError", "BundleError", "SourceError")} == {
        "GateError": 1,
        "OptionError": 2,
        "BundleError": 3,
        "SourceError": 4,
    }
    assert codes["ExportError"] == codes["BuildError"] == 5
    assert codes["MemoryExhaustedError"] == 6


def test_an_interrupt_exits_with_130(edge_arseg, monkeypatch):
    def interrupted(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr("edge_arseg.doctor.findings.findings", interrupted)
    assert edge_arseg("doctor").code == 130


def test_no_memory_exits_with_6(edge_arseg, monkeypatch):
    def full(*_args):
        raise MemoryError

    monkeypatch.setattr("edge_arseg.doctor.findings.findings", full)
    answer = edge_arseg("doctor")
    assert answer.code == 6
    assert "not enough memory" in answer.err


def test_a_closed_pipe_ends_quietly():
    command = f"{sys.executable} -m edge_arseg targets list --json | head -c 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""


def test_doctor_gives_one_json_object(edge_arseg):
    answer = edge_arseg("doctor", "--json")
    report = json.loads(answer.out)
    subjects = {finding["subject"]: finding for finding in report["findings"]}
    assert report["ready"] is True
    assert subjects["numpy"]["verdict"] == "ok"
    assert " core" in subjects["machine"]["seen"]


@pytest.mark.parametrize(
    "arguments", [["run", "test://street"], ["bench"], ["eval", "--clip", "test://street", "--labels", "{}"]]
)
def test_without_a_bundle_the_shipped_one_is_used(edge_arseg, monkeypatch, tmp_path, arguments):
    monkeypatch.setattr("edge_arseg.runtime.bundles.zoo.ZOO", tmp_path)
    (tmp_path / "label.png").touch()
    answer = edge_arseg(*(argument.format(tmp_path) for argument in arguments))
    assert answer.code == 3
    assert "bundles in the package: none" in answer.err
