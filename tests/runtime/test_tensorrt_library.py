import logging
import sys

import pytest
from tensorrt_stubs import VERSIONS, install

from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.runtime.tensorrt_library import collecting_logger, tensorrt_library, version_numbers


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


def test_bindings_without_their_library_are_told_apart(monkeypatch, tmp_path):
    def fail(name):
        raise ImportError("libnvinfer.so.10: cannot open shared object file", name="tensorrt.tensorrt")

    monkeypatch.setattr("edge_arseg.runtime.tensorrt_library.import_module", fail)
    with pytest.raises(EnvironmentUnfitError, match=r"not what it needs \(libnvinfer\.so\.10"):
        tensorrt_library(tmp_path)


def test_the_logger_keeps_errors_and_passes_warnings_on(monkeypatch, caplog):
    install(monkeypatch)
    library = sys.modules["tensorrt"]
    logger = collecting_logger(library)
    with caplog.at_level(logging.WARNING):
        logger.log(library.ILogger.ERROR, "bad plan\n")
        logger.log(library.ILogger.WARNING, "another model of device")
        logger.log(library.ILogger.VERBOSE, "noise")
    assert logger.errors == ["bad plan"]
    assert [record.message for record in caplog.records] == ["TensorRT: another model of device"]
