"""What is public: the names of ``edge_arseg.__all__``, and nothing else."""

import inspect
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

import edge_arseg
from edge_arseg import errors

HOST = {"Backbone", "CompileOptions", "ExportSettings", "QuantizeOptions"}
HOST |= {"bundle_from_checkpoint", "bundle_from_network", "checkpoint_from_path", "compile_bundle", "quantize_bundle"}
DEVICE = {
    "AdaptivePolicy",
    "Branch",
    "Bundle",
    "Engine",
    "EngineOptions",
    "Frame",
    "FrameStatistics",
    "KeyAfterDrops",
    "KeyframePolicy",
    "LiveFigures",
    "LiveOptions",
    "Mode",
    "MotionField",
    "OverlayStyle",
    "Pipeline",
    "Policy",
    "Run",
    "SegmentedFrame",
    "Segmenter",
    "Sink",
    "TensorSpec",
    "VECTOR_DTYPE",
    "Verification",
    "VideoReader",
    "open_pipeline",
    "open_sink",
    "open_video",
    "read_bundle",
    "run_to_sinks",
    "segment",
    "verify_bundle",
}
ERRORS = {
    "ArsegError",
    "BuildError",
    "BundleError",
    "CheckpointError",
    "DataError",
    "EnvironmentUnfitError",
    "ExportError",
    "GateError",
    "LoginError",
    "MemoryExhaustedError",
    "MotionError",
    "OptionError",
    "SinkError",
    "SourceError",
    "StreamError",
    "TargetError",
    "UnfitError",
}
PLAIN = {"Policy", "VECTOR_DTYPE"}
"""Names of a type, whose docstring stands in the module."""


def test_the_public_names_are_these():
    assert sorted(edge_arseg.__all__) == dir(edge_arseg) == sorted(DEVICE | HOST | ERRORS | {"__version__"})


def test_every_error_is_public():
    defined = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    assert defined == ERRORS


@pytest.mark.parametrize("name", sorted(DEVICE | ERRORS))
def test_a_name_of_the_device_half_is_there_and_says_what_it_is(name):
    value = getattr(edge_arseg, name)
    assert name in PLAIN or (value.__name__ == name and value.__doc__)


@pytest.mark.parametrize("name", sorted(HOST))
def test_a_name_of_the_host_half_is_there_and_says_what_it_is(name):
    pytest.importorskip("torch")
    value = getattr(edge_arseg, name)
    assert value.__name__ == name
    assert value.__doc__


@pytest.mark.parametrize("name", sorted(DEVICE | HOST))
def test_what_is_taken_and_returned_is_described(name):
    """Every public function and method has a docstring and types."""
    if name in HOST:
        pytest.importorskip("torch")
    value = getattr(edge_arseg, name)
    functions = [value] if inspect.isfunction(value) else []
    if inspect.isclass(value):
        functions = [part for key, part in vars(value).items() if inspect.isfunction(part) and not key.startswith("_")]
    for function in functions:
        assert inspect.getdoc(function), function.__qualname__
        signature = inspect.signature(function)
        parameters = [p for p in signature.parameters.values() if p.name not in ("self", "cls")]
        assert all(p.annotation is not p.empty for p in parameters), function.__qualname__
        assert signature.return_annotation is not signature.empty, function.__qualname__


def test_an_unknown_name_is_refused_like_any_other():
    with pytest.raises(AttributeError, match="module 'edge_arseg' has no attribute 'Segmentor'"):
        _ = edge_arseg.Segmentor


def test_a_star_import_on_a_board_says_what_is_missing_only_when_it_is_asked_for():
    """The device half's names come without torch and onnx; a name of the host half names the library."""
    code = f"""
import sys
for name in ("torch", "onnx", "onnxscript", "safetensors"):
    sys.modules[name] = None
import edge_arseg
for name in {sorted(DEVICE | ERRORS)!r}:
    getattr(edge_arseg, name)
try:
    edge_arseg.bundle_from_network
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "onnx" in done.stdout


def test_importing_the_package_imports_nothing():
    """Times wander; what is imported does not. numpy alone would take longer than all of this."""
    code = """
import sys
import importlib, typing  # in every Python program of some size
before = set(sys.modules)
import edge_arseg
print(*sorted(set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["edge_arseg"]


def test_modules_behind_public_names_are_checked_strictly():
    config = ConfigParser()
    config.read(Path(__file__).parents[1] / "setup.cfg")
    strict = {name for name in config if name.startswith("mypy-") and config[name].getboolean("warn_return_any")}
    modules = {module for name in strict for module in name.removeprefix("mypy-").split(",")}
    assert {f"edge_arseg.{module}" for module in edge_arseg._NAMES} - modules == set()
