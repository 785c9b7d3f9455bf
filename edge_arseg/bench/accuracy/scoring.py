"""Scores the runs of a record on a labelled clip: every bundle and setting once, all its modes together."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edge_arseg.bench.accuracy.joined import accuracy_of
from edge_arseg.bench.plans.options import BenchOptions
from edge_arseg.bench.plans.plan import PlannedRun, facts_of
from edge_arseg.bench.records.accuracy import Accuracy
from edge_arseg.evaluation.clip_scores import ClipOptions, scores_from_clip
from edge_arseg.evaluation.labels.encoding import bitrate_from_text
from edge_arseg.evaluation.passes import phases_from_text
from edge_arseg.evaluation.scores import json_from_scores
from edge_arseg.spec.progress import Progress, no_progress


def accuracies_of_runs(
    runs: Sequence[PlannedRun], options: BenchOptions, labels: Path, *, progress: Progress = no_progress
) -> dict[int, Accuracy]:
    """Score runs.

    Whether frames come at a camera's rate makes no difference to a class map, so it is not scored apart.

    Args:
        runs: that are timed.
        options: clip, phases, encoding.
        labels: folder of index PNGs.
        progress: see ``Progress``.

    Returns:
        Accuracy by place in ``runs``.

    Raises:
        ArsegError: see ``scores_from_clip``.
    """
    alike: dict[object, list[int]] = {}
    for number, run in enumerate(runs):
        bare = replace(run.settings, mode="", fusion="", loop="", rate=None, deadline_ms=None)
        alike.setdefault((run.choice.bundle.digest, bare), []).append(number)
    found: dict[int, Accuracy] = {}
    for numbers in alike.values():
        first = runs[numbers[0]]
        settings = first.settings
        clip_options = ClipOptions(
            modes=tuple(dict.fromkeys(runs[number].settings.mode for number in numbers)),
            motion=settings.motion,
            phases=phases_from_text(options.phases, settings.interval),
            interval=settings.interval,
            recode_scale=settings.recode_scale,
            stream=settings.stream,
            optical_flow=options.optical_flow,
            encode_bitrate=None if options.encode is None else bitrate_from_text(options.encode),
        )
        scores = json_from_scores(
            scores_from_clip(first.choice, options.clip or options.source, labels, clip_options, progress=progress)
        )
        for number in numbers:
            run = runs[number]
            facts, settings = facts_of(run.choice.bundle), run.settings
            found[number] = accuracy_of(scores, settings.mode, facts, interval=settings.interval, where="the scores")
    return found
