"""Nothing is told to anybody, and nothing is written beside our own cache: libraries would, ONNX Runtime among them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

INT8 = "camvid-compact-int8"
RUN = ("run", "test://street?frames=2", "null://", "-b", INT8, "--backend")


def home_after(home: Path, *command: str, **variables: str) -> set[str]:
    """Return what is in a home folder, two folders deep, after a command in an environment that has nothing else.

    A variable like ``CI`` would keep libraries quiet.
    """
    home.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", **variables}
    done = subprocess.run([sys.executable, *command], env=environment, cwd=home, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return {"/".join(path.relative_to(home).parts[:2]) for path in home.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "words",
    [
        pytest.param((*RUN, "onnxruntime"), id="run on onnxruntime"),
        pytest.param((*RUN, "openvino"), id="run on openvino"),
    ],
)
def test_a_command_leaves_our_own_cache_alone(words, tmp_path):
    if "openvino" in words:
        pytest.importorskip("openvino")
    assert home_after(tmp_path / "home", "-m", "edge_arseg", *words) <= {".cache/edge-arseg"}


@pytest.mark.parametrize(
    "module", ["compiler.quantize.qdq", "compiler.quantize.calibrate.observed", "compiler.quantize.search.kept"]
)
def test_modules_that_load_onnxruntime_themselves_leave_nothing(module, tmp_path):
    pytest.importorskip("onnx")
    loaded = f"import edge_arseg.{module}, sys; assert 'onnxruntime' in sys.modules"
    assert home_after(tmp_path / "home", "-c", loaded) == set()


def test_who_wants_onnxruntime_to_report_is_not_overruled(tmp_path):
    """The variable alone is looked at: nothing is sent here."""
    home_after(tmp_path / "home", "-c", "import edge_arseg, os; assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'")
    asked = "import edge_arseg, os; assert os.environ['ORT_DISABLE_TELEMETRY'] == '0'"
    home_after(tmp_path / "other", "-c", asked, ORT_DISABLE_TELEMETRY="0")
