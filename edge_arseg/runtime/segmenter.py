"""The loop: frames in, class maps out.

::

    with Segmenter("camvid-bise18.arseg") as segmenter:
        for result in segmenter.stream("clip.mp4"):
            result.class_map, result.branch, result.distance
"""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from os import PathLike
from types import TracebackType

import numpy as np

from edge_arseg.motion.chain import MotionChain
from edge_arseg.motion.keyframe import KeyframePolicy
from edge_arseg.runtime.choice.engine_choice import Choosable, settled
from edge_arseg.runtime.engines.opening import engine_class
from edge_arseg.runtime.engines.options import AUTO, EngineOptions
from edge_arseg.runtime.pipeline import Mode, Pipeline, pipeline_from_bundle
from edge_arseg.runtime.stages import StageClock
from edge_arseg.spec.frame import Branch, Frame, SegmentedFrame
from edge_arseg.video.reader import VideoReader, open_video
from edge_arseg.video.uri import source_from_uri

READ_AHEAD = 1
"""Frames that are read while one is worked on. One is enough where reading is faster than the engines."""


class Segmenter:
    """A bundle with its engines pinned in memory, ready for any number of videos, one at a time.

    Attributes:
        bundle: the bundle.
        pipeline: the engines; ``pipeline.label`` says what runs. Asking for it waits until they have run once.
        choice: how bundle and backend were chosen, and how many of the golden pixels get the expected class here.
        policy: when a frame becomes a keyframe; by default at most the bundle's GOP apart, and at scene cuts.
    """

    def __init__(
        self,
        bundle: Choosable = None,
        *,
        mode: Mode | None = None,
        fusion: str = "auto",
        backend: str = AUTO,
        threads: int | None = None,
        unchecked: bool = False,
        policy: KeyframePolicy | None = None,
    ):
        """Open the engines and run each once, so that the first frame takes no longer than the others.

        What runs has given the right class maps for the bundle's golden frames on this machine, now or at an earlier
        start: see ``engine_choice``. On a CPU the first runs go on in a thread while a file is opened; what goes wrong
        in them is raised where they are waited for: before a live source is opened, and before the first frame is asked
        for.

        Args:
            bundle: or its folder; by default the fastest in the package.
            mode: see ``Mode``; ``None``: ``ar``, or ``hr`` where the bundle has the HR branch alone.
            fusion, backend, threads, unchecked: see ``EngineOptions``. They count for nothing where ``bundle`` is a
                ``Choice`` already.
            policy: see the class.

        Raises:
            BundleError: the bundle is missing or damaged, or a graph contradicts its manifest.
            BuildError: an engine cannot be opened.
            OptionError, EnvironmentUnfitError: an option that cannot be had here, or class maps that are not right.
        """
        asked = () if mode is None else (mode,)
        options = EngineOptions(fusion, backend, threads, unchecked)
        self.choice, (mode, *_) = settled(bundle, asked, (Mode.AR, Mode.HR), options)
        self.bundle = self.choice.bundle
        manifest = self.bundle.manifest
        self.policy = policy or KeyframePolicy(interval=manifest.gop)
        self._stack = ExitStack()
        try:
            options = self.choice.options
            self._pipeline = pipeline_from_bundle(self.bundle, self._stack, mode=mode, options=options)
            cells = (-(-side // manifest.flow_block) for side in self.size)
            self._flow = np.zeros((*cells, 2), np.float32)
            pool = ThreadPoolExecutor(1, "warm-up")
            self._warm = pool.submit(self._warm_up)
            self._stack.callback(wait, [self._warm])
            pool.shutdown(wait=False)
            if engine_class(options.backend).feature_place != "host":
                self._warm.result()  # a GPU's engines may belong to the thread that opened them
        except BaseException:
            self._stack.close()
            raise

    @property
    def pipeline(self) -> Pipeline:
        """The engines, once they have run; what went wrong then is raised."""
        self._warm.result()
        return self._pipeline

    @pipeline.setter
    def pipeline(self, pipeline: Pipeline) -> None:
        self._warm.result()
        self._pipeline = pipeline

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the frames and class maps."""
        return self.bundle.manifest.height, self.bundle.manifest.width

    def open(
        self,
        uri: str | PathLike[str],
        *,
        motion: str = "auto",
        recode_scale: float = 1.0,
        ahead: int = READ_AHEAD,
        stream: int | None = None,
    ) -> VideoReader:
        """Open a source at the bundle's size; what ``stream`` does first, with the same arguments.

        The next frame is read in a thread while the engines work on this one; ``ahead`` as in ``open_video``. Arrays
        are reused: a frame's ``rgb`` is overwritten once the next one has been asked for.

        Raises:
            SourceError: the source cannot be read, or has no motion of the kind asked for.
        """
        if source_from_uri(uri).live:
            self._warm.result()  # it drops frames that nobody takes
        return open_video(uri, motion=motion, size=self.size, recode_scale=recode_scale, ahead=ahead, stream=stream)

    def stream(
        self, uri: str | PathLike[str], *, motion: str = "auto", recode_scale: float = 1.0, stream: int | None = None
    ) -> Iterator[SegmentedFrame]:
        """Segment a source from its first frame to its last.

        Args:
            uri: a path, ``/dev/video0``, ``rtsp://``, ``images://dir/%06d.png``, ``test://street``.
            motion: ``auto``, ``codec``, ``recode`` or ``zero``.
            recode_scale, stream: see ``open_video``.

        Yields:
            One result per frame. Its class map, flow and ``frame.rgb`` are overwritten by the next one.

        Raises:
            SourceError: the source cannot be read; damage inside it is recovered from at the next keyframe.
        """
        with self.open(uri, motion=motion, recode_scale=recode_scale, stream=stream) as reader:
            yield from self.segment(reader)

    def segment(self, frames: Iterable[Frame]) -> Iterator[SegmentedFrame]:
        """Segment frames that come from somewhere else; see ``stream``. The first frame is a keyframe."""
        self._warm.result()
        manifest = self.bundle.manifest
        chain = MotionChain(manifest.height, manifest.width, block=manifest.flow_block, policy=self.policy)
        clock, key_index, source = StageClock(), 0, iter(frames)
        while True:
            with clock.stage("decode"):
                frame = next(source, None)
            if frame is None:
                return
            start = time.perf_counter_ns()
            with clock.stage("motion"):
                branch, motion = chain.follow(frame)
                if branch is Branch.LR and self.pipeline.uses_motion:
                    np.copyto(self._flow, motion.flow)
            if branch is Branch.HR:
                key_index = frame.index
                class_map = self.pipeline.key(frame.rgb, clock)
            else:
                class_map = self.pipeline.between(frame.rgb, self._flow, clock)
            latency_ms = (time.perf_counter_ns() - start) / 1e6
            yield SegmentedFrame(
                frame,
                class_map,
                self.pipeline.branch(branch),
                frame.index - key_index,
                latency_ms,
                motion if branch is Branch.LR else None,
                clock.take(),
            )

    def close(self) -> None:
        """Close the engines; calling it twice is allowed."""
        self._stack.close()

    def __enter__(self) -> "Segmenter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _warm_up(self) -> None:
        clock, rgb = StageClock(), np.zeros((*self.size, 3), np.uint8)
        self._pipeline.key(rgb, clock)
        self._pipeline.between(rgb, self._flow, clock)
        MotionChain(*self.size, block=self.bundle.manifest.flow_block)  # loads or compiles its kernels
