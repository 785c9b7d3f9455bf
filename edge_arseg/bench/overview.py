"""A record in a few lines of Markdown: what ``bench`` prints. ``report`` has the whole page."""

from edge_arseg.bench.records.bench_record import BenchRecord
from edge_arseg.bench.records.run import BenchRun
from edge_arseg.bench.records.summary import Estimate
from edge_arseg.bench.summaries.latency import missing_branch
from edge_arseg.quantity import counted

STAGES = ("decode", "motion", "hr", "lr", "fuse", "head")
BESIDE = ("read", "recode")


def overview_of(record: BenchRecord) -> str:
    """Return verdicts, the runs by branch, their stages, energy, accuracy, and what to beware of."""
    bundles = {run.bundle.digest: run.bundle for run in record.runs}
    lines = [f"**{verdict.text}**" for verdict in record.verdicts] or [f"**{_no_verdict(record)}**"]
    for bundle in bundles.values():
        lines += [
            "",
            f"{bundle.name} ({bundle.digest[:12]}), {bundle.height}x{bundle.width}; {_cost(record, bundle.digest)}",
        ]
    lines += [
        "",
        "| run | frame | n | mean ms | p50 | p90 | p95 | p99 | max |",
        "|---|---|---|---|---|---|---|---|---|",
        *(row for run in record.runs for row in _rows(run)),
        "",
        "| run | frame | " + " | ".join(STAGES) + " | " + " | ".join(f"CPU: {name}" for name in BESIDE) + " |",
        "|---|---|" + "---|" * (len(STAGES) + len(BESIDE)),
        *(row for run in record.runs for row in _stages(run)),
        "",
        *(f"- {run.name}: {_told(run)}" for run in record.runs),
        f"- power: {_power(record)}",
        *(f"- warning: {notice.text}" for notice in record.notices),
    ]
    return "\n".join(lines) + "\n"


def _no_verdict(record: BenchRecord) -> str:
    if record.no_verdict:
        return f"no verdict: {record.no_verdict}"
    if all(run.bundle.hr_only for run in record.runs):
        return "the bundle has the HR branch alone, so there is no AR to compare with"
    for run in record.runs:
        if branch := missing_branch(run.settings, run.latency):
            return f"no verdict: {run.name} has no {branch} frame that counts; time a clip of two GOPs or more"
    return "run the modes ar and hr together, in a closed loop, to see whether AR pays"


def _cost(record: BenchRecord, digest: str) -> str:
    run = next(run for run in record.runs if run.bundle.digest == digest)
    bundle, interval = run.bundle, run.settings.interval
    if bundle.hr_only:
        return f"HR branch alone, {bundle.hr_macs / 1e9:.2f} GMACs a frame"
    between = bundle.lr_macs + bundle.fuse_macs
    mean = (bundle.hr_macs + (interval - 1) * between) / interval
    return (
        f"LR {bundle.lr_scale:g}, GOP {interval}; GMACs {bundle.hr_macs / 1e9:.2f} keyframe, "
        f"{between / 1e9:.2f} between, {mean / 1e9:.2f} mean"
    )


def _rows(run: BenchRun) -> list[str]:
    rows = []
    for branch in ("hr", "lr"):
        if branch in run.latency:
            one = run.latency[branch].frame
            cells = [_ms(one.mean), *(_ms(value) for value in (one.p50, one.p90, one.p95, one.p99)), f"{one.max:.1f}"]
            rows.append(f"| {run.name} | {branch} | {one.count} | " + " | ".join(cells) + " |")
    if run.mean_ms is not None and len(rows) > 1:
        rows.append(f"| {run.name} | GOP-weighted | | {_ms(run.mean_ms)} | | | | | |")
    return rows


def _stages(run: BenchRun) -> list[str]:
    rows = []
    for branch in ("hr", "lr"):
        if branch in run.latency:
            one = run.latency[branch]
            cells = [f"{one.stages[name].mean.value:.1f}" if name in one.stages else "" for name in STAGES]
            cells += [f"{one.cpu[name].mean.value:.1f}" if name in one.cpu else "" for name in BESIDE]
            rows.append(f"| {run.name} | {branch} | " + " | ".join(cells) + " |")
    return rows


def _told(run: BenchRun) -> str:
    parts = [run.label or "not measured"]
    if run.motion_used:
        parts.append(f"motion {run.motion_used}")
    if run.fps is not None:
        parts.append(f"{run.fps.value:.1f} fps")
    if run.outside_networks is not None:
        parts.append(f"{run.outside_networks:.1%} outside the networks")
    if run.cores_used is not None:
        parts.append(f"{run.cores_used:.1f} cores used")
    if run.deadlines is not None:
        late = run.deadlines
        parts.append(
            f"{late.missed_share:.1%} of {counted(late.due, 'frame')} late or dropped ({late.dropped} dropped), "
            f"age {_ms(late.age.p50)} ms p50, {_ms(late.age.p99)} ms p99"
        )
    if run.energy is not None:
        energy = run.energy
        net = "" if energy.net_j_per_frame is None else f", {energy.net_j_per_frame:.3f} J above idle"
        parts.append(f"{energy.watts:.2f} W, {energy.j_per_frame.value:.3f} J a frame{net}")
    if run.memory.peak_mb is not None:
        parts.append(f"peak RSS {run.memory.peak_mb:.0f} MB")
    if run.accuracy is not None and run.accuracy.miou is not None:
        parts.append(
            f"mIoU {run.accuracy.miou:.2f} on {counted(run.accuracy.frames, 'label')} of {run.accuracy.source}"
        )
    return "; ".join(parts)


def _power(record: BenchRecord) -> str:
    energy = record.energy
    if not energy.measured:
        return energy.text
    rate = "" if energy.rate_hz is None else f", {counted(round(energy.rate_hz), 'reading')} a second"
    idle = (
        "idle not measured" if energy.idle_w is None else f"idle {energy.idle_w:.2f} W over {energy.idle_seconds:.0f} s"
    )
    return f"{energy.text}{rate}; {idle}"


def _ms(value: Estimate | None) -> str:
    if value is None:
        return "too few"
    if value.low is None or value.high is None:
        return f"{value.value:.1f}"
    return f"{value.value:.1f} ({value.low:.1f} to {value.high:.1f})"
