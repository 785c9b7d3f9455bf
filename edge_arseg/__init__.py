"""Compile, run and measure AR-Seg compressed-video segmentation on edge boards.

::

    from edge_arseg import Segmenter

    with Segmenter("camvid-bise18.arseg") as segmenter:
        for result in segmenter.stream("clip.mp4"):
            result.class_map, result.branch, result.distance

``__all__`` is what is public; ``docs/python.md`` describes it. A name is imported when it is asked for.

The import of this package keeps ONNX Runtime from reporting to its makers, wherever it is loaded behind it.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_arseg.compiler.export.checkpoint import checkpoint_from_path
    from edge_arseg.compiler.export.export import bundle_from_checkpoint, bundle_from_network
    from edge_arseg.compiler.export.settings import ExportSettings
    from edge_arseg.compiler.quantize.options import QuantizeOptions
    from edge_arseg.compiler.quantize.quantize import quantize_bundle
    from edge_arseg.compiler.target.compile import compile_bundle
    from edge_arseg.compiler.target.options import CompileOptions
    from edge_arseg.errors import (
        ArsegError,
        BuildError,
        BundleError,
        CheckpointError,
        DataError,
        EnvironmentUnfitError,
        ExportError,
        GateError,
        LoginError,
        MemoryExhaustedError,
        MotionError,
        OptionError,
        SinkError,
        SourceError,
        StreamError,
        TargetError,
        UnfitError,
    )
    from edge_arseg.motion.keyframe import FrameStatistics, KeyframePolicy, Policy
    from edge_arseg.motion.policies.adaptive import AdaptivePolicy
    from edge_arseg.motion.policies.drops import KeyAfterDrops
    from edge_arseg.network.backbone import Backbone
    from edge_arseg.runtime.bundles.reading import Bundle, read_bundle
    from edge_arseg.runtime.engines.contract import Engine, EngineOptions
    from edge_arseg.runtime.live.statistics import LiveFigures
    from edge_arseg.runtime.mode import Mode
    from edge_arseg.runtime.pipeline import Pipeline, open_pipeline
    from edge_arseg.runtime.run import Run, run_to_sinks
    from edge_arseg.runtime.segment import segment
    from edge_arseg.runtime.segmenter import Segmenter
    from edge_arseg.runtime.verification import Verification, verify_bundle
    from edge_arseg.spec.frame import VECTOR_DTYPE, Branch, Frame, MotionField, SegmentedFrame
    from edge_arseg.spec.tensor import TensorSpec
    from edge_arseg.video.delivery.options import LiveOptions
    from edge_arseg.video.overlay.style import OverlayStyle
    from edge_arseg.video.reader import VideoReader, open_video
    from edge_arseg.video.sinks.base import Sink
    from edge_arseg.video.sinks.opening import open_sink

__version__ = "0.1.0"

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
"""ONNX Runtime, from 1.29 on, writes an identifier of the machine into the user's cache as it is loaded, and sends what
runs to its makers: path of the program, CPU, models, times. It looks at this variable once, when it is loaded."""

__all__ = [
    "VECTOR_DTYPE",
    "AdaptivePolicy",
    "ArsegError",
    "Backbone",
    "Branch",
    "BuildError",
    "Bundle",
    "BundleError",
    "CheckpointError",
    "CompileOptions",
    "DataError",
    "Engine",
    "EngineOptions",
    "EnvironmentUnfitError",
    "ExportError",
    "ExportSettings",
    "Frame",
    "FrameStatistics",
    "GateError",
    "KeyAfterDrops",
    "KeyframePolicy",
    "LiveFigures",
    "LiveOptions",
    "LoginError",
    "MemoryExhaustedError",
    "Mode",
    "MotionError",
    "MotionField",
    "OptionError",
    "OverlayStyle",
    "Pipeline",
    "Policy",
    "QuantizeOptions",
    "Run",
    "SegmentedFrame",
    "Segmenter",
    "Sink",
    "SinkError",
    "SourceError",
    "StreamError",
    "TargetError",
    "TensorSpec",
    "UnfitError",
    "Verification",
    "VideoReader",
    "__version__",
    "bundle_from_checkpoint",
    "bundle_from_network",
    "checkpoint_from_path",
    "compile_bundle",
    "open_pipeline",
    "open_sink",
    "open_video",
    "quantize_bundle",
    "read_bundle",
    "run_to_sinks",
    "segment",
    "verify_bundle",
]

_NAMES = {
    "runtime.segmenter": ("Segmenter",),
    "runtime.segment": ("segment",),
    "runtime.run": ("Run", "run_to_sinks"),
    "runtime.pipeline": ("Pipeline", "open_pipeline"),
    "runtime.mode": ("Mode",),
    "runtime.bundles.reading": ("Bundle", "read_bundle"),
    "runtime.verification": ("Verification", "verify_bundle"),
    "runtime.engines.contract": ("Engine", "EngineOptions"),
    "motion.keyframe": ("FrameStatistics", "KeyframePolicy", "Policy"),
    "motion.policies.adaptive": ("AdaptivePolicy",),
    "motion.policies.drops": ("KeyAfterDrops",),
    "runtime.live.statistics": ("LiveFigures",),
    "spec.frame": ("VECTOR_DTYPE", "Branch", "Frame", "MotionField", "SegmentedFrame"),
    "spec.tensor": ("TensorSpec",),
    "video.overlay.style": ("OverlayStyle",),
    "video.delivery.options": ("LiveOptions",),
    "video.reader": ("VideoReader", "open_video"),
    "video.sinks.base": ("Sink",),
    "video.sinks.opening": ("open_sink",),
    "network.backbone": ("Backbone",),
    "compiler.export.checkpoint": ("checkpoint_from_path",),
    "compiler.export.export": ("bundle_from_checkpoint", "bundle_from_network"),
    "compiler.export.settings": ("ExportSettings",),
    "compiler.quantize.options": ("QuantizeOptions",),
    "compiler.quantize.quantize": ("quantize_bundle",),
    "compiler.target.compile": ("compile_bundle",),
    "compiler.target.options": ("CompileOptions",),
    "errors": tuple(name for name in __all__ if name.endswith("Error")),
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is asked for: the command line shows its help without any of them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"edge_arseg.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
