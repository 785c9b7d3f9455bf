"""The tables of a start are those of its record."""

import importlib.util
import json
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks/start_up.py"


@pytest.fixture
def start_up(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("start_up", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PAGE", tmp_path / "page.md")
    return module


def measured(there, here):
    return {"medians": {"there": there, "here": here}, "ratio": round(here / there, 3)}


def test_ratios_stand_beside_their_limits_and_costs_below_them(start_up, tmp_path):
    values = {
        "help_s": measured(0.2557, 0.0599),
        "default": {"first_mask_s": measured(0.694, 0.5278), "peak_mb": measured(285.4543, 184.1)},
        "int8_onnxruntime": {"first_mask_s": measured(0.67, 0.39), "peak_mb": measured(285.0, 160.0)},
        "bare": {"medians": {"bare": 0.226, "here": 0.4936}, "ratio": 2.184},
        "imports_after_numpy": {"av": {"ms": 61.4, "mb": 15.96}},
        "engines": {"openvino int8 hr": None},
        "rest": {"Python with NumPy": {"ms": 0.0, "mb": 26.8}},
    }
    (tmp_path / "record.json").write_text(json.dumps({"values": values}))
    marks = "<!-- tables of benchmarks/start_up.py -->\n", "<!-- end -->\n"
    start_up.PAGE.write_text("Before.\n\n" + marks[0] + "| old |\n" + marks[1] + "\nBehind.\n")
    start_up.write_page(tmp_path / "record.json")
    assert start_up.PAGE.read_text() == (
        "Before.\n\n" + marks[0] + "| | there | here | ratio | limit |\n"
        "|---|---|---|---|---|\n"
        "| `--help` | 0.26 s | 0.06 s | 0.23 | 0.25 |\n"
        "| first mask, the default | 0.69 s | 0.53 s | 0.76 | 0.33 |\n"
        "| peak memory, the default | 285 MB | 184 MB | 0.65 | 0.67 |\n"
        "| first mask, int8 on onnxruntime | 0.67 s | 0.39 s | 0.58 |  |\n"
        "| peak memory, int8 on onnxruntime | 285 MB | 160 MB | 0.56 |  |\n"
        "\n"
        "A bare script with the same libraries takes 0.23 s where the first mask of int8 on onnxruntime takes 0.49 s, "
        "in turn with it.\n"
        "\n"
        "| what a run consists of | ms | MB |\n"
        "|---|---|---|\n"
        "| Python with NumPy | 0 | 26.8 |\n"
        "| `import av` | 61 | 16.0 |\n" + marks[1] + "\nBehind.\n"
    )
