"""The script for machines with a GPU, as far as it goes without one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from gpu.roofline import Rates, bounds_ms, work_from_plan

from edge_arseg.runtime.cuda_fusion import GpuLimits, Storage, plan_from_shapes
from edge_arseg.spec.fusion import FusionShapes

torch = pytest.importorskip("torch")

FOLDER = Path(__file__).parent
PSP18 = FusionShapes(64, (720, 960), (360, 480), (180, 240), 720)
BOARD = GpuLimits(8, 163 << 10, 164 << 10)


def test_work_is_what_was_counted_by_hand():
    work = work_from_plan(plan_from_shapes(PSP18, Storage.HALF, BOARD))
    # key and result 88.5 MB each, LR feature a quarter, flow 0.3
    assert work.bytes == 2 * 64 * (2 * 691200 + 172800) + 8 * 43200
    assert work.attention_macs == 98 * 64 * 691200
    # tiles of 16x16 fit exactly; 128 places for 49
    assert work.tensor_macs == 2 * 128 * 64 * 691200
    # per tile and channel: 576 samples of 4, once and for one chunk of four again; keys and values 528 x 9 each;
    # queries 256 x 9; 324 + 256 resized pixels of 6
    assert work.plain_macs == 2700 * 64 * (4 * 576 * 1.25 + 18 * 528 + 9 * 256 + 6 * (324 + 256))


def test_the_bound_is_the_slowest_part():
    work = work_from_plan(plan_from_shapes(PSP18, Storage.HALF, BOARD))
    bounds = bounds_ms(work, Rates(102e9, 1.05e12, 8.4e12))
    assert bounds == pytest.approx({"memory": 1.955, "plain cores": 2.990, "tensor cores": 1.348}, abs=0.001)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU: `make test-gpu` runs the script")
def test_without_a_gpu_it_says_not_run_and_writes_nothing(tmp_path):
    record = tmp_path / "record.json"
    command = [sys.executable, str(FOLDER / "check_gpu.py"), "--record", str(record)]
    environment = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environment)
    assert done.returncode == 3, done.stderr
    assert "not run" in done.stdout
    assert not record.exists()


def test_the_record_of_a_machine_without_a_gpu_says_not_run_and_nothing_else():
    record = Path(__file__).parents[2] / "benchmarks/results/gpu_fusion.json"
    text = record.read_text()
    assert text == '"not run"\n' or '"gpu":' in text
