"""Ranges of activations, gathered by running the device flow on clips."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import onnx

from edge_arseg.compiler.quantize.calibrate.means import ChannelMean
from edge_arseg.compiler.quantize.calibrate.observed import BUDGET, ObservedGraph, Take
from edge_arseg.compiler.quantize.calibrate.ranges import Histogram, Ranges, range_from_histogram
from edge_arseg.compiler.quantize.calibrate.selection import Selection, check_seen, selections_from_recipe
from edge_arseg.compiler.quantize.rules.biases import CORRECTED, Means
from edge_arseg.compiler.quantize.rules.layers import Layers, layers_from_graph, observed_tensors
from edge_arseg.compiler.quantize.rules.preparation import prepared_graph
from edge_arseg.errors import ExportError, OptionError, SourceError
from edge_arseg.motion.keyframe import KeyframePolicy
from edge_arseg.quantity import counted
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.pipeline import Pipeline
from edge_arseg.runtime.segment import segment
from edge_arseg.runtime.stages import StageClock
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Manifest, Role
from edge_arseg.spec.progress import Announce, no_announcement
from edge_arseg.spec.recipe import DATA, CalibrationClip, Recipe
from edge_arseg.storage.url import label_of
from edge_arseg.video.presence import refuse_missing
from edge_arseg.video.reader import open_video
from edge_arseg.video.uri import source_from_uri

ROLES = (Role.HR, Role.LR, Role.FUSE)
RESULTS = {Role.HR: (names.FEATURE,), Role.LR: (names.LR_FEATURE,), Role.FUSE: ()}
SAMPLES = 4
"""Frames that are kept, to compare layers on."""

READ_AHEAD = 1
"""Frames that are read while one is calibrated on."""


@dataclass(frozen=True, slots=True)
class PreparedBranch:
    """A graph ready to be quantized.

    Attributes:
        model: float32, prepared.
        layers: what may be quantized in it.
    """

    model: onnx.ModelProto
    layers: Layers

    def weights(self) -> dict[str, str]:
        """Return the name of the weights by the name of the layer that has them."""
        return {node.name: node.input[1] for node in self.model.graph.node if node.name in self.layers.weighted}

    def read_by_convolutions(self) -> set[str]:
        """Return the names of the activations that convolutions with weights read."""
        nodes = [node for node in self.model.graph.node if node.name in self.layers.weighted]
        return {node.input[0] for node in nodes if node.op_type == CORRECTED}


@dataclass(frozen=True, slots=True)
class SeenClip:
    """What was looked at of one clip.

    Attributes:
        source: as in the recipe.
        by_distance: number of frames by distance from the keyframe.
        sha256: of the pixels and flows of those frames at the bundle's size.
    """

    source: str
    by_distance: Mapping[int, int]
    sha256: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """What calibration found.

    Attributes:
        branches: the prepared graphs by role.
        ranges: of the activations of each of them.
        means: of what the convolutions of each of them read.
        clips: what was looked at.
        samples: a few of the frames, ``[H, W, 3] uint8``.
    """

    branches: Mapping[Role, PreparedBranch]
    ranges: Mapping[Role, Ranges]
    means: Mapping[Role, Means]
    clips: tuple[SeenClip, ...]
    samples: tuple[np.ndarray, ...]


def prepared_branches(bundle: Bundle, roles: Sequence[Role] = ROLES) -> dict[Role, PreparedBranch]:
    """Prepare the graphs of ``roles``, of ``hr``, ``lr`` and ``fuse``."""
    return {role: _prepared(bundle, role) for role in ROLES if role in roles}


def ranges_from_clips(
    bundle: Bundle,
    recipe: Recipe,
    branches: Mapping[Role, PreparedBranch],
    *,
    data: Path | None = None,
    threads: int | None = None,
    budget: int = BUDGET,
    progress: Announce = no_announcement,
) -> Calibration:
    """Run the recipe's clips through the device flow and take the range of every activation, and means by channel.

    The flow is that of ``run``: same reader, same fit, same motion, same loop. HR sees keyframes, and LR the frames
    between. The fusion gets the keyframe's feature, the flow and the LR feature that belong together. The graphs show
    their activations, which go into histograms and are forgotten: memory does not grow with the number of frames.

    Args:
        bundle: float32.
        recipe: which frames, and how.
        branches: whose ranges are wanted; see ``prepared_branches``.
        data: folder that ``{data}`` stands for.
        threads: of the graphs.
        budget: bytes of activations held at once.
        progress: called with a line when a clip begins.

    Raises:
        OptionError: the recipe asks for more frames than there are, or needs ``data``.
        SourceError: a clip cannot be read, or is shorter than the recipe says.
        ExportError: an activation is not finite.
    """
    selections = selections_from_recipe(recipe, bundle.manifest.gop)
    check_seen(selections, recipe.name, tuple(branches))
    sources = [source_from_clip(clip, data) for clip in recipe.clips]
    for source in sources:  # the last one too is looked for before the first one runs
        refuse_missing(source_from_uri(source))
    watchers = _watchers(bundle, branches, threads, budget)
    chosen = _sample_indices(sum(len(selection.observed) for selection in selections))
    seen: list[SeenClip] = []
    samples: list[np.ndarray] = []
    number = 0
    for selection, source in zip(selections, sources, strict=True):
        progress(f"calibrating on {label_of(selection.clip.source)}")
        flow = _CalibrationPipeline(bundle.manifest, selection, watchers)
        for frame in _observed_frames(selection, source, flow):
            if number in chosen:
                samples.append(frame)
            number += 1
        seen.append(SeenClip(label_of(selection.clip.source), selection.by_distance(), flow.digest.hexdigest()))
    return Calibration(
        branches,
        {role: {n: range_from_histogram(h, recipe) for n, h in watchers[role].histograms.items()} for role in branches},
        {role: {n: seen.mean() for n, seen in watchers[role].means.items()} for role in branches},
        tuple(seen),
        tuple(samples),
    )


def source_from_clip(clip: CalibrationClip, data: Path | None) -> str:
    """Return the source of a clip with ``{data}`` filled in.

    Raises:
        OptionError: ``{data}`` is there, and no folder was given.
    """
    if DATA in clip.source and data is None:
        raise OptionError(f"{label_of(clip.source)}: the recipe needs a folder; type --data DIR")
    return clip.source.replace(DATA, str(data))


class _Watcher:
    """One graph with the histograms of its activations; a graph that is only run has none."""

    def __init__(
        self, graph: ObservedGraph, tensors: Sequence[str], read_by_convolutions: Collection[str], role: Role
    ) -> None:
        self.graph, self.role = graph, role
        self.histograms = {name: Histogram() for name in tensors}
        self.means = {name: ChannelMean() for name in tensors if name in read_by_convolutions}

    def run(self, feeds: Mapping[str, np.ndarray], *, observed: bool) -> dict[str, np.ndarray]:
        take: Take | None = self._take if observed and self.histograms else None
        return self.graph.run(feeds, take)

    def _take(self, name: str, values: np.ndarray) -> None:
        try:
            self.histograms[name].add(values)
            if name in self.means:
                self.means[name].add(values)
        except ValueError as error:
            raise ExportError(
                f"{self.role.value}: {error} in {name!r}; the float graph overflows on this clip, or its weights are "
                "damaged: check the bundle with `edge-arseg verify`"
            ) from error


class _CalibrationPipeline(Pipeline):
    """Looks at the frames of a selection; the others only keep the motion going.

    Attributes:
        digest: of what was looked at.
        observed: whether the last frame was looked at.
    """

    uses_motion = True

    def __init__(self, manifest: Manifest, selection: Selection, watchers: Mapping[Role, _Watcher]) -> None:
        super().__init__(manifest, "calibration")
        self._selection, self._watchers = selection, watchers
        self._index = -1
        self._key_feature: np.ndarray | None = None
        self.digest = hashlib.sha256()
        self.observed = False

    def key(self, rgb: np.ndarray, clock: StageClock) -> np.ndarray:
        """See ``Pipeline``."""
        self._step(rgb)
        if self._selection.needs_key(self._index) and (hr := self._watchers.get(Role.HR)):
            self._key_feature = hr.run({names.FRAME: rgb}, observed=self.observed)[names.FEATURE]
        if self.observed and self._selection.clip.stills and (lr := self._watchers.get(Role.LR)):
            lr.run({names.FRAME: rgb}, observed=True)
        return _NO_MAP

    def between(self, rgb: np.ndarray, flow: np.ndarray, clock: StageClock) -> np.ndarray:
        """See ``Pipeline``."""
        self._step(rgb)
        if not self.observed:
            return _NO_MAP
        self.digest.update(flow.tobytes())
        if lr := self._watchers.get(Role.LR):
            lr_feature = lr.run({names.FRAME: rgb}, observed=True)[names.LR_FEATURE]
            if fuse := self._watchers.get(Role.FUSE):
                assert self._key_feature is not None
                feeds = {names.KEY_FEATURE: self._key_feature, names.FLOW: flow, names.LR_FEATURE: lr_feature}
                fuse.run(feeds, observed=True)
        return _NO_MAP

    def _step(self, rgb: np.ndarray) -> None:
        self._index += 1
        self.observed = self._index in self._selection.observed
        if self.observed:
            self.digest.update(rgb.tobytes())


_NO_MAP = np.zeros((1, 1), np.uint8)


def _prepared(bundle: Bundle, role: Role) -> PreparedBranch:
    model = prepared_graph(onnx.load(bundle.graph_path(role)))
    return PreparedBranch(model, layers_from_graph(model, role))


def _watchers(
    bundle: Bundle, branches: Mapping[Role, PreparedBranch], threads: int | None, budget: int
) -> dict[Role, _Watcher]:
    """Open the graphs: those that are watched, and for ``fuse`` those that feed it."""
    feeding = ROLES if Role.FUSE in branches else tuple(branches)
    watchers = {}
    for role in feeding:
        branch = branches.get(role)
        tensors = observed_tensors(branch.model, branch.layers) if branch else []
        model = branch.model if branch else onnx.load(bundle.graph_path(role))
        graph = ObservedGraph(model, tensors, RESULTS[role], threads=threads, budget=budget)
        watchers[role] = _Watcher(graph, tensors, branch.read_by_convolutions() if branch else (), role)
    return watchers


def _observed_frames(selection: Selection, source: str, flow: _CalibrationPipeline) -> Iterator[np.ndarray]:
    """Run the clip through the loop, and yield a copy of each frame that was looked at."""
    policy = KeyframePolicy(interval=selection.interval, scene_cut=1.0)
    size, fit = (flow.manifest.height, flow.manifest.width), flow.manifest.fit
    seen = 0
    with open_video(source, motion=selection.clip.motion, size=size, fit=fit, ahead=READ_AHEAD) as reader:
        for result in segment(islice(reader, selection.clip.frames), flow, policy):
            seen += 1
            if flow.observed:
                yield result.frame.rgb.copy()
    if seen < selection.clip.frames:
        raise SourceError(
            f"{label_of(selection.clip.source)}: {counted(seen, 'frame')} seen, the recipe reads "
            f"{selection.clip.frames}"
        )


def _sample_indices(count: int) -> set[int]:
    """Indices of ``SAMPLES`` of ``count`` frames, evenly spread."""
    return {int(index) for index in np.linspace(0, count - 1, min(SAMPLES, count)).round()}
