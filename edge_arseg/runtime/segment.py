"""The loop: frames in, class maps out."""

import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from edge_arseg.arguments import check_kind, is_number, refusal_of
from edge_arseg.errors import OptionError
from edge_arseg.motion.keyframe import KeyframePolicy, Policy
from edge_arseg.runtime.keyframes import Keyframes
from edge_arseg.runtime.pipeline import Pipeline
from edge_arseg.runtime.stages import StageClock
from edge_arseg.spec.frame import Branch, Frame, SegmentedFrame
from edge_arseg.spec.geometry.enlargement import Enlarger
from edge_arseg.spec.geometry.placement import Placement
from edge_arseg.spec.tensor import TensorSpec, spec_of

_END: Any = object()


def segment(frames: Iterable[Frame], pipeline: Pipeline, policy: Policy | None = None) -> Iterator[SegmentedFrame]:
    """Segment the frames of one source, in order.

    Args:
        frames: ``[H, W, 3] uint8`` of the bundle's size, contiguous, with their vectors; the first one is a keyframe.
            Each has a larger ``index`` than the one before.
        pipeline: what a frame runs through. It stays the caller's, and serves one loop at a time: where another begins,
            this one ends with an error at its next frame.
        policy: when a frame becomes a keyframe; by default at most the bundle's GOP apart, and at scene cuts.

    Yields:
        One result per frame. Its class map, also that at the source's size, and its flow are overwritten by the next.

    Raises:
        OptionError: something else than a frame, a frame of another size or out of order, vectors that are none, a
            policy that answers with something else than a branch, or another loop that has begun on the pipeline.
    """
    try:
        source = iter(frames)
    except TypeError:
        raise refusal_of(
            "frames", frames, "frames to iterate over, such as open_video(...) or a list of Frame"
        ) from None
    check_kind("pipeline", pipeline, Pipeline, "what open_pipeline gives, or Segmenter.pipeline")
    manifest = pipeline.manifest
    policy = KeyframePolicy(interval=manifest.gop) if policy is None else policy
    expected = TensorSpec("uint8", (manifest.height, manifest.width, 3))
    keyframes = Keyframes(pipeline, policy)
    cells = (-(-side // manifest.flow_block) for side in (manifest.height, manifest.width))
    flow = np.zeros((*cells, 2), np.float32)  # engines take contiguous arrays, a motion field is a view
    clock, last = StageClock(), None
    enlarger = Enlarger()
    with pipeline.turns.loop() as loop:
        while True:
            with clock.stage("decode"):
                frame = next(source, _END)
            if frame is _END:
                return
            _check(frame, expected, last)
            with pipeline.turns.frame(loop):
                start = time.perf_counter_ns()
                with clock.stage("motion"):
                    branch, motion, class_map = keyframes.follow(frame, last)
                    if branch is Branch.LR and pipeline.uses_motion:
                        np.copyto(flow, motion.flow)
                if branch is Branch.LR:
                    class_map = pipeline.between(frame.rgb, flow, clock)
                elif class_map is None:
                    class_map = pipeline.key(frame.rgb, clock)
                latency_ms = (time.perf_counter_ns() - start) / 1e6
            last = SegmentedFrame(
                frame,
                class_map,
                pipeline.branch(branch),
                keyframes.distance(frame),
                latency_ms,
                motion if branch is Branch.LR else None,
                clock.take(),
                enlarger.later(class_map, frame.placement),
                None if frame.arrived_s is None else 1e3 * (time.monotonic() - frame.arrived_s),
                # Of the first ones nobody knows more than their motion.
                len(frame.missed) if last is None else frame.index - last.frame.index - 1,
            )
            yield last


def _check(frame: Frame, expected: TensorSpec, last: SegmentedFrame | None) -> None:
    """Refuse what is no frame, and one that does not fit; the loops of motion see it before any engine does."""
    if not isinstance(frame, Frame):
        raise OptionError(f"{type(frame).__name__} seen, expected frames: Frame(index, time_s, rgb)")
    if not is_number(frame.index, whole=True):
        raise OptionError(f"frame {frame.index!r}: its index is no whole number; expected frames counted from 0")
    if not isinstance(frame.rgb, np.ndarray):
        raise OptionError(f"frame {frame.index}: rgb is {type(frame.rgb).__name__}, expected an array {expected}")
    if (seen := spec_of(frame.rgb)) != expected:
        raise OptionError(
            f"frame {frame.index}: rgb is {seen}, expected {expected}; Segmenter.open(), and open_video(size=...) with "
            "the segmenter's size, make frames of a source that fit"
        )
    if not frame.rgb.flags.c_contiguous:
        raise OptionError(f"frame {frame.index}: rgb is a strided view; give np.ascontiguousarray(rgb)")
    _check_rest(frame)
    if last is not None and frame.index <= last.frame.index:
        raise OptionError(
            f"frame {frame.index} behind frame {last.frame.index} seen, expected a larger index: frames are counted "
            "from 0, in the order in which they are shown"
        )


def _check_rest(frame: Frame) -> None:
    """Refuse what a frame says beside its picture, where it is of another kind; vectors are looked at when followed."""
    if not is_number(frame.time_s):
        raise refusal_of(f"frame {frame.index}: time_s", frame.time_s, "seconds, a number")
    for name, flag in (("intra", frame.intra), ("damaged", frame.damaged)):
        check_kind(f"frame {frame.index}: {name}", flag, bool | np.bool_, "True or False")
    check_kind(
        f"frame {frame.index}: missed", frame.missed, tuple | list, "the vectors of each dropped frame, in a tuple"
    )
    if frame.arrived_s is not None and not is_number(frame.arrived_s):
        raise refusal_of(f"frame {frame.index}: arrived_s", frame.arrived_s, "seconds of time.monotonic(), or None")
    if frame.picture is not None:
        check_kind(f"frame {frame.index}: picture", frame.picture, np.ndarray, "an array, or None")
    placement = frame.placement
    if placement is not None and (not isinstance(placement, Placement) or placement.frame != frame.rgb.shape[:2]):
        rows, columns = frame.rgb.shape[:2]
        raise refusal_of(f"frame {frame.index}: placement", placement, f"a Placement in {rows}x{columns}, or None")
