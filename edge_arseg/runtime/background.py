"""AR-Seg whose keyframes are made beside the frames that follow them, so that no frame takes longer than the others."""

import logging
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.device.cores import usable_cores
from edge_arseg.runtime.engines.contract import EngineOptions, checked_options
from edge_arseg.runtime.engines.opening import Engines, engine_class, engines_in_order, shared_gpu
from edge_arseg.runtime.fusion.contract import Fusion
from edge_arseg.runtime.fusion.opening import open_fusion
from edge_arseg.runtime.mode import Mode, settled_mode
from edge_arseg.runtime.pipeline import ONNX_RUNTIME, ArPipeline, Pipeline, open_pipeline
from edge_arseg.runtime.stages import StageClock
from edge_arseg.spec import tensor as names
from edge_arseg.spec.graph_contract import check_graphs
from edge_arseg.spec.manifest import Manifest, Role

_log = logging.getLogger(__name__)


class BackgroundKeyPipeline(ArPipeline):
    """``ArPipeline`` with a HR engine of its own thread; features are arrays of the host.

    The HR engine overwrites its outputs while the keyframe before is still in use, so features are kept in two arrays
    in turn.

    Args:
        manifest: of the bundle.
        engines: of both branches.
        fusion: of their features.
        backend: for the label.
        beside: runs HR passes, one at a time and in order. It is shut down with the pipeline.
    """

    def __init__(self, manifest: Manifest, engines: Engines, fusion: Fusion, *, backend: str, beside: Executor):
        super().__init__(manifest, engines, fusion, backend=backend)
        self.label += ", keyframes in the background"
        self._beside = beside
        feature = self._hr.outputs[names.FEATURE]
        self._rgb = np.empty((manifest.height, manifest.width, 3), np.uint8)
        self._in_use, self._next = (np.empty(feature.shape, feature.dtype) for _ in range(2))
        self._class_map = np.empty((manifest.height, manifest.width), np.uint8)
        self._under_way: Future[None] | None = None

    def key(self, rgb: NDArray[np.uint8], clock: StageClock) -> NDArray[np.uint8]:
        """See ``Pipeline``; a pass that is under way is waited for, and its result is not used."""
        with clock.stage("hr"):
            self._await()
            outputs = self._hr.run({names.FRAME: rgb})
            np.copyto(self._in_use, outputs[names.FEATURE])
        self._key_feature = self._in_use
        self._fusion.new_key()
        class_map: NDArray[np.uint8] = outputs[names.CLASS_MAP]
        return class_map

    def begin_key(self, rgb: NDArray[np.uint8]) -> bool:
        """See ``Pipeline``."""
        self._await()
        np.copyto(self._rgb, rgb)
        self._under_way = self._beside.submit(self._pass)
        return True

    def key_come(self) -> NDArray[np.uint8] | None:
        """See ``Pipeline``."""
        if self._under_way is None or not self._under_way.done():
            return None
        self._under_way.result()
        self._under_way = None
        self._in_use, self._next = self._next, self._in_use
        self._key_feature = self._in_use
        self._fusion.new_key()
        return self._class_map

    def twin(self) -> "BackgroundKeyPipeline":
        """See ``Pipeline``; keyframes of each stream are made in a thread of its own."""
        with ExitStack() as stack:
            engines = stack.enter_context(self._engines.twin())
            fusion = stack.enter_context(self._fusion.twin())
            beside = ThreadPoolExecutor(1, "keyframes")
            twin = BackgroundKeyPipeline(self.manifest, engines, fusion, backend=self._backend, beside=beside)
            stack.pop_all()
        return twin

    def close(self) -> None:
        """See ``Pipeline``."""
        self._beside.shutdown()
        super().close()

    def _pass(self) -> None:
        outputs = self._hr.run({names.FRAME: self._rgb})
        np.copyto(self._next, outputs[names.FEATURE])
        np.copyto(self._class_map, outputs[names.CLASS_MAP])

    def _await(self) -> None:
        if self._under_way is not None:
            wait([self._under_way])
            with suppress(Exception):  # a fault shows again at the next pass
                self._under_way.result()
            self._under_way = None


def open_background_pipeline(
    bundle: Bundle, mode: Mode | None = None, engines: EngineOptions = ONNX_RUNTIME
) -> Pipeline:
    """Open mode ``ar`` with keyframes in the background: a part of the cores for them, the others for all else.

    Other modes have no keyframes, and are opened as ever. Where there is no core for them, keyframes are made at their
    frame, and the log says why: on one core both would wait for each other, and the engines of a GPU take turns.

    Args:
        bundle: checked.
        mode: as for ``open_pipeline``.
        engines: as for ``open_pipeline``; ``threads`` are shared out, at least one to each side.

    Raises:
        OptionError, EnvironmentUnfitError, BundleError, BuildError: see ``open_pipeline``.
    """
    cores = checked_options(engines).threads or usable_cores()
    place = engine_class(engines.backend).feature_place
    mode, reason = settled_mode(bundle, mode), None
    if mode is not Mode.AR:
        return open_pipeline(bundle, mode, engines)
    if shared := shared_gpu(engines.backend):
        reason = shared
    elif cores < 2:
        reason = "there is one core"
    if reason is not None:
        _log.warning("keyframes are made at their frame and not in the background: %s", reason)
        return open_pipeline(bundle, mode, engines)
    beside = max(1, cores // 2)
    ours = replace(engines, threads=cores - beside)
    manifest, backend = bundle.manifest, engines.backend
    check_graphs(manifest, manifest.graphs, where=str(bundle.path))
    with ExitStack() as stack:
        opened = stack.enter_context(engines_in_order(bundle, (Role.HR,), backend=backend, threads=beside))
        opened.update(engines_in_order(bundle, (Role.LR,), backend=backend, threads=ours.threads))
        fusion = stack.enter_context(open_fusion(bundle, ours, place))
        thread = ThreadPoolExecutor(1, "keyframes")
        pipeline = BackgroundKeyPipeline(manifest, opened, fusion, backend=backend, beside=thread)
        stack.pop_all()
    return pipeline
