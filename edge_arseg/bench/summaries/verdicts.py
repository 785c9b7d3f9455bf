"""Whether AR pays: each AR run against the HR run beside it."""

from collections.abc import Sequence
from dataclasses import replace

from edge_arseg.bench.records.bench_record import Verdict
from edge_arseg.bench.records.run import BenchRun, BundleFacts, RunSettings

PAYS = 1.05
"""Times as fast as HR-only, from which AR is worth its keyframes."""


def verdicts_of(runs: Sequence[BenchRun], no_verdict: str) -> tuple[Verdict, ...]:
    """Return one for each AR run that has an HR run with the same bundle and settings beside it."""
    found = []
    for number, run in enumerate(runs):
        if no_verdict or run.settings.mode != "ar" or run.settings.loop != "closed" or run.mean_ms is None:
            continue
        for other, hr in enumerate(runs):
            if hr.mean_ms is not None and hr_beside(run, hr):
                promised = promised_of(run.bundle, run.settings.interval)
                realised = hr.mean_ms.value / run.mean_ms.value
                found.append(Verdict(number, other, promised, realised, _text(run, promised, realised)))
                break
    return tuple(found)


def promised_of(bundle: BundleFacts, interval: int) -> float:
    """Return how many times fewer MACs AR needs than HR-only at a keyframe interval."""
    between = bundle.lr_macs + bundle.fuse_macs
    return bundle.hr_macs * interval / (bundle.hr_macs + (interval - 1) * between)


def _text(run: BenchRun, promised: float, realised: float) -> str:
    numbers = (
        f"{realised:.2f}x HR-only; its MACs promise {promised:.2f}x, {realised / promised:.0%} of that is realised"
    )
    if realised < PAYS:
        return f"AR does not pay here ({run.name}): {numbers}. Run with --mode hr"
    return f"AR pays ({run.name}): {numbers}"


def hr_beside(ar: BenchRun, hr: BenchRun) -> bool:
    """Whether nothing differs but the mode, and what HR-only has no use for."""
    return (
        hr.settings.mode == "hr" and ar.bundle.digest == hr.bundle.digest and _bare(ar.settings) == _bare(hr.settings)
    )


def _bare(settings: RunSettings) -> RunSettings:
    return replace(settings, mode="", fusion="", motion="", recode_scale=1.0)
