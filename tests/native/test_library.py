import os
import platform
import re
import struct
import subprocess
import sys

import pytest

from edge_arseg.native import library
from edge_arseg.native.library import FOLDER, INSTRUCTION_SETS, InstructionSet, digest_of_sources, instruction_set

OLD_NUMPY_AVX2 = {"SSE2", "AVX", "F16C", "FMA3", "AVX2"}
OLD_NUMPY_AVX512 = OLD_NUMPY_AVX2 | {"AVX512F", "AVX512CD", "AVX512_SKX"}
NEW_NUMPY_AVX512 = OLD_NUMPY_AVX2 | {"AVX512F", "AVX512CD", "AVX512BW", "AVX512DQ", "AVX512VL", "X86_V4"}


@pytest.fixture
def asked_again():
    """What is chosen depends on the process and is kept; a test that changes it asks again, and so do those behind."""
    instruction_set.cache_clear()
    library._library.cache_clear()
    yield
    instruction_set.cache_clear()
    library._library.cache_clear()


@pytest.mark.parametrize("wanted", INSTRUCTION_SETS, ids=lambda wanted: wanted.name)
def test_every_library_is_there_and_compiled_from_these_sources(wanted):
    """Where this fails: make kernels."""
    content = (FOLDER / f"{wanted.name}.so").read_bytes()
    machine = {"x86_64": 62, "aarch64": 183}[wanted.machine]
    assert content[:4] == b"\x7fELF"
    assert struct.unpack_from("<H", content, 18) == (machine,)
    assert struct.pack("<I", digest_of_sources()) in content


@pytest.mark.parametrize("wanted", INSTRUCTION_SETS, ids=lambda wanted: wanted.name)
def test_no_library_needs_another_or_says_where_it_was_built(wanted):
    content = (FOLDER / f"{wanted.name}.so").read_bytes()
    assert not re.search(rb"\.so\.\d|GLIBC|/home/|/tmp/|Py[A-Z]|numba_", content)


@pytest.mark.parametrize(
    ("features", "name"),
    [
        (NEW_NUMPY_AVX512, "x86_64-avx512"),
        (OLD_NUMPY_AVX512, "x86_64-avx512"),
        (OLD_NUMPY_AVX512 - {"AVX512_SKX"}, "x86_64-avx2"),
        (NEW_NUMPY_AVX512 - {"AVX512VL"}, "x86_64-avx2"),
        (OLD_NUMPY_AVX2, "x86_64-avx2"),
        (OLD_NUMPY_AVX2 - {"FMA3"}, None),
        ({"SSE2", "SSE42", "AVX"}, None),
        (set(), None),
    ],
)
def test_a_library_is_taken_only_where_the_cpu_has_all_that_it_uses(features, name):
    fitting = [c.name for c in INSTRUCTION_SETS if c.machine == "x86_64" and c.fits(frozenset(features))]
    assert (fitting or [None])[0] == name


def test_the_wish_for_another_instruction_set_goes_to_numba(monkeypatch, asked_again):
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    assert instruction_set() is None


def test_a_library_of_other_sources_is_not_used_and_the_log_says_so(monkeypatch, asked_again, caplog):
    name = next((c.name for c in INSTRUCTION_SETS if c.machine == platform.machine()), None)
    monkeypatch.setattr(library, "digest_of_sources", lambda: 1)
    assert instruction_set() is None
    if name:
        assert "is not of these sources, Numba compiles in its place; make kernels builds it again" in caplog.text


def test_a_broken_library_is_not_used_and_the_log_says_so(monkeypatch, asked_again, caplog, tmp_path):
    wanted = InstructionSet("broken", platform.machine(), "generic", (), frozenset())
    (tmp_path / "broken.so").write_bytes(b"\x7fELF and no more")
    monkeypatch.setattr(library, "FOLDER", tmp_path)
    monkeypatch.setattr(library, "INSTRUCTION_SETS", (wanted,))
    assert instruction_set() is None
    assert "broken.so cannot be used, Numba compiles in its place" in caplog.text


@pytest.mark.slow
def test_the_shipped_kernels_compute_what_numba_compiles_here_bit_for_bit():
    pytest.importorskip("numba")
    if instruction_set() is None:
        pytest.skip("no library is shipped for this CPU")
    import numpy as np

    from edge_arseg.motion import kernels, loops
    from edge_arseg.runtime.kernels.numba_fuse import FusionKernel, FusionShapes
    from edge_arseg.runtime.kernels.numba_fuse.launch import compiled_fusion
    from edge_arseg.runtime.kernels.numba_head import DecodeKernel, DecodeShapes
    from edge_arseg.runtime.kernels.numba_head.launch import compiled_decode
    from edge_arseg.spec.frame import VECTOR_DTYPE
    from edge_arseg.spec.weights import FusionWeights

    random = np.random.default_rng(3)

    def normal(*shape):
        return random.standard_normal(shape, np.float32)

    weights = FusionWeights(*(part for _ in range(3) for part in (normal(24, 1, 3, 3), normal(24))))
    fusion = FusionKernel(FusionShapes(24, (45, 60), (22, 30), (90, 120), 360), weights, 2)
    inputs = normal(24, 45, 60), 9 * normal(90, 120, 2), normal(24, 22, 30)
    decode = DecodeKernel(DecodeShapes(24, (45, 60), (360, 480), 8), normal(12, 24), normal(12), 2)
    fused = fusion.run(*inputs)
    class_map = decode.run(fused)
    fusion._fuse, decode._decode = compiled_fusion(), compiled_decode()
    assert fusion.run(*inputs).tobytes() == fused.tobytes()
    assert decode.run(fused).tobytes() == class_map.tobytes()

    vectors = np.zeros(300, VECTOR_DTYPE)
    for name, high in (("x", 480), ("y", 360), ("width", 17), ("height", 17)):
        vectors[name] = random.integers(0, high, 300)
    vectors["flow_x"], vectors["flow_y"] = 5 * normal(300), 5 * normal(300)
    results = []
    for kernel in (kernels._kernel, loops.compiled_motion().__getitem__):
        flow, valid = np.zeros((46, 60), np.complex64), np.zeros((46, 60), bool)
        total, count = np.zeros((47, 61), np.complex128), np.zeros((47, 61), np.int64)
        out, before = np.zeros((92, 240), np.float32), np.ones((92, 240), np.float32)
        for name, arguments in (
            ("spread_vectors", (vectors, flow, valid)),
            ("fill_holes", (flow, valid, total, count)),
            ("compose_flows", (flow.view(np.float32), 2, before, 0.25, out)),
        ):
            table = kernels.table_of(arguments)
            kernel(name)(table.ctypes.data)
        results.append((flow.tobytes(), valid.tobytes(), out.tobytes()))
    assert results[0] == results[1]


@pytest.mark.slow
def test_without_a_library_for_the_cpu_numba_compiles_before_the_first_frame(tmp_path):
    """Latencies of the first frames hold no compilation, with an empty cache."""
    pytest.importorskip("numba")
    features = "+sse2,+avx,+avx2,+fma" if platform.machine() == "x86_64" else "+neon"
    latencies = latencies_of_a_run({"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": features}, tmp_path)
    assert max(latencies[:3]) < 10 * sorted(latencies)[len(latencies) // 2] + 100


@pytest.mark.slow
def test_the_first_frames_take_no_longer_than_later_ones_with_an_empty_cache(tmp_path):
    if instruction_set() is None:
        pytest.skip("no library is shipped for this CPU")
    latencies = latencies_of_a_run({}, tmp_path)
    assert len(latencies) == 13
    assert max(latencies[:3]) < 10 * sorted(latencies)[len(latencies) // 2] + 100


def latencies_of_a_run(environment, tmp_path):
    """Milliseconds; on a busy machine each may be several times what it should be, a compilation takes seconds."""
    import json

    command = [sys.executable, "-m", "edge_arseg", "run", "test://street?size=96x128&frames=13", "jsonl://-"]
    done = subprocess.run(
        command,
        env={**os.environ, **environment, "NUMBA_CACHE_DIR": str(tmp_path / "empty")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line)["latency_ms"] for line in done.stdout.splitlines()]
