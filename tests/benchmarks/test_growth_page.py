"""The page of growth is made of its record, and says where cost leaves the line."""

import importlib.util
import json
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks/growth_page.py"


@pytest.fixture
def page(tmp_path, monkeypatch):
    pytest.importorskip("vl_convert")
    spec = importlib.util.spec_from_file_location("growth_page", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PAGE", tmp_path / "growth.md")
    monkeypatch.setattr(module, "PLOTS", tmp_path / "growth")

    def made(values):
        conditions = {"cpu": "A CPU", "packages": {"onnxruntime": "1.0", "numpy": "2.0"}, "load": 0.1}
        settings = {"rounds": 3, "backend": "onnxruntime", "cores": 2}
        record = {"values": values, "conditions": conditions, "settings": settings}
        (tmp_path / "growth.json").write_text(json.dumps(record))
        module.write_page(tmp_path / "growth.json")
        return (tmp_path / "growth.md").read_text(), sorted(path.name for path in (tmp_path / "growth").iterdir())

    return made


def point(x, *, hr, lr, fuse=1.0, memory=10.0):
    stages = {"lr_lr_ms": lr, "lr_fuse_ms": fuse, "lr_head_ms": 1.0, "lr_motion_ms": 1.0, "hr_hr_ms": hr}
    return {"x": x, "hr_total_ms": hr, "lr_total_ms": lr + fuse + 2, "mean_ms": 5.0, "memory_mb": memory, **stages}


def test_the_size_and_the_stage_at_which_cost_leaves_the_line_are_named(page):
    # from 1 to 2 megapixels fusion takes three times as long; keyframes stay in proportion
    sizes = [point(0.5, hr=10, lr=1, fuse=1), point(1, hr=20, lr=4, fuse=2), point(2, hr=41, lr=8, fuse=12)]
    text, plots = page({"resolution": sizes})
    assert "The time of a keyframe grows in proportion to the pixels, within 15%" in text
    assert "a frame between keyframes leaves the line at 2.00 megapixels: 8.0 ms a megapixel become 11.0" in text
    assert "most of it in `fuse` (+4.0)" in text
    assert plots == ["resolution-memory.svg", "resolution-time.svg"]
    assert "growth/resolution-time.svg" in text


def test_every_axis_has_its_table_its_plots_and_its_reason(page):
    streams = [
        {"x": x, "shared": shared, "fps": 40.0 - x, "memory_of_others_mb": (x - 1) * (5.0 if shared else 30.0)}
        for shared in (True, False)
        for x in (1, 2, 8)
    ]
    scales = [point(0.5, hr=20, lr=2), point(1.0, hr=20, lr=7)]
    text, plots = page({
        "gop": [{**point(1, hr=20, lr=2), "mean_ms": 20.0}, {**point(12, hr=20, lr=2), "mean_ms": 5.2}],
        "lr_scale": scales,
        "threads": [point(1, hr=30, lr=6), point(2, hr=16, lr=4)],
        "streams": streams,
    })  # fmt: skip
    assert "has 4.0 times the pixels, and its engine takes 3.5 times as long" in text
    assert "A stream more takes 5 MB over shared weights and 30 MB with engines of its own" in text
    assert "lr 1.50, fuse 1.00, head 1.00, motion 1.00 times: `fuse` gains least" in text
    assert "At a GOP of 12 it is within 10 %" in text
    assert len(plots) == 8
