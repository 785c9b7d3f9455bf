"""The most that a machine can compute and move: of a declared board, or measured on this CPU."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from edge_arseg.errors import OptionError
from edge_arseg.spec.manifest import Precision
from edge_arseg.spec.targets.target import Configuration, PowerMode, Target


@dataclass(frozen=True, slots=True)
class MachinePeaks:
    """Peaks of one machine in one state.

    Attributes:
        name: machine, and the power mode.
        macs_per_s: by precision; one that is missing cannot be run.
        bytes_per_s: of memory.
        source: where the numbers come from.
        made: by role (``hr``, ``lr``, ``fuse``), what ``compile`` makes of a float32 graph for this machine; such a
            graph is counted in that precision.
        doubts: what is not certain about all this.
    """

    name: str
    macs_per_s: Mapping[Precision, float]
    bytes_per_s: float
    source: str
    made: Mapping[str, Precision] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()


def peaks_of_target(target: Target, mode: str | None = None) -> MachinePeaks:
    """Return the dense peaks of a board's GPU.

    Clocks that a mode does not cap, and multiprocessors that it does not name, count as the board's most: a bound has
    to hold whatever they are.

    Args:
        target: a board that declares a GPU and its memory.
        mode: name of a power mode; ``None``: the one with the highest GPU clock.

    Raises:
        OptionError: no GPU or memory declared, or no mode of that name.
    """
    if target.gpu is None or target.memory is None:
        raise OptionError(
            f"--predict {target.id}: the target declares no GPU; expected a Jetson board of `edge-arseg targets list`"
        )
    modes = [one for one in target.modes if mode is None or one.name == mode]
    if not modes:
        known = ", ".join(dict.fromkeys(one.name for one in target.modes))
        raise OptionError(f"--power-mode {mode}: {target.id} has no such mode; known: {known}")
    chosen = max(modes, key=lambda one: _clock(target, one) * _sms(target, one))
    sms = _sms(target, chosen)
    peaks = target.peaks(mhz=_clock(target, chosen), sms=sms)
    rates = {
        # From Ampere on libraries may run float32 as TF32, at half the rate of FP16. Engines of `compile` do not, but a
        # bound has to hold for others too.
        Precision.FP32: max(peaks.fp32_tflops, peaks.fp16_tflops / 2 if target.gpu.sm >= 80 else 0.0),
        Precision.FP16: max(peaks.fp16_tflops, peaks.fp32_tflops),
        Precision.INT8: max(peaks.int8_tops, peaks.fp16_tflops, peaks.fp32_tflops),
    }
    bandwidth = target.memory.bandwidth_gbs[chosen.configuration]
    if chosen.emc_mhz is not None:  # two transfers a clock over the whole bus
        bandwidth = min(bandwidth, 2 * chosen.emc_mhz * 1e6 * target.memory.bus_bits / 8 / 1e9)
    about = ("gpu", "memory", "modes")
    doubts = [f"{path}: {text}" for path, text in target.unverified.items() if path.split(".")[0] in about]
    name = f"{target.name}, {chosen.name} ({chosen.configuration.value}), {sms} SMs at {_clock(target, chosen):g} MHz"
    return MachinePeaks(
        name,
        {precision: rate * 1e12 / 2 for precision, rate in rates.items() if rate},
        bandwidth * 1e9,
        f"targets/{target.id}.toml",
        {} if target.precision is None else {role: getattr(target.precision, role) for role in ("hr", "lr", "fuse")},
        tuple(doubts),
    )


def peaks_of_this_cpu(*, seconds: float = 1.0) -> MachinePeaks:
    """Measure float32 GEMM and copying with numpy on all cores: the best of as many tries as fit.

    The best, not the median: a bound has to lie below everything that was seen. Each try is a few milliseconds long, so
    that on a busy machine some are undisturbed.

    Args:
        seconds: for each of the two.
    """
    size = 768
    a = np.random.default_rng(0).random((size, size), dtype=np.float32)
    b, out = a.T.copy(), np.empty_like(a)
    gemm = _best_seconds(lambda: np.matmul(a, b, out=out), seconds)
    words = np.zeros(64 << 20, np.uint8)
    target = np.empty_like(words)
    copying = _best_seconds(lambda: np.copyto(target, words), seconds)
    return MachinePeaks(
        "this CPU", {Precision.FP32: size**3 / gemm}, 2 * words.nbytes / copying, "numpy GEMM and copy, measured here"
    )


def _clock(target: Target, mode: PowerMode) -> float:
    assert target.gpu is not None
    ceiling = target.gpu.max_mhz.get(mode.configuration, target.gpu.max_mhz.get(Configuration.NORMAL, 0.0))
    return mode.gpu_mhz or ceiling


def _sms(target: Target, mode: PowerMode) -> int:
    assert target.gpu is not None
    return mode.sms or target.gpu.sms


def _best_seconds(work: Callable[[], object], seconds: float) -> float:
    work()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best
