"""``verify`` and the CUDA fusion kernel: run where there is a GPU and a kernel for it, else why not.

The stand-in for the GPU runs the kernel's source compiled for the host.
"""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from support.bundles.kernel import NANO, compiled
from support.gpu import host as cuda_host
from support.gpu.stub import KernelGpu
from support.tensorrt import install
from support.tensorrt.gpu import Gpu

from edge_arseg.runtime.bundles.reading import MANIFEST, read_bundle
from edge_arseg.spec.entries import FileEntry
from edge_arseg.spec.manifest import Precision, json_from_manifest
from edge_arseg.spec.weights import bytes_from_arrays

pytestmark = pytest.mark.skipif(cuda_host.compiler() is None, reason="no C++ compiler to run the kernel on the host")


@pytest.fixture(scope="module", params=[Precision.FP16, Precision.FP32], ids=["fp16", "fp32"])
def compiled_bundle(request, own_bundle, tmp_path_factory):
    return compiled(own_bundle, tmp_path_factory.mktemp("compiled"), request.param)[1].bundle


@pytest.fixture(scope="module")
def half(own_bundle, tmp_path_factory):
    return compiled(own_bundle, tmp_path_factory.mktemp("half"), Precision.FP16)[1].bundle


@pytest.fixture
def copy(half, tmp_path):
    return shutil.copytree(half, tmp_path / "own.arseg")


@pytest.fixture
def gpu(monkeypatch):
    gpu = KernelGpu()
    install(monkeypatch, gpu=gpu)
    return gpu


@pytest.mark.parametrize("backend", ["tensorrt", "onnxruntime"])
def test_the_kernel_is_run_on_the_gpu_that_is_there(edge_arseg, compiled_bundle, gpu, backend):
    """With either's features: what engines there are for the graphs is no matter to it."""
    answer = edge_arseg("verify", compiled_bundle, "--backend", backend, "--json")
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    assert found["fusion_kernel"] == {"ran": "kernels/fusion_sm87.cubin"}
    rows = {row["distance"]: row["agreement"] for row in found["rows"] if row["output"] == "kernel"}
    assert sorted(rows) == [1, 2, 4]
    assert min(rows.values()) > 0.99
    assert len(gpu.launched) == 3
    assert (gpu.memory, gpu.retained) == ({}, 0)
    out = edge_arseg("verify", compiled_bundle, "--backend", backend).out
    assert "CUDA fusion kernel: kernels/fusion_sm87.cubin" in out


def test_a_kernel_that_answers_wrongly_does_not_verify(edge_arseg, copy, gpu):
    """Only the kernel reads these weights; the graphs have their own."""
    bundle = read_bundle(copy)
    weights = bundle.fusion_weights()
    data = bytes_from_arrays(replace(weights, value_weight=-20 * weights.value_weight))
    (copy / bundle.manifest.fusion_weights).write_bytes(data)
    sign_again(bundle, bundle.manifest.fusion_weights, data)
    answer = edge_arseg("verify", copy, "--backend", "onnxruntime")
    assert answer.code == 1
    assert "error: kernel at distance" in answer.err
    assert gpu.retained == 0


def test_a_gpu_that_fails_in_the_kernel_is_no_reason_not_to_run_it(edge_arseg, copy, gpu, monkeypatch):
    def fail(launch):
        raise gpu.module.LaunchError("cuStreamSynchronize failed: an illegal memory access was encountered")

    monkeypatch.setattr("support.gpu.stub.run", fail)
    answer = edge_arseg("verify", copy, "--backend", "onnxruntime")
    assert answer.code == 5
    assert "illegal memory access" in answer.err


@pytest.mark.parametrize("count", [0, None], ids=["no GPU", "no pycuda"])
def test_without_a_gpu_it_says_that_the_kernel_was_not_run(edge_arseg, copy, monkeypatch, count):
    if count == 0:
        install(monkeypatch, gpu=Gpu(count=0))
    else:
        import sys

        monkeypatch.setitem(sys.modules, "pycuda", None)
    answer = edge_arseg("verify", copy, "--backend", "onnxruntime", "--json")
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    why = found["fusion_kernel"]["not_run"]
    assert ("no GPU" if count == 0 else "pycuda is missing") in why
    assert "kernel" not in {row["output"] for row in found["rows"]}
    assert f"CUDA fusion kernel: not run: {why[:40]}" in edge_arseg("verify", copy, "--backend", "onnxruntime").out


def test_a_bundle_without_kernels_asks_no_gpu(edge_arseg, own_bundle, gpu):
    answer = edge_arseg("verify", own_bundle)
    assert answer.code == 0
    assert "CUDA fusion kernel: not run: the bundle holds none; edge-arseg compile puts one in" in answer.out
    assert gpu.threads == set()


def test_a_kernel_for_another_gpu_is_named(edge_arseg, copy, gpu):
    bundle = read_bundle(copy)
    kernels = tuple(replace(kernel, sm=90) for kernel in bundle.manifest.kernels)
    (copy / MANIFEST).write_text(json_from_manifest(replace(bundle.manifest, kernels=kernels)))
    answer = edge_arseg("verify", copy, "--backend", "onnxruntime")
    assert answer.code == 0
    assert "not run: " in answer.out
    assert "no fusion kernel for this GPU, sm_87 (there are: sm_90)" in answer.out
    assert f"--target {NANO} --force" in answer.out
    assert (gpu.launched, gpu.retained) == ([], 0)


def test_a_gpu_too_full_for_the_kernel_is_out_of_memory(edge_arseg, copy, monkeypatch):
    install(monkeypatch, gpu=KernelGpu(total=8_000))
    answer = edge_arseg("verify", copy, "--backend", "onnxruntime")
    assert answer.code == 6
    assert "no memory left" in answer.err


def sign_again(bundle, name, data):
    import hashlib

    files = {**bundle.manifest.files, name: FileEntry(hashlib.sha256(data).hexdigest(), len(data))}
    (bundle.path / MANIFEST).write_text(json_from_manifest(replace(bundle.manifest, files=files)))
    assert np.any(read_bundle(bundle.path).fusion_weights().value_weight)
