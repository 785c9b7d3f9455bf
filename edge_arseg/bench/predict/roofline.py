"""Lower bound of the time of each branch of a bundle: the roofline.

A graph takes at least its MACs over the most MACs a second, and at least its bytes over the most bytes a second. Bytes
are those that no fusion saves: weights once, inputs and outputs once. Real engines take several times as long; the
bound says what a board cannot do, and what more speed would have to come from.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from edge_arseg.bench.predict.peaks import MachinePeaks
from edge_arseg.errors import OptionError
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.spec.manifest import Precision, Role


@dataclass(frozen=True, slots=True)
class GraphBound:
    """One graph.

    Attributes:
        role: ``hr``, ``lr`` or ``fuse``.
        precision: that it was counted in; a mixed one as the fastest that the machine has.
        macs, nbytes: that it takes at least.
        compute_ms, memory_ms: that these take at least.
    """

    role: str
    precision: Precision
    macs: int
    nbytes: int
    compute_ms: float
    memory_ms: float

    @property
    def ms(self) -> float:
        """The bound."""
        return max(self.compute_ms, self.memory_ms)

    @property
    def bound_by(self) -> str:
        """``compute`` or ``memory``: which takes longer."""
        return "compute" if self.compute_ms >= self.memory_ms else "memory"


@dataclass(frozen=True, slots=True)
class Prediction:
    """A bundle on a machine; every time is a lower bound, every rate an upper one.

    Attributes:
        bundle, digest, gop: what was asked about.
        peaks: of the machine.
        graphs: bounds by role.
    """

    bundle: str
    digest: str
    gop: int
    peaks: MachinePeaks
    graphs: dict[str, GraphBound]

    @property
    def key_ms(self) -> float:
        """A keyframe."""
        return self.graphs["hr"].ms

    @property
    def between_ms(self) -> float | None:
        """A frame between keyframes; ``None`` where the bundle has the HR branch alone."""
        return self.graphs["lr"].ms + self.graphs["fuse"].ms if "lr" in self.graphs else None

    @property
    def mean_ms(self) -> float:
        """GOP-weighted."""
        if self.between_ms is None:
            return self.key_ms
        return (self.key_ms + (self.gop - 1) * self.between_ms) / self.gop


def prediction_of(bundle: Bundle, peaks: MachinePeaks, *, interval: int | None = None) -> Prediction:
    """Predict lower bounds.

    Args:
        bundle: checked.
        peaks: of the machine.
        interval: frames from keyframe to keyframe; ``None``: the bundle's GOP.

    Raises:
        OptionError: the machine cannot run a precision that the bundle has.
    """
    bounds = {bound.role: bound for bound in _bounds(bundle, peaks)}
    return Prediction(bundle.manifest.name, bundle.digest, interval or bundle.manifest.gop, peaks, bounds)


def markdown_from_prediction(prediction: Prediction) -> str:
    """Return the bounds as Markdown, labelled as such on every line that has a number."""
    one = prediction
    lines = [
        f"**Predicted lower bound, not measured: {one.bundle} ({one.digest[:12]}) on {one.peaks.name} takes at least "
        f"{one.mean_ms:.2f} ms a frame at GOP {one.gop}, at most {1000 / one.mean_ms:.0f} fps; HR-only at least "
        f"{one.key_ms:.2f} ms, at most {1000 / one.key_ms:.0f} fps.**",
        "",
        "| graph | precision | GMACs | MB | at least ms: compute | at least ms: memory | bound by |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {g.role} | {g.precision.value} | {g.macs / 1e9:.3f} | {g.nbytes / 1e6:.1f} | {g.compute_ms:.3f} "
        f"| {g.memory_ms:.3f} | {g.bound_by} |"
        for g in one.graphs.values()
    ]
    rates = ", ".join(
        f"{p.value} {2 * rate / 1e12:.2f} {'TOPS' if p is Precision.INT8 else 'TFLOPS'}"
        for p, rate in one.peaks.macs_per_s.items()
    )
    lines += ["", f"Peaks: {rates}, memory {one.peaks.bytes_per_s / 1e9:.0f} GB/s ({one.peaks.source})."]
    lines += [f"Not certain: {doubt}." for doubt in one.peaks.doubts]
    return "\n".join(lines) + "\n"


def _bounds(bundle: Bundle, peaks: MachinePeaks) -> Iterator[GraphBound]:
    manifest = bundle.manifest
    macs = {Role.HR: manifest.cost.hr_macs, Role.LR: manifest.cost.lr_macs, Role.FUSE: manifest.cost.fuse_macs}
    for role, count in macs.items():
        if role is not Role.HR and manifest.hr_only:
            continue
        entry = manifest.graphs[role]
        made = peaks.made.get(role.value, entry.precision) if entry.precision is Precision.FP32 else entry.precision
        precision, rate = _rate(made, peaks)
        outputs = list(entry.outputs.values())
        if manifest.hr_only:
            outputs = [spec for name, spec in entry.outputs.items() if name == "class_map"]
        elif role is Role.FUSE:  # the fused feature need not leave the engine
            outputs = [spec for name, spec in entry.outputs.items() if name != "fused_feature"]
        specs = [*entry.inputs.values(), *outputs]
        share = {Precision.FP16: 0.5, Precision.INT8: 0.5}.get(precision, 1.0)  # features may travel in half
        moved = sum(spec.nbytes * (share if spec.dtype == "float32" else 1.0) for spec in specs)
        weights = bundle.graph_path(role).stat().st_size if role is not Role.FUSE else 0  # fusion has next to none
        if entry.precision is Precision.FP32:
            weights = int(weights * share)
        nbytes = int(moved) + weights
        yield GraphBound(role.value, precision, count, nbytes, 1e3 * count / rate, 1e3 * nbytes / peaks.bytes_per_s)


def _rate(precision: Precision, peaks: MachinePeaks) -> tuple[Precision, float]:
    if precision in peaks.macs_per_s:
        return precision, peaks.macs_per_s[precision]
    if precision.value == "mixed":
        fastest = max(peaks.macs_per_s, key=lambda one: peaks.macs_per_s[one])
        return fastest, peaks.macs_per_s[fastest]
    known = ", ".join(one.value for one in peaks.macs_per_s)
    raise OptionError(f"{peaks.name} has no known peak in {precision.value}; known: {known}")
