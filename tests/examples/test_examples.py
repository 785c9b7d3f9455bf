"""Every example runs, on a tiny network and a tiny video, and uses public names only."""

import ast
import runpy
import sys
from pathlib import Path

import pytest

import edge_arseg
from edge_arseg.testing.engine import EngineTester

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = {path.stem: path for path in sorted(FOLDER.glob("*.py"))}
VIDEO = "test://street?size=90x122&frames=7"


@pytest.fixture
def run(monkeypatch, capsys):
    """Run an example as a program and return what it printed."""

    def start(name: str, *arguments: object) -> str:
        monkeypatch.syspath_prepend(str(FOLDER))
        monkeypatch.setattr(sys, "argv", [str(EXAMPLES[name]), *map(str, arguments)])
        capsys.readouterr()
        runpy.run_path(str(EXAMPLES[name]), run_name="__main__")
        return capsys.readouterr().out

    return start


def test_segment_video(run, own_bundle):
    lines = run("segment_video", VIDEO, own_bundle).splitlines()
    assert len(lines) == 7
    assert [line.split()[2] for line in lines] == ["hr", "lr", "lr", "lr", "lr", "hr", "lr"]
    assert "road" in lines[0]


def test_own_sink(run, own_bundle, tmp_path):
    out = run("own_sink", VIDEO, own_bundle, tmp_path / "shares.csv")
    assert "7 frames, 2 keyframes" in out
    rows = (tmp_path / "shares.csv").read_text().splitlines()
    assert rows[0].startswith("time_s,branch,sky,building")
    assert len(rows) == 8
    assert sum(map(float, rows[1].split(",")[2:])) == pytest.approx(1, abs=0.001)


def test_own_policy(run, own_bundle):
    """The small network's random weights change few classes on a slow street."""
    out = run("own_policy", VIDEO, own_bundle)
    assert out.startswith("7 frames, keyframes: [0")


def test_own_engine(run, own_bundle):
    out = run("own_engine", VIDEO, own_bundle)
    assert "own_engine:PlainEngine" in out
    assert out.endswith(": hr lr lr lr lr hr lr\n")


class TestOwnEngine(EngineTester):
    def open(self, path):
        return runpy.run_path(str(EXAMPLES["own_engine"]))["PlainEngine"](path)


def test_compile_from_python(run, own_checkpoint, tmp_path):
    path, _, backbone = own_checkpoint
    out = run("compile_from_python", path, tmp_path / "own.arseg", "cpu", backbone)
    assert "own.arseg: 100.00% of the pixels get torch's class, or more" in out
    assert (tmp_path / "own-cpu.arseg" / "manifest.json").is_file()
    assert "own-cpu.arseg: 100.00% on onnxruntime" in out


def test_own_backbone(own_bundle):
    """The bundle of the other tests is made of it."""
    assert edge_arseg.read_bundle(own_bundle).manifest.model.backbone == "own_backbone:build"


def test_every_example_has_a_test():
    assert {f"test_{name}" for name in EXAMPLES} - set(globals()) == set()
    readme = (FOLDER / "README.md").read_text()
    assert all(f"`{name}.py`" in readme for name in EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_imports_public_names_only(name):
    tree = ast.parse(EXAMPLES[name].read_text())
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    nodes = [node for node in nodes if (node.module or "").startswith("edge_arseg")]
    assert nodes
    for node in nodes:
        assert node.module == "edge_arseg"
        assert {alias.name for alias in node.names} <= set(edge_arseg.__all__)
