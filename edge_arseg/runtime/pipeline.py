"""What happens to one frame: which engines it runs through, by mode."""

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import OptionError
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.engines.contract import Buffer, EngineOptions, Place, checked_options
from edge_arseg.runtime.engines.opening import Engines, engine_class, engines_in_order
from edge_arseg.runtime.fusion.contract import Fusion
from edge_arseg.runtime.fusion.opening import open_fusion, open_lr_head
from edge_arseg.runtime.head import Head
from edge_arseg.runtime.mode import Mode, settled_mode
from edge_arseg.runtime.stages import StageClock
from edge_arseg.spec import tensor as names
from edge_arseg.spec.frame import Branch
from edge_arseg.spec.graph_contract import check_graphs
from edge_arseg.spec.manifest import Manifest, Role

P = TypeVar("P", bound="Pipeline")

ONNX_RUNTIME = EngineOptions(backend="onnxruntime")


class Turns:
    """Which loop a pipeline serves: the one that began last. The keyframe and all buffers are those of its frames.

    Attributes:
        lock: who holds it has the pipeline alone; no loop begins or takes a frame meanwhile.
    """

    def __init__(self) -> None:
        self.lock, self._process = threading.RLock(), os.getpid()
        self._loop: object = None

    @property
    def free(self) -> bool:
        """Whether no loop is under way."""
        return self._loop is None

    @contextmanager
    def loop(self) -> Iterator[object]:
        """Begin a loop; one that is under way ends with an error at its next frame.

        Raises:
            OptionError: this process was forked since the engines were opened, and has none of their threads.
        """
        if os.getpid() != self._process:
            raise OptionError(
                "engines of another process seen, which hang in one that was forked from it; open a Segmenter in each"
            )
        loop = object()
        with self.lock:
            self._loop = loop
        try:
            yield loop
        finally:
            with self.lock:
                if self._loop is loop:
                    self._loop = None

    @contextmanager
    def frame(self, loop: object) -> Iterator[None]:
        """Take a frame of a loop.

        Raises:
            OptionError: another loop has begun since.
        """
        with self.lock:
            if self._loop is not loop:
                raise OptionError(
                    "another loop has begun on this pipeline, whose keyframe is that of the other loop now: expected "
                    "one source at a time; for several take a segmenter for each: Segmenter.twin()"
                )
            yield


class Pipeline(ABC):
    """Frames to class maps. Every class map is ``[H, W] uint8``, a buffer that the next frame overwrites.

    A context manager, which closes the engines behind it.

    Attributes:
        manifest: of the bundle that runs.
        label: what runs, for results: mode, fusion and backend.
        uses_motion: whether ``between`` looks at the flow.
        any_thread: whether it may run beside the thread that opened it; a GPU's engines may belong to that one.
        turns: which loop it serves.
    """

    uses_motion = False
    any_thread = True

    def __init__(self, manifest: Manifest, label: str):
        self.manifest, self.label = manifest, label
        self.turns = Turns()

    @abstractmethod
    def key(self, rgb: NDArray[np.uint8], clock: StageClock) -> NDArray[np.uint8]:
        """Class map of a keyframe ``[H, W, 3] uint8``."""

    @abstractmethod
    def between(self, rgb: NDArray[np.uint8], flow: NDArray[np.float32], clock: StageClock) -> NDArray[np.uint8]:
        """Class map of a frame between keyframes, with its flow to the last one (``MotionField.flow``, contiguous)."""

    def begin_key(self, rgb: NDArray[np.uint8]) -> bool:
        """Begin the HR pass of a keyframe beside the frames that follow; the frame is copied.

        Returns:
            Whether it was begun: a pipeline that makes keyframes at their frame does not, and ``key`` is called.
        """
        return False

    def key_come(self) -> NDArray[np.uint8] | None:
        """Return the class map of the keyframe that was begun when it is there, once; ``between`` uses it from then.

        Raises:
            BuildError, MemoryExhaustedError: its pass failed.
        """
        return None

    def branch(self, branch: Branch) -> Branch:
        """Return the branch that a frame really runs through."""
        return branch

    def twin(self: P) -> P:
        """Return a pipeline for another stream, which may run at the same time in another thread.

        It has the weights of this one, and buffers of its own; it lives on when this one is closed, and whoever asks
        closes it.

        Raises:
            OptionError: the backend's engines share no weights.
        """
        raise OptionError(f"{type(self).__name__} serves one stream; open one pipeline for each stream")

    def close(self) -> None:  # noqa: B027 - a pipeline may have nothing to close
        """Close the engines; calling it twice is allowed."""

    def __enter__(self: P) -> P:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ArPipeline(Pipeline):
    """HR branch for keyframes, LR branch and fusion between them; the keyframe's feature stays where it was made."""

    uses_motion = True

    def __init__(self, manifest: Manifest, engines: Engines, fusion: Fusion, *, backend: str):
        """Take over the engines of both branches, and the fusion."""
        super().__init__(manifest, f"{Mode.AR.value}, {fusion.name} fusion, {backend}")
        self._engines, self._fusion, self._backend = engines, fusion, backend
        self._hr, self._lr = engines[Role.HR], engines[Role.LR]
        self._key_feature: Buffer = None

    def key(self, rgb: NDArray[np.uint8], clock: StageClock) -> NDArray[np.uint8]:
        """See ``Pipeline``."""
        with clock.stage("hr"):
            outputs = self._hr.run({names.FRAME: rgb})
        self._key_feature = outputs[names.FEATURE]
        self._fusion.new_key()
        class_map: NDArray[np.uint8] = outputs[names.CLASS_MAP]
        return class_map

    def between(self, rgb: NDArray[np.uint8], flow: NDArray[np.float32], clock: StageClock) -> NDArray[np.uint8]:
        """See ``Pipeline``."""
        with clock.stage("lr"):
            lr_feature = self._lr.run({names.FRAME: rgb})[names.LR_FEATURE]
        return self._fusion.class_map(self._key_feature, flow, lr_feature, clock)

    def twin(self) -> "ArPipeline":
        """See ``Pipeline``."""
        with ExitStack() as stack:
            engines = stack.enter_context(self._engines.twin())
            twin = ArPipeline(self.manifest, engines, self._fusion.twin(), backend=self._backend)
            stack.pop_all()
        return twin

    def close(self) -> None:
        """See ``Pipeline``."""
        with self._engines, self._fusion:
            pass


class HrPipeline(Pipeline):
    """HR branch for every frame."""

    def __init__(self, manifest: Manifest, engines: Engines, *, backend: str):
        """Take over the engine of the HR branch."""
        super().__init__(manifest, f"{Mode.HR.value}, {backend}")
        self._engines, self._hr, self._backend = engines, engines[Role.HR], backend

    def key(self, rgb: NDArray[np.uint8], clock: StageClock) -> NDArray[np.uint8]:
        """See ``Pipeline``."""
        with clock.stage("hr"):
            class_map: NDArray[np.uint8] = self._hr.run({names.FRAME: rgb})[names.CLASS_MAP]
        return class_map

    def between(self, rgb: NDArray[np.uint8], flow: NDArray[np.float32], clock: StageClock) -> NDArray[np.uint8]:
        """See ``Pipeline``; the flow is not used."""
        return self.key(rgb, clock)

    def branch(self, branch: Branch) -> Branch:
        """Return HR."""
        return Branch.HR

    def twin(self) -> "HrPipeline":
        """See ``Pipeline``."""
        return HrPipeline(self.manifest, self._engines.twin(), backend=self._backend)

    def close(self) -> None:
        """See ``Pipeline``."""
        self._engines.close()


class LrPipeline(Pipeline):
    """LR branch alone for every frame, without fusion."""

    def __init__(self, manifest: Manifest, engines: Engines, head: Head, *, backend: str):
        """Take over the engine of the LR branch, and the head."""
        super().__init__(manifest, f"{Mode.LR.value}, {head.name} head, {backend}")
        self._engines, self._head, self._lr, self._backend = engines, head, engines[Role.LR], backend

    def key(self, rgb: NDArray[np.uint8], clock: StageClock) -> NDArray[np.uint8]:
        """See ``Pipeline``."""
        with clock.stage("lr"):
            lr_feature = self._lr.run({names.FRAME: rgb})[names.LR_FEATURE]
        with clock.stage("head"):
            return self._head.class_map(lr_feature)

    def between(self, rgb: NDArray[np.uint8], flow: NDArray[np.float32], clock: StageClock) -> NDArray[np.uint8]:
        """See ``Pipeline``; the flow is not used."""
        return self.key(rgb, clock)

    def branch(self, branch: Branch) -> Branch:
        """Return LR."""
        return Branch.LR

    def twin(self) -> "LrPipeline":
        """See ``Pipeline``."""
        return LrPipeline(self.manifest, self._engines.twin(), self._head.twin(), backend=self._backend)

    def close(self) -> None:
        """See ``Pipeline``."""
        with self._engines, self._head:
            pass


def open_pipeline(bundle: Bundle, mode: Mode | None = None, engines: EngineOptions = ONNX_RUNTIME) -> Pipeline:
    """Open the engines that a mode needs, and no others.

    Those of a CPU are opened in a thread, HR first; what runs one waits until it is there.

    ::

        with open_pipeline(read_bundle("camvid-bise18.arseg"), Mode.AR) as pipeline:
            for result in segment(frames, pipeline):
                ...

    Args:
        bundle: checked.
        mode: see ``Mode``; ``None``: the bundle's own, see ``settled_mode``.
        engines: with a backend named; ``auto`` is for ``Segmenter``.

    Raises:
        OptionError, EnvironmentUnfitError: a choice that is not available here.
        BundleError, BuildError: a graph cannot be opened; where it is opened in a thread, by what runs it.
    """
    mode, manifest = settled_mode(bundle, mode), bundle.manifest
    check_graphs(manifest, manifest.graphs, where=str(bundle.path))  # shapes are taken from it below
    roles = {Mode.AR: (Role.HR, Role.LR), Mode.HR: (Role.HR,), Mode.LR: (Role.LR,)}[mode]
    backend = checked_options(engines).backend
    with ExitStack() as stack:
        opened = stack.enter_context(engines_in_order(bundle, roles, backend=backend, threads=engines.threads))
        place = engine_class(backend).feature_place
        pipeline: Pipeline
        if mode is Mode.HR:
            pipeline = HrPipeline(manifest, opened, backend=backend)
        elif mode is Mode.LR:
            pipeline = LrPipeline(manifest, opened, open_lr_head(bundle, engines, place), backend=backend)
        else:
            pipeline = ArPipeline(manifest, opened, open_fusion(bundle, engines, place), backend=backend)
        pipeline.any_thread = place is Place.HOST
        stack.pop_all()
    return pipeline
