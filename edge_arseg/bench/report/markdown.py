"""A speed measurement as Markdown."""

from edge_arseg.bench.samples import Summary
from edge_arseg.bench.speed import ModeSpeed, Speed
from edge_arseg.runtime.bundles.reading import Bundle

STAGES = ("decode", "motion", "hr", "lr", "fuse", "head")
KINDS = {"key": "keyframe", "between": "between"}


def markdown_from_speed(speed: Speed, bundle: Bundle) -> str:
    """Return the verdict, the frame times by mode, the stages, and what they were measured on."""
    manifest = bundle.manifest
    cost, gop = manifest.cost, manifest.gop
    size = f"{manifest.name} ({bundle.digest[:12]}), {manifest.height}x{manifest.width}"
    if manifest.hr_only:
        told = f"{size}, HR branch alone; GMACs {cost.hr_macs / 1e9:.2f} a frame"
    else:
        told = (
            f"{size}, LR {manifest.lr_scale:g}, GOP {gop}; GMACs {cost.hr_macs / 1e9:.2f} keyframe, "
            f"{cost.non_key_macs / 1e9:.2f} between, {cost.mean_macs(gop) / 1e9:.2f} mean"
        )
    lines = [
        f"**{speed.verdict}**",
        "",
        f"{told}; peak RSS {speed.peak_rss_mb:.0f} MB",
        "",
        "| mode | frame | n | mean ms | p50 | p90 | p95 | p99 | max |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for mode in speed.modes.values():
        lines += _frame_rows(mode)
    lines += ["", "| mode | frame | " + " | ".join(STAGES) + " |", "|---|---|" + "---|" * len(STAGES)]
    for name, mode in speed.modes.items():
        for kind, stages in mode.stages.items():
            if stages:
                cells = [f"{stages[stage].p50:.1f}" if stage in stages else "" for stage in STAGES]
                lines.append(f"| {name} | {KINDS[kind]} | " + " | ".join(cells) + " |")
    lines.append("")
    for name, mode in speed.modes.items():
        lines.append(
            f"- {name}: {mode.label}; motion {mode.motion}; {mode.outside_networks:.1%} outside the networks; "
            f"power {_power(mode)}"
        )
    return "\n".join(lines) + "\n"


def _frame_rows(mode: ModeSpeed) -> list[str]:
    name = mode.label.partition(",")[0]
    rows = [_row(name, "keyframe", mode.keyframe)]
    if mode.between is not None:
        rows.append(_row(name, "between", mode.between))
    rows.append(f"| {name} | GOP-weighted | | | {mode.mean_ms:.1f} | | | | |")
    return rows


def _row(mode: str, kind: str, summary: Summary) -> str:
    p99 = "too few" if summary.p99 is None else f"{summary.p99:.1f}"
    return (
        f"| {mode} | {kind} | {summary.count} | {summary.mean:.1f} | {summary.p50:.1f} | {summary.p90:.1f} "
        f"| {summary.p95:.1f} | {p99} | {summary.max:.1f} |"
    )


def _power(mode: ModeSpeed) -> str:
    energy = mode.energy
    if energy.joules is None or energy.watts is None:
        return energy.source
    joules = energy.joules / mode.frames
    return f"{energy.watts:.2f} W, {joules:.3f} J per frame ({energy.source}, {energy.samples} samples)"
