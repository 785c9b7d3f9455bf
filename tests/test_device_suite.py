"""The suite where torch is not installed, as on a board: what `make test-arm64` and its like run."""

import subprocess
import sys
from pathlib import Path

from tools.machines.bounds import lower_bounds
from tools.machines.suite import counts_from_report

ROOT = Path(__file__).parents[1]
EXTRAS = (
    *("torch", "onnx", "onnxscript", "safetensors", "timm", "matplotlib", "openvino", "jinja2", "vl_convert", "cv2"),
    *("starlette", "uvicorn", "websockets", "prometheus_client", "optuna", "distributed", "fsspec", "moto", "paho"),
)
"""What no board has, and what takes longest to import."""
WITHOUT = f"""
import sys
import pytest
sys.modules.update(dict.fromkeys({EXTRAS!r}))  # importing one fails, and it looks as if it were not installed
sys.exit(pytest.main(sys.argv[1:]))
"""


def test_every_test_file_is_collected_or_skips_itself_where_torch_is_missing():
    command = [sys.executable, "-c", WITHOUT, "--collect-only", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "tests/video/test_reader.py" in done.stdout
    assert "tests/network/" not in done.stdout


def test_the_lower_bounds_are_versions_that_have_what_is_used():
    """PyAV 16.0 does not show what changes inside an MP4; NumPy 1.22 cannot be had beside ONNX Runtime 1.18."""
    bounds = {name: tuple(map(int, version.split("."))) for name, version in lower_bounds().items()}
    assert bounds["av"] >= (16, 1)
    assert bounds["numpy"] >= (1, 26)
    assert bounds["pydantic"] >= (2, 11)
    assert bounds["torch"] >= (2, 6)


def test_errors_of_a_report_count_as_failures(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(
        "<testsuites><testsuite><testcase classname='a' name='one'/>"
        "<testcase classname='a' name='two'><failure/></testcase>"
        "<testcase classname='b' name='three'><error/></testcase>"
        "<testcase classname='b' name='four'><skipped/></testcase></testsuite></testsuites>"
    )
    counts = counts_from_report(report)
    assert (counts.passed, counts.failed, counts.skipped) == (1, 2, 1)
    assert counts.failures == ("a::two", "b::three")
    assert not counts.good
