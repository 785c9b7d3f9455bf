"""The device half stays free of the host half's libraries, and imports point one way."""

import subprocess
import sys
from pathlib import Path

import pytest

import edge_arseg

PACKAGE = Path(edge_arseg.__file__).parent
HOST = ("compiler", "network", "testing", "training")
DEVICE = sorted({path.parent.name for path in PACKAGE.glob("*/__init__.py")}.difference(HOST))
HOST_LIBRARIES = ("torch", "onnx", "onnxscript", "safetensors", "matplotlib", "PIL", "cv2", "scipy")

BLOCKED = f"""
import importlib, sys
for name in {HOST_LIBRARIES!r}:
    sys.modules[name] = None  # importing it fails, and it looks as if it were not installed
"""


def device_modules() -> list[str]:
    files = [path for folder in DEVICE for path in (PACKAGE / folder).rglob("*.py")]
    names = [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in files]
    return sorted(name.removesuffix(".__init__") for name in names)


def test_every_device_module_imports_without_the_host_libraries():
    modules = device_modules()
    assert len(modules) > 40
    code = BLOCKED + f"for name in {modules!r}: importlib.import_module(name)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_blocker_blocks():
    done = subprocess.run([sys.executable, "-c", BLOCKED + "import torch"], capture_output=True, text=True, timeout=60)
    assert "import of torch halted" in done.stderr


def test_a_bundle_runs_without_the_host_libraries(own_bundle, tmp_path):
    """verify, inspect, doctor, run and the Python surface, in a process that cannot import torch or onnx."""
    code = (
        BLOCKED
        + f"""
from edge_arseg.cli.main import exit_code
from edge_arseg.runtime.choice import engine_choice
engine_choice.CANDIDATES = ("onnxruntime",)  # quicker than all that are installed
bundle = {str(own_bundle)!r}
masks, movie = {f"masks://{tmp_path}/masks"!r}, {str(tmp_path / "overlay.mp4")!r}
assert exit_code(["verify", bundle]) == 0
assert exit_code(["inspect", bundle]) == 0
assert exit_code(["doctor"]) == 0
assert exit_code(["run", "test://street?size=90x122&frames=12", masks, movie, "-b", bundle]) == 0
assert exit_code(["export", "x"]) == 3
from edge_arseg.runtime.segmenter import Segmenter
with Segmenter(bundle) as segmenter:
    results = [(r.branch.value, r.distance) for r in segmenter.stream("test://street?size=90x122&frames=7")]
assert results == [("hr", 0), ("lr", 1), ("lr", 2), ("lr", 3), ("lr", 4), ("hr", 0), ("lr", 1)], results
"""
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "needs torch, onnx, onnxscript, safetensors" in done.stderr
    assert len(list((tmp_path / "masks").glob("*.png"))) == 12


def test_the_layers_are_kept():
    pytest.importorskip("importlinter")
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--config", "setup.cfg"]
    done = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0, done.stdout
