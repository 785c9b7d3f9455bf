import logging
import re
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from support.tensorrt import VERSIONS, building, install

import edge_arseg
from edge_arseg.compiler.engines.contract import BuildSettings
from edge_arseg.compiler.engines.gate import result_from_graph
from edge_arseg.compiler.engines.tensorrt import TensorRtBuilder
from edge_arseg.errors import BuildError, EnvironmentUnfitError
from edge_arseg.runtime.engines.tensorrt.engine import TensorRtEngine
from edge_arseg.runtime.engines.tensorrt.library import KEPT_ERRORS, tensorrt_library, tensorrt_log, version_numbers
from edge_arseg.spec.manifest import Precision


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_from_8_5_is_taken(version, monkeypatch):
    install(monkeypatch, version)
    assert tensorrt_library().__version__ == version


def test_an_older_one_is_refused(monkeypatch):
    install(monkeypatch)
    monkeypatch.setattr(sys.modules["tensorrt"], "__version__", "8.2.1.8")
    with pytest.raises(EnvironmentUnfitError, match=r"TensorRT 8\.2\.1\.8 seen, 8\.5 or newer expected"):
        tensorrt_library()


def test_versions_are_compared_as_numbers():
    assert version_numbers("10.16.2.10") > version_numbers("10.3.0.30") > version_numbers("8.6.2.3")


def test_bindings_of_another_python_are_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    (tmp_path / "usr/lib/python3.8/dist-packages/tensorrt").mkdir(parents=True)
    with pytest.raises(EnvironmentUnfitError, match=r"python3\.8 -m venv --system-site-packages"):
        tensorrt_library(tmp_path)


def test_without_any_it_says_where_tensorrt_comes_from(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(EnvironmentUnfitError, match=r"apt install python3-libnvinfer.*--backend onnxruntime"):
        tensorrt_library(tmp_path)


@pytest.mark.parametrize(
    "fault",
    [
        ImportError("libnvinfer.so.10: cannot open shared object file", name="tensorrt.tensorrt"),
        FileNotFoundError("libnvinfer.so.10: not found in the folders of the wheels"),
    ],
)
def test_bindings_without_their_library_are_told_apart(monkeypatch, tmp_path, fault):
    def fail(name):
        raise fault

    monkeypatch.setattr("edge_arseg.runtime.engines.tensorrt.library.import_module", fail)
    with pytest.raises(EnvironmentUnfitError, match=r"not what it needs \(libnvinfer\.so\.10"):
        tensorrt_library(tmp_path)


def test_a_folder_that_was_left_by_another_version_is_no_tensorrt(monkeypatch, tmp_path):
    (tmp_path / "tensorrt").mkdir()
    monkeypatch.setitem(sys.modules, "tensorrt", None)  # so that the folder is forgotten behind the test
    monkeypatch.delitem(sys.modules, "tensorrt")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EnvironmentUnfitError, match=r"not what it needs \(.*__version__"):
        tensorrt_library(tmp_path)


def test_the_log_keeps_errors_and_passes_warnings_on(monkeypatch, caplog):
    install(monkeypatch)
    library = sys.modules["tensorrt"]
    log = tensorrt_log(library)
    with caplog.at_level(logging.WARNING):
        log.log(library.ILogger.ERROR, "bad plan\n")
        log.log(library.ILogger.WARNING, "another model of device")
        log.log(library.ILogger.VERBOSE, "noise")
    assert [record.message for record in caplog.records] == ["TensorRT: another model of device"]
    assert log.why() == "bad plan"
    assert log.why() == "no reason given"


def test_warnings_can_be_kept_for_a_while(monkeypatch, caplog):
    install(monkeypatch)
    library = sys.modules["tensorrt"]
    log = tensorrt_log(library)
    log.log(library.ILogger.ERROR, "of before")
    with caplog.at_level(logging.WARNING):
        with pytest.raises(ZeroDivisionError), log.keeping_warnings() as said:  # noqa: PT012
            log.log(library.ILogger.WARNING, "inside")
            log.log(library.ILogger.ERROR, "of now")
            raise ZeroDivisionError
        log.log(library.ILogger.WARNING, "outside")
    assert said == ["inside"]
    assert [record.message for record in caplog.records] == ["TensorRT: outside"]
    assert log.why() == "of now"


def test_errors_of_hours_do_not_pile_up(monkeypatch):
    install(monkeypatch)
    library = sys.modules["tensorrt"]
    log = tensorrt_log(library)
    for i in range(1000):
        log.log(library.ILogger.ERROR, str(i))
    assert len(log.errors) == KEPT_ERRORS
    assert log.why() == "997; 998; 999"


@pytest.mark.parametrize("version", VERSIONS)
def test_builder_gate_and_engines_share_one_log(version, monkeypatch, sum_graph, tmp_path, caplog):
    """In one process, in any order; what each is told when it fails is its own."""
    gpu = install(monkeypatch, version)
    gpu.contexts[threading.get_ident()] = ["primary"]  # TensorRT's own
    monkeypatch.setattr(building.Network, "num_layers", 0, raising=False)
    library, graph = sys.modules["tensorrt"], sum_graph.read_bytes()
    builder = TensorRtBuilder(library)
    (tmp_path / "sum.plan").write_bytes(
        builder.build(graph, Precision.FP32, BuildSettings(256 << 20), b"", lambda _: None).plan
    )
    (tmp_path / "junk.plan").write_bytes(b"junk")
    assert result_from_graph(b"nonsense", Precision.FP32, builder).faults
    with caplog.at_level(logging.WARNING), TensorRtEngine(tmp_path / "sum.plan") as engine:
        with pytest.raises(BuildError, match="magicTag failed"):
            TensorRtEngine(tmp_path / "junk.plan")
        assert result_from_graph(graph, Precision.FP32, TensorRtBuilder(library)).warnings == ()
        monkeypatch.setattr(type(engine._context), "execute_async_v3", lambda *_: False)
        with pytest.raises(BuildError, match=r"failed in TensorRT \(no reason given\)"):
            engine.run({name: np.zeros((2, 3), np.float32) for name in ("image", "other")})
    assert len(library.stub_loggers) >= 6
    assert {id(logger) for logger in library.stub_loggers} == {id(tensorrt_log(library))}
    assert caplog.records == []


def test_a_second_logger_would_be_told_by_the_library(monkeypatch, caplog):
    """What the stand-ins do where somebody brings a logger of their own: the first one hears it."""
    gpu = install(monkeypatch)
    gpu.contexts[threading.get_ident()] = ["primary"]
    library = sys.modules["tensorrt"]
    log, other = tensorrt_log(library), library.Logger()
    library.Runtime(log)
    with caplog.at_level(logging.WARNING):
        library.Runtime(other).deserialize_cuda_engine(b"junk")
    assert "differs from one already provided" in caplog.text
    assert "magicTag" in log.why()


def test_nothing_else_makes_a_logger():
    package = Path(edge_arseg.__file__).parent
    made = re.compile(r"\bILogger\b|\.Logger\(")
    found = {str(path.relative_to(package)) for path in package.rglob("*.py") if made.search(path.read_text())}
    assert found == {"runtime/engines/tensorrt/library.py"}
