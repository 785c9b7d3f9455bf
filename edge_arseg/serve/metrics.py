"""``/metrics`` as Prometheus reads it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from edge_arseg import __version__
from edge_arseg.serve.figures import Figures

CONTENT_TYPE = CONTENT_TYPE_LATEST
_PREFIX = "edge_arseg_"


@dataclass(frozen=True, slots=True)
class Now:
    """What is asked for at each look, besides the figures.

    Attributes:
        areas: share of the picture by class name, 0 to 1.
        viewers: who watch the page.
        watts: that the machine takes; ``None``: not measured.
        facts: texts that say what runs.
    """

    areas: Mapping[str, float]
    viewers: int
    watts: float | None
    facts: Mapping[str, str]


class RunCollector(Collector):
    """Makes the metrics of a run when they are asked for; the run itself spends nothing on them.

    Args:
        figures: where results are counted.
        now: what else there is.
    """

    def __init__(self, figures: Figures, now: Callable[[], Now]) -> None:
        self._figures, self._now = figures, now

    def collect(self) -> Iterator[Metric]:
        """Return all metrics."""
        figures, now = self._figures, self._now()
        live, counts, silent = figures.live, figures.counts, figures.silent_s()
        frames = _counter("frames", "Frames with a class map, by the branch they ran through.", "branch")
        for branch, count in counts.branches.items():
            frames.add_metric([branch], count)
        yield frames
        yield _counter("keyframes", "Keyframes that results were made from.", value=live.keyframes)
        yield _counter("dropped_frames", "Frames of the source without a result.", value=live.dropped)
        yield _counter("late_frames", "Results older than --max-age.", value=live.late)
        stages = _counter("stage_seconds", "Time spent in each stage of the loop.", "stage")
        for stage, seconds in sorted(counts.stages_s.items()):
            stages.add_metric([stage], seconds)
        yield stages
        for name, text, bins in (
            ("latency_seconds", "From the decoded frame to its class map.", counts.latency),
            ("age_seconds", "From the arrival of a live frame to its class map.", counts.age),
        ):
            yield HistogramMetricFamily(_PREFIX + name, text, buckets=bins.cumulated(), sum_value=bins.sum_s)
        yield _gauge("frames_per_second", "Results a second, over the last two seconds.", figures.fps())
        if silent is not None:
            yield _gauge("last_result_age_seconds", "Time since the last result.", silent)
        if counts.warp_error is not None:
            text = "Mean difference of the last frame and its keyframe moved to it, grey levels."
            yield _gauge("warp_error", text, counts.warp_error)
        if now.watts is not None:
            yield _gauge("power_watts", "Power that the machine takes.", now.watts)
        yield _gauge("viewers", "Pages that watch.", now.viewers)
        areas = GaugeMetricFamily(f"{_PREFIX}class_area_ratio", "Share of the picture, 0 to 1.", labels=["class"])
        for name, share in now.areas.items():
            areas.add_metric([name], share)
        yield areas
        facts = {"version": __version__, **now.facts}
        info = GaugeMetricFamily(f"{_PREFIX}run_info", "What runs; always 1.", labels=list(facts))
        info.add_metric(list(facts.values()), 1)
        yield info


def registry_of(figures: Figures, now: Callable[[], Now]) -> CollectorRegistry:
    """Return a registry with the metrics of a run and of its process: memory, CPU time, descriptors."""
    registry = CollectorRegistry()
    registry.register(RunCollector(figures, now))
    ProcessCollector(registry=registry)
    return registry


def text_from_registry(registry: CollectorRegistry) -> bytes:
    """Return all metrics in Prometheus' text format."""
    return generate_latest(registry)


def _counter(name: str, text: str, label: str | None = None, *, value: float | None = None) -> CounterMetricFamily:
    return CounterMetricFamily(_PREFIX + name, text, labels=[label] if label else None, value=value)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(_PREFIX + name, text, value=value)
