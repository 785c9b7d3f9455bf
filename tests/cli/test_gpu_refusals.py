"""What people meet on boards, each with its own message, exit code and next thing to type; on stand-ins for a GPU."""

import shutil
import sys
import threading
from dataclasses import replace

import pytest
from support.bundles.kernel import BOARD, MEMORY, compiled
from support.gpu import host as cuda_host
from support.gpu.stub import KernelGpu
from support.tensorrt import building, install

from edge_arseg.compiler.engines import workshop
from edge_arseg.compiler.engines.process import BuildResult, builder_from_name
from edge_arseg.compiler.target import compile as compilation
from edge_arseg.runtime.device.host_memory import HostMemory
from edge_arseg.spec.manifest import Precision

pytestmark = pytest.mark.skipif(cuda_host.compiler() is None, reason="no C++ compiler to run the kernel on the host")


@pytest.fixture(scope="module")
def half(own_bundle, tmp_path_factory):
    return compiled(own_bundle, tmp_path_factory.mktemp("half"), Precision.FP16)[1].bundle


@pytest.fixture
def bundle(half, tmp_path, monkeypatch):
    """Compiled on this board, with its engines."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return shutil.copytree(half, tmp_path / "own.arseg")


@pytest.fixture
def board(monkeypatch):
    """Be a board, and build in this process, where the stand-ins are."""

    def be(machine=BOARD, version="10.3.0.30"):
        def build(job, progress):
            arguments = job.graph.read_bytes(), job.precision, job.settings, b"", progress
            job.plan.write_bytes(builder_from_name(job.builder).build(*arguments).plan)
            return BuildResult(b"", "", (), 0.0)

        gpu = KernelGpu()
        install(monkeypatch, version, gpu)
        gpu.contexts.setdefault(threading.get_ident(), ["primary"])
        monkeypatch.setattr(building.Network, "num_layers", 0, raising=False)
        monkeypatch.setattr(compilation, "this_machine", lambda: machine)
        monkeypatch.setattr(workshop, "result_from_job", build)
        return sys.modules["tensorrt"]

    return be


# run and verify, with engines that were built before


@pytest.mark.parametrize("command", ["verify", "run"])
@pytest.mark.parametrize(
    ("version", "gpu", "code", "says"),
    [
        ("8.6.2.3", {}, 5, ("built for tensorrt 10.3.0.30, here tensorrt 8.6.2.3", "edge-arseg compile ")),
        ("10.3.0.30", {"compute_capability": (7, 2)}, 5, ("capability 8.7, here compute", "edge-arseg compile ")),
        ("10.3.0.30", {"sm_count": 4}, 5, ("the power mode sets them", "edge-arseg compile ")),
        ("10.3.0.30", {"total": 40}, 6, ("no memory left", "isolate multi-user", "smaller --size")),
        ("10.3.0.30", {"count": 0}, 3, ("no CUDA-capable device", "group `video`", "--backend onnxruntime")),
    ],
    ids=["other TensorRT", "wrong GPU", "power mode", "no memory", "no GPU"],
)
def test_engines_that_cannot_be_used(edge_arseg, bundle, monkeypatch, command, version, gpu, code, says):
    install(monkeypatch, version, KernelGpu(**gpu))
    source = ("test://street?size=90x122&frames=2", "null://", "-b", bundle) if command == "run" else (bundle,)
    answer = edge_arseg(command, *source, "--backend", "tensorrt")
    assert answer.code == code, answer.err
    for words in says:
        assert words in answer.err, words


@pytest.mark.parametrize("command", ["verify", "compile"])
def test_a_python_without_the_binding(edge_arseg, bundle, board, monkeypatch, command):
    board()
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    arguments = (bundle, "--backend", "tensorrt") if command == "verify" else (bundle, "--force")
    answer = edge_arseg(command, *arguments)
    assert answer.code == 3
    assert "this Python has no TensorRT" in answer.err
    assert "sudo apt install python3-libnvinfer" in answer.err


# compile


def test_another_gpu_than_the_target_has(edge_arseg, bundle, board):
    assert BOARD.facts is not None
    board(replace(BOARD, facts=replace(BOARD.facts, compute_capability=(11, 0))))
    answer = edge_arseg("compile", bundle)
    assert answer.code == 3
    assert "the GPU here has compute capability 11.0" in answer.err
    assert "edge-arseg targets detect" in answer.err


def test_a_cache_that_cannot_be_written_and_then_the_users_too(edge_arseg, bundle, board, tmp_path):
    board()
    shutil.rmtree(bundle / "engines")
    (bundle / "engines").write_text("in the way, as a read-only disk would be")
    (tmp_path / "cache").write_text("in the way too")
    answer = edge_arseg("compile", bundle)
    assert answer.code == 4
    assert "cannot be written" in answer.err
    assert "where `run` looks too: --user-cache" in answer.err
    answer = edge_arseg("compile", bundle, "--user-cache")
    assert answer.code == 4
    assert "export XDG_CACHE_HOME=FOLDER" in answer.err
    assert "looks too: --user-cache" not in answer.err


def test_too_little_memory_for_a_build(edge_arseg, bundle, board):
    board(replace(BOARD, read_memory=lambda: HostMemory(MEMORY.total, 10**9, 0)))
    answer = edge_arseg("compile", bundle, "--force")
    assert answer.code == 6
    for words in ("building hr takes about", "multi-user.target", "--workspace 256", "sudo swapon", "type the same"):
        assert words in answer.err, words


OTHER_VERSIONS = [pytest.param(version, marks=pytest.mark.slow) for version in ("8.6.2.3", "10.3.0.30", "10.16.2.10")]


@pytest.mark.parametrize("version", ["8.5.2.2", *OTHER_VERSIONS])
def test_a_gpu_without_fast_float16(edge_arseg, bundle, board, monkeypatch, version):
    library = board(version=version)
    monkeypatch.setattr(library.Builder, "platform_has_fast_fp16", property(lambda _: False))
    answer = edge_arseg("compile", bundle, "--force")
    assert answer.code == 5
    assert "does not support FP16" in answer.err
    assert "--hr fp32 --lr fp32 --fuse fp32" in answer.err


def test_the_dla_is_refused(edge_arseg, bundle, board):
    board()
    answer = edge_arseg("compile", bundle, "--dla", "0")
    assert answer.code == 2
    assert "the DLA is not used in this version" in answer.err
    assert "Leave out --dla" in answer.err
