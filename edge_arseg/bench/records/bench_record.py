"""The record of one ``bench``: what was measured, on what, and what it came to.

A record is two files: ``NAME.json``, this, and ``NAME.npz``, every sample (``samples``). The JSON is made of the
samples and of what the run said; nothing in it cannot be recomputed. While ``bench`` runs there are ``NAME.json`` with
``state`` "running" and two journals, ``NAME.frames.part`` and ``NAME.sensors.part``, to which samples are appended
every half second. ``record_files.reading`` reads either form. So what was measured before a ``kill -9`` is there, with
``state`` "interrupted".

Revisions: 1 was a plain ``bench.record.Record``; 2 (2026) this.
"""

from dataclasses import dataclass, field

from edge_arseg.bench.conditions import Conditions
from edge_arseg.bench.records.energy import Channel, EnergySource
from edge_arseg.bench.records.published import Published
from edge_arseg.bench.records.run import BenchRun

REVISION = 2


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """The board, as far as it says.

    Attributes:
        target: ``id`` in ``targets/``; ``model``, ``jetpack``, ``l4t``: names; ``gpu``: of desktop GPUs.
        power_mode: name of ``nvpmodel``'s mode; ``governor``: of the CPU's clocks; ``pinned``: the lowest clock allowed
            is the highest (``jetson_clocks``); ``None``: not known.
        container: whether this is one.
    """

    target: str | None = None
    model: str | None = None
    jetpack: str | None = None
    l4t: str | None = None
    gpu: tuple[str, ...] = ()
    power_mode: str | None = None
    governor: str | None = None
    pinned: bool | None = None
    container: bool = False


@dataclass(frozen=True, slots=True)
class BenchSettings:
    """What holds for all runs of a record.

    Attributes:
        source: that was read, without a login or where it lies; ``live``: it comes at its own pace.
        workload: name of its file; ``None``: given by options.
        profile: ``quick``, ``standard`` or ``mlperf``; ``None``: ``frames`` were given.
        seconds: that each run was to be measured; ``frames``: at most, or ``None``.
        turns: that each run was to take.
        matrix: what was varied, by axis.
        labels: name of the labels, where accuracy was scored.
        published: numbers of others that the workload brought along.
    """

    source: str
    live: bool
    workload: str | None
    profile: str | None
    seconds: float | None
    frames: int | None
    turns: int
    matrix: dict[str, tuple[str, ...]] = field(default_factory=dict)
    labels: str | None = None
    published: tuple[Published, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a reader of the numbers has to know.

    Attributes:
        code: one of ``CODES``, for programs.
        text: for people, in one sentence.
        run: index in ``runs``; ``None``: all of them.
        start_s, end_s: when, on the record's clock, where it has a time.
    """

    code: str
    text: str
    run: int | None = None
    start_s: float | None = None
    end_s: float | None = None


CODES = {
    "load": "others used the machine",
    "throttled": "clocks were held back by heat or power",
    "sensor lost": "a sensor stopped answering in mid-run",
    "sensor garbage": "a sensor gave readings that cannot be",
    "stall": "the source came to a stop",
    "unstable": "the warm-up did not settle, or times drifted",
    "few samples": "too few frames for some percentiles",
    "interrupted": "the measurement did not come to its end",
    "unchecked": "a bundle that does not give the right classes here",
    "other target": "engines of another target",
    "fallback": "the engine of the bundle's target was missing",
    "memory": "the machine swapped or was short of memory",
    "failed": "a run of the matrix could not be measured",
}
"""What ``Notice.code`` can be."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether AR pays, for one bundle and one setting of everything but the mode.

    Attributes:
        ar, hr: indices in ``runs``.
        promised: how many times fewer MACs AR needs; ``realised``: how many times faster it is, with its interval over
            GOPs.
        text: in one sentence.
    """

    ar: int
    hr: int
    promised: float
    realised: float
    text: str


@dataclass(frozen=True, slots=True)
class BenchRecord:
    """See the module.

    Attributes:
        revision: of the format.
        name: made of the conditions: bundle, modes, backend, precision, board; also of the files.
        state: ``running``, ``finished`` or ``interrupted``.
        taken: when it began, UTC, ISO 8601. All times in the record are seconds since then, on a monotonic clock.
        seconds: that it took.
        conditions, board, settings: what it was taken on.
        runs: in the order of their first turns; an index into this is what frames and notices carry.
        channels: what the sensors read; an index into this is what readings carry.
        energy: where it comes from.
        verdicts, notices: for people.
        no_verdict: why these times do not say whether AR pays; empty where they do.
        samples: file name of the samples, beside this one.
    """

    revision: int
    name: str
    state: str
    taken: str
    seconds: float
    conditions: Conditions
    board: BoardFacts
    settings: BenchSettings
    runs: tuple[BenchRun, ...]
    channels: tuple[Channel, ...]
    energy: EnergySource
    verdicts: tuple[Verdict, ...] = ()
    notices: tuple[Notice, ...] = ()
    no_verdict: str = ""
    samples: str = ""
