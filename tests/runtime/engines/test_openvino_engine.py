import locale
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from edge_arseg.errors import BuildError, EnvironmentUnfitError
from edge_arseg.installation import install_extra
from edge_arseg.runtime.bundles.zoo import ZOO
from edge_arseg.runtime.engines.contract import Engine
from edge_arseg.runtime.engines.openvino import library as library_module
from edge_arseg.runtime.engines.openvino.engine import Bf16OpenVinoEngine, OpenVinoEngine
from edge_arseg.runtime.engines.openvino.library import OpenVino, OpenVinoError, openvino
from edge_arseg.testing.engine import EngineTester

if find_spec("openvino") is None:
    pytest.skip("needs openvino", allow_module_level=True)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/edge-arseg/openvino"


def memory_of(engine, name):
    """Where OpenVINO itself says that an input or output is."""
    library = openvino()
    tensor = library.made("ov_infer_request_get_tensor", engine._request._request, name.encode())
    place = library.made("ov_tensor_data", tensor)
    library.free_tensor(tensor)
    return place.value


class TestOpenVinoEngine(EngineTester):
    def open(self, path: Path) -> Engine:
        return OpenVinoEngine(path, threads=1)

    def test_a_read_only_frame_is_taken(self, engine, feeds):
        """Decoded frames may be views of memory that belongs to the decoder."""
        feeds["image"].flags.writeable = False
        assert np.array_equal(engine.run(feeds)["double"], feeds["image"] * 2)

    def test_inputs_and_outputs_are_not_copied(self, engine, feeds):
        made = engine.run(feeds)["double"]
        assert memory_of(engine, "double") == made.ctypes.data
        assert memory_of(engine, "image") == feeds["image"].ctypes.data


def test_threads_and_arithmetic_are_what_was_asked_for(sum_graph):
    with OpenVinoEngine(sum_graph, threads=1) as engine:
        assert engine._request.graph.setting("INFERENCE_NUM_THREADS") == "1"
        assert engine._request.graph.setting("INFERENCE_PRECISION_HINT") == "f32"
        assert engine._request.graph.setting("ENABLE_CPU_PINNING") == "NO"


def test_bfloat16_is_never_taken_unasked(sum_graph):
    """OpenVINO's own default on a CPU that has it."""
    third = {"image": np.full((2, 3), 1 / 3, np.float32), "other": np.zeros((2, 3), np.float32)}
    with OpenVinoEngine(sum_graph, threads=1) as engine:
        assert np.all(engine.run(third)["total"] == np.float32(1 / 3))


def test_bfloat16_on_a_cpu_without_it_is_refused(sum_graph, monkeypatch):
    monkeypatch.setattr(OpenVino, "of_cpu", lambda *arguments: "FP32 INT8")
    with pytest.raises(EnvironmentUnfitError, match=r"lists FP32, INT8\); take --backend openvino"):
        Bf16OpenVinoEngine(sum_graph)


@pytest.mark.skipif(
    "BF16" not in openvino().of_cpu("OPTIMIZATION_CAPABILITIES").split(), reason="a CPU without bfloat16"
)
def test_bfloat16_where_the_cpu_has_it(sum_graph):
    with Bf16OpenVinoEngine(sum_graph, threads=1) as engine:
        assert engine._request.graph.setting("INFERENCE_PRECISION_HINT") == "bf16"
        assert engine.outputs["total"].dtype == "float32"


def test_a_library_without_its_plugin_for_cpus_is_no_fault_of_ours(sum_graph, monkeypatch):
    def fails(*_arguments):
        raise OpenVinoError("Device with CPU name is not registered")

    monkeypatch.setattr(OpenVino, "of_cpu", fails)
    with pytest.raises(BuildError, match=r"cannot load this graph \(Device with CPU name is not registered\)"):
        OpenVinoEngine(sum_graph)
    monkeypatch.setattr("edge_arseg.runtime.engines.openvino.library._loaded", fails)
    with pytest.raises(EnvironmentUnfitError, match=r"--backend openvino needs OpenVINO \(Device"):
        openvino()


def test_without_openvino_it_says_what_to_install(sum_graph, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(EnvironmentUnfitError, match=re.escape(install_extra("openvino"))):
        OpenVinoEngine(sum_graph)


NUMBERS = {"image": np.ones((2, 3), np.float32), "other": np.full((2, 3), 2, np.float32)}


def loaded_from_cache(engine):
    return {"YES": True, "NO": False}[engine._request.graph.setting("LOADED_FROM_CACHE")]


def test_a_graph_is_compiled_once_and_loaded_from_the_users_cache_then(sum_graph, own_cache):
    with OpenVinoEngine(sum_graph, threads=1) as engine:
        assert not loaded_from_cache(engine)
    (folder,) = own_cache.iterdir()
    kept = sorted(path.name for path in folder.iterdir())
    assert kept
    with OpenVinoEngine(sum_graph, threads=1) as engine:
        assert loaded_from_cache(engine)
        assert np.array_equal(engine.run(NUMBERS)["total"], np.full((2, 3), 3, np.float32))
    assert [path.name for path in own_cache.iterdir()] == [folder.name]
    assert sorted(path.name for path in folder.iterdir()) == kept


def test_other_settings_and_another_graph_of_the_same_name_are_compiled_anew(sum_graph, own_cache, tmp_path):
    sum_graph = Path(shutil.copy(sum_graph, tmp_path))
    OpenVinoEngine(sum_graph, threads=1).close()
    OpenVinoEngine(sum_graph, threads=2).close()
    assert len(list(own_cache.iterdir())) == 2
    state, content = sum_graph.stat(), sum_graph.read_bytes()
    sum_graph.write_bytes(content.replace(b"Add", b"Sub"))
    os.utime(sum_graph, ns=(state.st_atime_ns, state.st_mtime_ns))
    with OpenVinoEngine(sum_graph, threads=1) as engine:
        assert np.array_equal(engine.run(NUMBERS)["total"], np.full((2, 3), -1, np.float32))


def test_a_damaged_cache_costs_the_compilation_only(sum_graph, own_cache):
    OpenVinoEngine(sum_graph, threads=1).close()
    for path in own_cache.rglob("*.blob"):
        path.write_bytes(path.read_bytes()[:50])
    with OpenVinoEngine(sum_graph, threads=1) as engine:
        assert np.array_equal(engine.run(NUMBERS)["total"], np.full((2, 3), 3, np.float32))


def test_what_a_killed_process_left_in_the_cache_goes_with_the_next_graph(sum_graph, own_cache):
    left = own_cache / ".partial"
    left.mkdir(parents=True)
    os.utime(left, (time.time() - 3600,) * 2)
    OpenVinoEngine(sum_graph, threads=1).close()
    assert len(list(own_cache.iterdir())) == 1
    assert not left.exists()


def test_where_nothing_can_be_written_nothing_is_kept(sum_graph, own_cache, monkeypatch):
    own_cache.parent.mkdir(parents=True)
    own_cache.write_text("a file where the folder would be")
    with OpenVinoEngine(sum_graph, threads=1) as engine:
        assert not loaded_from_cache(engine)
        assert np.array_equal(engine.run(NUMBERS)["total"], np.full((2, 3), 3, np.float32))


OPENED = """
import sys
from importlib.util import find_spec
from pathlib import Path
from edge_arseg.runtime.engines.openvino.engine import OpenVinoEngine
OpenVinoEngine(sys.argv[1], threads=1).close()
print(sorted(name for name in sys.modules if name.startswith("openvino")), list(Path.home().iterdir()))
from edge_arseg.runtime.engines.openvino.counters import openvino_package
openvino_package()
print(sorted(name for name in sys.modules if "telemetry" in name or name.startswith("openvino.tools")))
print(list(Path.home().iterdir()), find_spec("openvino.tools.ovc") is not None)
"""


def test_an_engine_imports_nothing_counts_no_uses_and_calls_nobody(sum_graph, tmp_path):
    """OpenVINO's converter, which the import of its package brings along, does both; who wants the converter can still
    import it, also where layers were timed."""
    home = tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "CI": "false"}
    command = [sys.executable, "-c", OPENED, str(sum_graph)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["[] []", "[]", "[] True"], done.stderr


def test_types_are_read_as_numpy_names_them(sum_graph, tmp_path):
    onnx = pytest.importorskip("onnx")
    types = {
        "bool": "BOOL", "uint8": "UINT8", "int8": "INT8", "uint16": "UINT16", "int16": "INT16", "int32": "INT32",
        "int64": "INT64", "uint32": "UINT32", "uint64": "UINT64", "float16": "FLOAT16", "float32": "FLOAT",
        "float64": "DOUBLE",
    }  # fmt: skip
    number = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Cast", [name], [f"{name} out"], to=onnx.TensorProto.FLOAT) for name in types],
        "types",
        [number(name, getattr(onnx.TensorProto, kind), [2, 3]) for name, kind in types.items()],
        [number(f"{name} out", onnx.TensorProto.FLOAT, [2, 3]) for name in types],
    )
    path = tmp_path / "types.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9), path)
    ones = {name: np.ones((2, 3), name) for name in types}
    with OpenVinoEngine(path, threads=1) as engine:
        assert {name: (spec.dtype, spec.shape) for name, spec in engine.inputs.items()} == {
            name: (name, (2, 3)) for name in types
        }
        results = engine.run(ones)
        assert all(np.array_equal(result, np.ones((2, 3), np.float32)) for result in results.values())


def test_the_locale_stays_where_graphs_are_loaded_together():
    """What OpenVINO does in two threads: the second one finds the "C" that the first has set, and leaves it behind."""
    before = locale.setlocale(locale.LC_ALL)
    kept = library_module._Locale()
    with ExitStack() as first, ExitStack() as second:
        first.enter_context(kept.kept())
        locale.setlocale(locale.LC_ALL, "C")
        second.enter_context(kept.kept())
        first.close()
        locale.setlocale(locale.LC_ALL, "C")
    assert locale.setlocale(locale.LC_ALL) == before


def test_the_locale_stays_where_shipped_graphs_are_opened_together(own_cache):
    before = locale.setlocale(locale.LC_ALL)
    graphs = [path for path in sorted(ZOO.glob("*/onnx/*.onnx")) if path.stem in ("hr", "lr", "head")]
    with ThreadPoolExecutor(len(graphs)) as pool:
        for engine in pool.map(lambda graph: OpenVinoEngine(graph, threads=1), graphs):
            engine.close()
    assert locale.setlocale(locale.LC_ALL) == before


def test_engines_that_are_opened_together_and_closed_at_any_time_do_not_disturb_each_other(sum_graph):
    def opened(_):
        with OpenVinoEngine(sum_graph, threads=1) as engine:
            twin = engine.twin()
            total = engine.run(NUMBERS)["total"]
        with twin:
            return total, twin.run(NUMBERS)["total"]

    with ThreadPoolExecutor(4) as pool:
        for totals in pool.map(opened, range(24)):
            assert all(np.array_equal(total, np.full((2, 3), 3, np.float32)) for total in totals)
