"""One run as one row: what tables print, CSV holds and requirements are held against."""

from dataclasses import dataclass, fields

from edge_arseg.bench.records.bench_record import BenchRecord
from edge_arseg.bench.records.run import BenchRun
from edge_arseg.bench.records.summary import Estimate, Summary
from edge_arseg.bench.summaries.percentiles import PERCENTILES, samples_needed

MEASURES = {
    "miou": "mIoU, %",
    "temporal_consistency": "temporal consistency, %",
    "flow_consistency": "TC by optical flow, %",
    "fps": "frames a second",
    "mean_ms": "mean of a frame over a GOP, ms",
    "p50_ms": "p50 of all frames, ms",
    "p99_ms": "p99 of all frames, ms",
    "max_ms": "slowest frame, ms",
    "hr_p50_ms": "p50 of HR frames, ms",
    "hr_p99_ms": "p99 of HR frames, ms",
    "lr_p50_ms": "p50 of LR frames, ms",
    "lr_p99_ms": "p99 of LR frames, ms",
    "age_p99_ms": "p99 of the age of a frame, ms",
    "missed_percent": "frames missed or dropped, %",
    "j_per_frame": "energy of a frame, J",
    "net_j_per_frame": "energy of a frame above idle, J",
    "watts": "power, W",
    "gmacs": "GMACs of a frame, mean over a GOP",
    "peak_mb": "most resident memory, MB",
    "device_mb": "most GPU memory, MB",
    "agreement_percent": "golden pixels with the expected class, %",
}
"""Measure to what it is called: columns of CSV, names of ``--require``."""


@dataclass(frozen=True, slots=True)
class Row:
    """One run; measures are ``None`` where they were not measured.

    Attributes:
        record, run: names; the run's is unique in its record. ``label``: the short name that the page has.
        bundle, digest: that ran.
        mode, backend, precision, loop: see ``RunSettings``; ``threads`` 0: all cores.
        interval: frames from keyframe to keyframe.
        frames: that were measured; ``hr_frames``, ``lr_frames`` of them.
        finished: everything that was planned was measured.
        miou ... agreement_percent: see ``MEASURES``.
    """

    record: str
    run: str
    label: str
    bundle: str
    digest: str
    mode: str
    backend: str
    precision: str
    threads: int
    interval: int
    loop: str
    frames: int
    hr_frames: int
    lr_frames: int
    finished: bool
    miou: float | None
    temporal_consistency: float | None
    flow_consistency: float | None
    fps: float | None
    mean_ms: float | None
    p50_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    hr_p50_ms: float | None
    hr_p99_ms: float | None
    lr_p50_ms: float | None
    lr_p99_ms: float | None
    age_p99_ms: float | None
    missed_percent: float | None
    j_per_frame: float | None
    net_j_per_frame: float | None
    watts: float | None
    gmacs: float | None
    peak_mb: float | None
    device_mb: float | None
    agreement_percent: float | None

    def why_missing(self, measure: str) -> str:
        """Say why a measure is ``None``, for people."""
        if measure in ("age_p99_ms", "missed_percent") and self.loop == "closed":
            return "not measured: it needs frames that come at a rate, --rate of bench"
        kind, _, name = measure.rpartition("_ms")[0].rpartition("_")
        if name in PERCENTILES:
            count = {"hr": self.hr_frames, "lr": self.lr_frames}.get(kind, self.frames)
            needed = samples_needed(PERCENTILES[name])
            return f"a {name} needs {needed} frames of its kind, {count} {'was' if count == 1 else 'were'} measured"
        if measure in ("mean_ms", "fps", "j_per_frame", "net_j_per_frame") and self._branch_missing:
            return "not known: one of the two branches has no frame that counts; time a clip of two GOPs or more"
        if measure in ("miou", "temporal_consistency") and self.miou is None:
            return "not measured: no labels were given to bench"
        if measure == "flow_consistency":
            return "not measured: it needs --labels and --optical-flow of bench"
        return "not measured"

    @property
    def _branch_missing(self) -> bool:
        return self.mode == "ar" and self.interval > 1 and self.frames > 0 and not (self.hr_frames and self.lr_frames)


def row_from_run(record: BenchRecord, run: BenchRun, label: str = "") -> Row:
    """Return the row of a run; ``label`` is its name where it has no shorter one."""
    latency = {name: one.frame for name, one in run.latency.items()}
    whole, hr, lr = latency.get("all"), latency.get("hr"), latency.get("lr")
    accuracy, energy, deadlines = run.accuracy, run.energy, run.deadlines
    return Row(
        record=record.name,
        run=run.name,
        label=label or run.name,
        bundle=run.bundle.name,
        digest=run.bundle.digest,
        mode=run.settings.mode,
        backend=run.settings.backend,
        precision=run.settings.precision,
        threads=run.settings.threads or 0,
        interval=run.settings.interval,
        loop=run.settings.loop,
        frames=whole.count if whole else sum(one.count for one in latency.values()),
        hr_frames=hr.count if hr else 0,
        lr_frames=lr.count if lr else 0,
        finished=run.finished,
        miou=accuracy.miou if accuracy else None,
        temporal_consistency=accuracy.temporal_consistency if accuracy else None,
        flow_consistency=accuracy.flow_consistency if accuracy else None,
        fps=_value(run.fps),
        mean_ms=_value(run.mean_ms),
        p50_ms=_percentile(whole, "p50"),
        p99_ms=_percentile(whole, "p99"),
        max_ms=max((one.max for one in latency.values()), default=None),
        hr_p50_ms=_percentile(hr, "p50"),
        hr_p99_ms=_percentile(hr, "p99"),
        lr_p50_ms=_percentile(lr, "p50"),
        lr_p99_ms=_percentile(lr, "p99"),
        age_p99_ms=_percentile(deadlines.age, "p99") if deadlines else None,
        missed_percent=100 * deadlines.missed_share if deadlines else None,
        j_per_frame=_value(energy.j_per_frame) if energy else None,
        net_j_per_frame=energy.net_j_per_frame if energy else None,
        watts=energy.watts if energy else None,
        gmacs=mean_gmacs(run),
        peak_mb=run.memory.peak_mb,
        device_mb=run.memory.device_mb,
        agreement_percent=None if run.agreement is None else 100 * run.agreement,
    )


def mean_gmacs(run: BenchRun) -> float:
    """Return the GMACs of a frame, mean over a GOP of the run's own interval."""
    facts, between = run.bundle, run.settings.interval - 1
    if run.settings.mode == "hr":
        return facts.hr_macs / 1e9
    if run.settings.mode == "lr":
        return facts.lr_macs / 1e9
    return (facts.hr_macs + between * (facts.lr_macs + facts.fuse_macs)) / (between + 1) / 1e9


ROW_FIELDS = tuple(field.name for field in fields(Row))
"""Columns of CSV, in order."""


def _value(estimate: Estimate | None) -> float | None:
    return None if estimate is None else estimate.value


def _percentile(summary: Summary | None, name: str) -> float | None:
    return None if summary is None else _value(getattr(summary, name))
