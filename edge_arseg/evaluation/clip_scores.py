"""Scores of a bundle on a labelled clip, through the same flow as ``run``."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from edge_arseg.evaluation.labels.clip import LabelledClip, labelled_clip
from edge_arseg.evaluation.labels.encoding import ClipEncoding, encode_clip
from edge_arseg.evaluation.mode_run import ModeRun, Motion
from edge_arseg.evaluation.modes import checked_modes
from edge_arseg.evaluation.passes import Pass, checked_phases
from edge_arseg.evaluation.scores import Scores, conditions_from_choice
from edge_arseg.motion.keyframe import NO_SCENE_CUT, KeyframePolicy
from edge_arseg.runtime.choice.engine_choice import Choosable, settled
from edge_arseg.runtime.engines.contract import DEFAULT_ENGINES, EngineOptions
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.progress import Counter, Progress, no_progress
from edge_arseg.storage.scratch import scratch_folder
from edge_arseg.video.uri import source_from_uri


@dataclass(frozen=True, slots=True)
class ClipOptions:
    """How a clip is scored.

    Attributes:
        modes: names or members of ``Mode``.
        motion: where vectors come from: ``auto``, ``codec``, ``recode``, ``zero``.
        phases: frames on which the first keyframe is set, each below the interval. For each phase the clip is run
            anew from that frame on. Scored are the frames from the largest phase on, at every phase: so with all
            phases each scored frame is scored once at each distance, and what differs between distances is the
            distance alone.
        limit: use only the first so many frames.
        scene_cut: ``None`` keeps keyframes at fixed distances. A share of the frame, 0 to 1, measures the policy as
            deployed: scene cuts start a GOP early, and phases no longer cover every distance evenly.
        interval: frames from keyframe to keyframe; ``None``: the bundle's GOP.
        encode_bitrate: bits per second; encode the frames anew from each phase on, with a GOP of the interval, so that
            vectors of the stream never end between keyframes. Meant for sources of uncompressed images.
        recode_scale, stream: see ``open_video``.
        optical_flow: TC by optical flow too, which takes some 30 ms a frame.
        engines: what the graphs run on.
    """

    modes: Sequence[Mode | str] = (Mode.AR, Mode.HR, Mode.LR)
    motion: str = "auto"
    phases: Sequence[int] = (0,)
    limit: int | None = None
    scene_cut: float | None = None
    encode_bitrate: int | None = None
    recode_scale: float = 1.0
    stream: int | None = None
    interval: int | None = None
    optical_flow: bool = False
    engines: EngineOptions = DEFAULT_ENGINES


def scores_from_clip(
    bundle: Choosable,
    clip: str | Path,
    labels: str | Path,
    options: ClipOptions = ClipOptions(),
    *,
    progress: Progress = no_progress,
) -> Scores:
    """Score a bundle on a clip with labels, mode by mode.

    Class maps are resized to the size of each label by the nearest pixel, and scored at that resolution.

    HR and LR alone do not depend on keyframes: one run stands for all phases, each frame scored at the distance that
    it has at each phase, unless ``scene_cut`` or ``encode_bitrate`` make the runs differ.

    Args:
        bundle: see ``Segmenter``.
        clip: what ``open_video`` takes, but nothing live.
        labels: folder of index PNGs; ``labels_by_frame`` says how they find their frames.
        options: see ``ClipOptions``.
        progress: see ``Progress``.

    Raises:
        BundleError, BuildError, OptionError, EnvironmentUnfitError: see ``Segmenter``.
        SourceError: the clip cannot be read, or has no motion of the kind asked for.
        DataError: labels that cannot be used: all faults in one message, before the first frame runs.
        SinkError: the encoded clips cannot be written.
    """
    modes = checked_modes(options.modes)
    choice, modes = settled(bundle, modes, (), options.engines)
    manifest = choice.bundle.manifest
    interval = manifest.gop if options.interval is None else options.interval
    phases = checked_phases(options.phases, interval)
    cut = NO_SCENE_CUT if options.scene_cut is None else options.scene_cut
    policy = KeyframePolicy(interval=interval, scene_cut=cut)
    names = tuple(info.name for info in manifest.model.classes)
    labelled = labelled_clip(
        clip, Path(labels), len(names), first_frame=phases[-1], limit=options.limit, stream=options.stream
    )
    encoding = ClipEncoding(options.encode_bitrate, interval) if options.encode_bitrate else None
    found = {}
    with ExitStack() as stack:
        apart: Sequence[Pass] = [Pass(clip, 0, phase, (phase,)) for phase in phases]
        together: Sequence[Pass] = [Pass(clip, 0, phases[0], phases)]
        if encoding is not None:
            folder = stack.enter_context(scratch_folder("eval"))
            apart = _encoded(labelled, folder, encoding, phases, progress)
        one_run_each = encoding is not None or options.scene_cut is not None
        plan = {mode: apart if mode is Mode.AR or one_run_each else together for mode in modes}
        counter = Counter(progress, sum(labelled.frame_count - p.offset for runs in plan.values() for p in runs))
        for mode in modes:
            with Segmenter(choice, mode=mode, policy=policy) as segmenter:
                # What was encoded here has one stream.
                stream = options.stream if encoding is None else None
                motion = Motion(options.motion, options.recode_scale, stream)
                run = ModeRun(
                    segmenter,
                    labelled,
                    phases[-1],
                    motion,
                    counter,
                    mode.value,
                    interval=interval,
                    optical_flow=options.optical_flow,
                )
                for one in plan[mode]:
                    run.follow(one)
                found[mode.value] = run.scores(names)
    conditions = replace(
        conditions_from_choice(choice, source_from_uri(clip).name, labelled.by_frame.values(), limit=options.limit),
        interval=interval,
        phases=phases,
        first_frame=phases[-1],
        scene_cut=options.scene_cut,
        encoding=None if encoding is None else str(encoding),
        recode_scale=options.recode_scale,
    )
    return Scores(manifest.name, choice.bundle.digest, conditions, found)


def _encoded(
    labelled: LabelledClip, folder: Path, encoding: ClipEncoding, phases: Iterable[int], progress: Progress
) -> list[Pass]:
    """Encode the clip once from each phase on."""
    passes = []
    for phase in phases:
        progress(0, 0, f"encoding from frame {phase} on")
        target = folder / f"from{phase:06d}.mp4"
        encode_clip(labelled.clip, target, encoding, first=phase, count=labelled.frame_count, stream=labelled.stream)
        passes.append(Pass(target, phase, 0, (phase,)))
    return passes
