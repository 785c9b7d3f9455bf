"""How fast a bundle runs a source, by mode, branch and stage."""

import resource
from collections import defaultdict
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import islice

from edge_arseg.bench.power import Energy, measured_energy
from edge_arseg.bench.samples import Summary, summary_of
from edge_arseg.errors import OptionError
from edge_arseg.motion.keyframe import KeyframePolicy
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.choice.engine_choice import Choosable, settled
from edge_arseg.runtime.choice.target_engine import other_target
from edge_arseg.runtime.engines.contract import DEFAULT_ENGINES, EngineOptions
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.spec.progress import Announce, no_announcement
from edge_arseg.video.uri import source_from_uri

NETWORKS = ("hr", "lr")
"""Stages that are the branches' engines."""

WARM_UP_FRAMES = 24
"""Frames run before the first that counts; engines have run once already."""


@dataclass(frozen=True, slots=True)
class ModeSpeed:
    """One mode on one source.

    Attributes:
        label: what ran.
        frames: that counted.
        keyframe, between: frame time, from asking for the frame to its class map, by position in the GOP; ``between``
            is ``None`` where every frame is a keyframe.
        stages: by ``key`` and ``between``, then by stage name.
        mean_ms: GOP-weighted: ``(keyframe + (gop - 1) * between) / gop``, of the medians.
        outside_networks: share of that time that is in neither branch's engine: reading, motion, fusion, head; 0 to 1.
        energy: over the frames that counted.
        motion: source of the vectors and why.
    """

    label: str
    frames: int
    keyframe: Summary
    between: Summary | None
    stages: dict[str, dict[str, Summary]]
    mean_ms: float
    outside_networks: float
    energy: Energy
    motion: str


@dataclass(frozen=True, slots=True)
class Speed:
    """A bundle on a source.

    Attributes:
        modes: by mode.
        promised: how many times fewer MACs AR needs than HR-only; ``None`` where the bundle has the HR branch alone.
        realised: how many times faster AR is than HR-only, GOP-weighted; ``None`` where that cannot be told.
        peak_rss_mb: of the process, 10^6 bytes, after all modes.
        no_verdict: why these times do not say whether AR pays; empty where they do.
    """

    modes: dict[str, ModeSpeed]
    promised: float | None
    realised: float | None
    peak_rss_mb: float
    no_verdict: str = ""

    @property
    def verdict(self) -> str:
        """Whether AR pays for this bundle on this machine, in one line."""
        if self.promised is None:
            return "the bundle has the HR branch alone, so there is no AR to compare with"
        if self.no_verdict:
            return f"no verdict: {self.no_verdict}"
        if self.realised is None:
            return "run the modes ar and hr together to see whether AR pays"
        share = self.realised / self.promised
        numbers = (
            f"{self.realised:.2f}x HR-only; its MACs promise {self.promised:.2f}x, {share:.0%} of that is realised"
        )
        if self.realised < 1.05:
            return f"AR does not pay here: {numbers}. Run with --mode hr"
        return f"AR pays: {numbers}"


def speed_of_bundle(
    bundle: Choosable,
    source: str,
    *,
    modes: Sequence[Mode] | None = None,
    frames: int = 120,
    engines: EngineOptions = DEFAULT_ENGINES,
    motion: str = "auto",
    recode_scale: float = 1.0,
    stream: int | None = None,
    progress: Announce = no_announcement,
) -> Speed:
    """Run a source once per mode and time every frame.

    Scene cuts are left out of the policy, so that keyframes come once per GOP. A source that ends is read again.

    Args:
        bundle: see ``Segmenter``.
        source: what ``open_video`` takes.
        modes: to run, one after the other; ``None``: ar and hr, or hr where the bundle has the HR branch alone.
        frames: that count, per mode.
        engines: what the graphs run on; see ``Segmenter``.
        motion, recode_scale, stream: see ``open_video``; modes that use no motion get none.
        progress: called with a line when a mode begins.

    Raises:
        BundleError, BuildError, EnvironmentUnfitError: see ``Segmenter``.
        OptionError: fewer frames than one GOP are asked for, or a mode that the bundle lacks a branch for.
        SourceError: the source cannot be read.
    """
    choice, chosen = settled(bundle, modes or (), (Mode.AR, Mode.HR), engines)
    gop = choice.bundle.manifest.gop
    if frames < gop:
        raise OptionError(f"{frames} frames seen, expected at least one GOP: --frames {gop} or more")
    found: dict[str, ModeSpeed] = {}
    for mode in chosen:
        progress(f"{mode.value}: {frames} frames")
        with Segmenter(choice, mode=mode, policy=KeyframePolicy(gop, 1.0)) as segmenter:
            used = _Motion(motion if segmenter.pipeline.uses_motion else "zero", recode_scale, stream)
            found[mode.value] = _mode_speed(segmenter, source, frames, used, gop)
    no_verdict = no_verdict_reason(choice.bundle, choice.options.backend, source)
    realised = None
    if not source_from_uri(source).live and "ar" in found and "hr" in found:
        realised = found["hr"].mean_ms / found["ar"].mean_ms
    cost = choice.bundle.manifest.cost
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    promised = None if choice.bundle.manifest.hr_only else cost.hr_macs / cost.mean_macs(gop)
    return Speed(found, promised, realised, peak, no_verdict)


def no_verdict_reason(bundle: Bundle, backend: str, source: str) -> str:
    """Say why the times of a run do not tell whether AR pays; empty where they do."""
    if source_from_uri(source).live:
        return (
            "frames of a live source come at its own pace, and the wait for them hides what either mode takes; record "
            "it to a file and time that"
        )
    if other := other_target(bundle, backend):
        return f"{other}; time it on the machine that it was compiled for"
    return ""


def _mode_speed(segmenter: Segmenter, source: str, frames: int, used: "_Motion", gop: int) -> ModeSpeed:
    totals: dict[str, list[float]] = defaultdict(list)
    stages: dict[str, dict[str, list[float]]] = {"key": defaultdict(list), "between": defaultdict(list)}
    results = _endless(segmenter, source, used)
    for _ in range(WARM_UP_FRAMES):
        next(results)
    with measured_energy() as energy:
        for result in islice(results, frames):
            kind = "key" if result.distance == 0 else "between"
            totals[kind].append(sum(result.stages_ms.values()))
            for name, ms in result.stages_ms.items():
                stages[kind][name].append(ms)
    results.close()
    key = summary_of(totals["key"])
    between = summary_of(totals["between"]) if totals["between"] else None
    summaries = {kind: {name: summary_of(ms) for name, ms in by_name.items()} for kind, by_name in stages.items()}
    if between is None:
        mean_ms, inside_ms = key.p50, _networks_ms(summaries["key"])
    else:
        mean_ms = _weighted(key.p50, between.p50, gop)
        inside_ms = _weighted(_networks_ms(summaries["key"]), _networks_ms(summaries["between"]), gop)
    return ModeSpeed(
        segmenter.pipeline.label, frames, key, between, summaries, mean_ms, 1.0 - inside_ms / mean_ms, energy, used.seen
    )


@dataclass
class _Motion:
    """The motion asked for, from which stream, and what the source gave."""

    wanted: str
    recode_scale: float
    stream: int | None
    seen: str = ""


def _endless(segmenter: Segmenter, source: str, motion: _Motion) -> Generator[SegmentedFrame, None, None]:
    """Segment the source again and again."""
    while True:
        with segmenter.open(
            source, motion=motion.wanted, recode_scale=motion.recode_scale, stream=motion.stream
        ) as reader:
            motion.seen = f"{reader.motion_source.value} ({reader.motion_reason})"
            yield from segmenter.segment(reader)


def _networks_ms(stages: dict[str, Summary]) -> float:
    """Return the median time in the branches' engines."""
    return sum(summary.p50 for name, summary in stages.items() if name in NETWORKS)


def _weighted(key: float, between: float, gop: int) -> float:
    return (key + (gop - 1) * between) / gop
