"""The script for machines with a GPU, as far as it goes without one."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from support.gpu import host as cuda_host

from edge_arseg.runtime.kernels.cuda import GpuLimits, Storage, plan_from_shapes
from edge_arseg.spec.weights import FusionShapes
from tools.gpu.roofline import Rates, bounds_ms, work_from_plan

torch = pytest.importorskip("torch")

from support.golden import fusion_reference  # noqa: E402

from tools.gpu import check_gpu, race_checks  # noqa: E402
from tools.gpu.rivals import TorchFusion  # noqa: E402

FOLDER = Path(__file__).parents[2] / "tools" / "gpu"
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


class HostGpu:
    """The kernel's source on the host in the place of a GPU, to run the script from end to end."""

    name, sm, compiler, cubin, resources = "a host", 87, "g++", b"cubin", {}
    limits = BOARD
    wrong = None

    def kernel(self, plan, weights):
        def fuse(key, flow, lr):
            used = weights
            if self.wrong == "no position bias":
                used = replace(weights, position_bias=np.zeros(49, np.float32))
            if self.wrong == "position bias transposed":
                used = replace(weights, position_bias=weights.position_bias.reshape(7, 7).T.reshape(-1))
            fused = cuda_host.run_on_host(plan, used, key, flow, lr)
            return -fused if self.wrong == "sign" else fused

        return SimpleNamespace(fuse=fuse, run=lambda *_: None)


@pytest.fixture
def on_host(monkeypatch):
    """The script with nothing of CUDA in it: times are 1 ms, one small shape is checked and timed."""
    if cuda_host.compiler() is None:
        pytest.skip("no C++ compiler to run the kernel on the host")
    small = {"smallest": check_gpu.CHECKED["smallest"], "odd": FusionShapes(5, (18, 20), (9, 10), (5, 5), 72)}
    monkeypatch.setattr(check_gpu, "CHECKED", small)
    monkeypatch.setattr(check_gpu, "TIMED", {"one": small["odd"], "two": small["odd"]})
    monkeypatch.setattr(check_gpu, "Gpu", HostGpu)
    monkeypatch.setattr(race_checks, "shutil", SimpleNamespace(which=lambda _: None))
    monkeypatch.setattr(check_gpu, "DEVICE", "cpu")
    monkeypatch.setattr(check_gpu, "rates_here", lambda: Rates(1e9, 1e9, 1e9))
    monkeypatch.setattr(check_gpu, "milliseconds", lambda work: (work(0), 1.0)[1])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "compile", lambda module, **_: module)


@pytest.mark.usefixtures("on_host")
def test_from_end_to_end_with_the_kernel_on_the_host(tmp_path, monkeypatch, capsys):
    path = tmp_path / "record.json"
    assert check_gpu.main(["--record", str(path), "--golden", str(tmp_path / "none")]) == 0
    record = json.loads(path.read_text())
    assert record["conditions"]["gpu"] == "a host"
    values = record["values"]
    assert values["parity"] is True
    assert values["golden_parity"].startswith("not checked")
    assert values["races"] == "not run: no compute-sanitizer"
    assert values["engines"] == "not run"
    assert set(values["times"]) == {"one", "two"}
    assert values["times"]["one"]["fuse_half_8"]["ms"] == values["times"]["one"]["torch_eager_ms"] == 1.0
    out = capsys.readouterr().out
    assert "WRONG" not in out
    assert "torch_compiled_ms" in out


@pytest.mark.parametrize(
    ("code", "seconds", "says"),
    [(0, 60, "racecheck clean: SUMMARY 0"), (9, 60, "memcheck FAILED"), ("sleep 5", 0.5, "not finished in 0 s")],
)
def test_the_race_checker_gets_the_kernel_that_was_compiled(tmp_path, monkeypatch, code, seconds, says):
    tool = tmp_path / "compute-sanitizer"
    ending = code if isinstance(code, str) else f"echo SUMMARY {code}; exit {code}"
    tool.write_text(f'#!/bin/sh\nfor last; do :; done\ncp "$last" {tmp_path}/seen\n{ending}\n')
    tool.chmod(0o755)
    monkeypatch.setattr(race_checks, "shutil", SimpleNamespace(which=lambda _: str(tool)))
    assert says in race_checks.races(b"the cubin", FOLDER / "check_gpu.py", seconds)
    assert (tmp_path / "seen").read_bytes() == b"the cubin"


@pytest.mark.parametrize("wrong", ["sign", "no position bias", "position bias transposed"])
@pytest.mark.usefixtures("on_host")
def test_a_wrong_kernel_is_an_exit_code(tmp_path, monkeypatch, capsys, wrong):
    monkeypatch.setattr(HostGpu, "wrong", wrong)
    path = tmp_path / "record.json"
    assert check_gpu.main(["--record", str(path), "--golden", str(tmp_path / "none")]) == 1
    assert json.loads(path.read_text())["values"]["parity"] is False
    checked = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  odd")]
    assert len(checked) == 5
    assert all("WRONG" in line for line in checked), checked


def test_the_rival_computes_the_same_fusion():
    shapes = FusionShapes(5, (18, 20), (9, 10), (5, 5), 72)
    rng = np.random.default_rng(6)
    key, lr = (rng.normal(size=(5, *size)).astype(np.float32) for size in (shapes.feature, shapes.lr_feature))
    flow = rng.normal(size=(*shapes.flow, 2)).astype(np.float32) * 4
    weights = fusion_reference.random_weights(rng, 5, gain=1.0)
    module = TorchFusion(weights, 18 / 72, torch.float32, "cpu")
    fused = module(torch.from_numpy(key)[None], torch.from_numpy(flow), torch.from_numpy(lr)[None])[0].numpy()
    expected = fusion_reference.fuse(key, flow, lr, weights, shapes.frame_height)
    assert np.abs(fused - expected).max() / np.abs(expected).max() < 1e-4


@pytest.mark.usefixtures("on_host")
def test_what_was_measured_stays_where_the_rest_is_cut_off(tmp_path, monkeypatch):
    timed = check_gpu.timed

    def cut_off(gpu, name, rates):
        if name == "two":
            raise KeyboardInterrupt
        return timed(gpu, name, rates)

    monkeypatch.setattr(check_gpu, "timed", cut_off)
    path = tmp_path / "record.json"
    with pytest.raises(KeyboardInterrupt):
        check_gpu.main(["--record", str(path), "--golden", str(tmp_path / "none")])
    values = json.loads(path.read_text())["values"]
    assert (set(values["times"]), values["races"], values["parity"]) == ({"one"}, "not run yet", True)


def test_it_needs_torch_and_numpy_and_nothing_else_that_is_installed():
    """On a borrowed GPU there is no network to install from."""
    code = f"""
import runpy, sys
for name in ("pydantic", "click", "rich", "av", "onnxruntime", "onnx", "numba", "tensorrt", "pycuda", "safetensors"):
    sys.modules[name] = None
sys.argv = ["check_gpu.py"]
runpy.run_path({str(FOLDER / "check_gpu.py")!r}, run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, "not run" in done.stdout) == (3, True) or torch.cuda.is_available(), done.stderr


def test_the_record_of_a_machine_without_a_gpu_says_not_run_and_nothing_else():
    record = Path(__file__).parents[2] / "benchmarks/results/gpu_fusion.json"
    text = record.read_text()
    assert text == '"not run"\n' or '"gpu":' in text
