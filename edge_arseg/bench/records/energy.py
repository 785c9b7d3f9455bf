"""Energy as a record holds it."""

from dataclasses import dataclass, field

from edge_arseg.bench.records.summary import Estimate


@dataclass(frozen=True, slots=True)
class Channel:
    """One thing that a sensor reads again and again; the samples file has the readings.

    Attributes:
        name: of the sensor and what it reads, like ``hwmon VDD_IN``; unique in the record.
        quantity: ``power`` (W), ``energy`` (J, counted up since the beginning), ``temperature`` (degrees Celsius),
            ``clock`` (MHz), ``throttling`` (1: held back now), ``load`` (cores that other processes used), ``memory``
            (10^6 bytes), ``device memory`` (10^6 bytes), ``cpu`` (seconds of the process, counted up).
        total: it takes part in the board's total power or energy.
    """

    name: str
    quantity: str
    total: bool = False


@dataclass(frozen=True, slots=True)
class EnergySource:
    """Where energy comes from, once for a record.

    Attributes:
        text: the sensor and what makes the total; or ``not measured: `` and why.
        measured: whether there is a total.
        readings: of the total, and ``rate_hz`` how many a second.
        idle_w: power while nothing ran, before the first run and behind the last; ``None``: not measured.
        idle_seconds: how long that was.
    """

    text: str
    measured: bool
    readings: int = 0
    rate_hz: float | None = None
    idle_w: float | None = None
    idle_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RunEnergy:
    """Energy of one run, integrated by trapezoids over its turns.

    Attributes:
        joules, seconds, watts: over all turns: total, with nothing subtracted.
        j_per_frame, j_per_gop: total, with an interval over GOPs.
        net_j_per_frame, net_j_per_gop: with idle power subtracted; ``None`` where that was not measured.
        rails: joules by channel name, of every rail.
        branches: joules of a frame by branch; ``branches_how`` says how they were told apart. Empty where they were
            not.
        missing_s: seconds of the turns in which the sensor gave nothing; they are not in ``seconds``.
    """

    joules: float
    seconds: float
    watts: float
    j_per_frame: Estimate
    j_per_gop: Estimate
    net_j_per_frame: float | None
    net_j_per_gop: float | None
    rails: dict[str, float] = field(default_factory=dict)
    branches: dict[str, float] = field(default_factory=dict)
    branches_how: str = ""
    missing_s: float = 0.0
