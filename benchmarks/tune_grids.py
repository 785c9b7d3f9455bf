"""Grids for the search of ``edge-arseg tune`` whose every setting is known, made from recorded tables.

Times of the branches and mIoU by distance are those of `docs/report/bench.json` and
`results/paper_camvid_480x360.json`, larger networks those of `results/bench_cpu.json`. What is lost without motion is
in `results/camvid_compact_ablation.json`, what adaptive and late keyframes change in `results/keyframes_accuracy.json`.
Between their rows it is a model: intervals mix the times of the branches, and every setting lies a little beside that,
always by the same.
"""

import json
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_arseg.tuning.search.limits import front_of
from edge_arseg.tuning.search.setting import Setting
from edge_arseg.tuning.search.space import Space

HERE = Path(__file__).resolve().parents[1]
FLOAT, INT8 = "camvid-compact-360x480", "camvid-compact-360x480-int8"
LONGEST = 30
HALF_THREADS = {"onnxruntime": 1.75, "openvino": 1.62}
"""Time on one of two cores beside both: the kernels' share is not halved."""
RECODE_MS = 1.9
"""Of a frame, at the recode scale 1; it is mostly the area that counts."""


@dataclass(frozen=True)
class Network:
    """What is known of a bundle on a backend.

    Attributes:
        hr_ms: of a keyframe.
        between_ms: of a frame between keyframes, without motion.
        miou: ``[LONGEST]``, per cent by distance.
    """

    hr_ms: float
    between_ms: float
    miou: NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """What a setting comes to: time of a keyframe, of a frame between, and mean in ms; mIoU by distance in per cent."""

    key_ms: float
    between_ms: float
    mean_ms: float
    by_distance: NDArray[np.floating]

    @property
    def miou(self) -> float:
        """Mean over the distances."""
        return float(self.by_distance.mean())

    @property
    def values(self) -> tuple[float, float]:
        """As ``Limits.values`` has them."""
        return -self.miou, self.mean_ms


@dataclass(frozen=True)
class Grid:
    """Settings with what each comes to.

    Attributes:
        name: for the record.
        space: the settings.
        networks: by bundle and backend.
        noise: standard deviation of a timing, a share.
        beside: how far settings lie beside the model: 1 is half a per cent of time, and five hundredths of a point.
    """

    name: str
    space: Space
    networks: dict[tuple[str, str], Network]
    noise: float = 0.02
    beside: float = 1.0

    @cached_property
    def truth(self) -> dict[Setting, Truth]:
        """What every setting comes to."""
        return {setting: self._truth(setting) for setting in self.space.settings}

    @cached_property
    def front(self) -> list[Setting]:
        """Settings that no other is better than in everything."""
        values: list[tuple[float, ...]] = [one.values for one in self.truth.values()]
        return [one for one, on in zip(self.truth, front_of(values), strict=True) if on]

    def _truth(self, setting: Setting) -> Truth:
        network = self.networks[setting.bundle, setting.backend]
        slower = 1.0 if setting.threads is None else HALF_THREADS[setting.backend]
        # the class maps of a setting do not depend on threads, and hardly on the backend
        aside, beside = (self.beside * _beside(setting, what) for what in ("time", "scores"))
        motion = {"codec": 0.5, "recode": 0.5 + RECODE_MS * setting.recode_scale**2, "zero": 0.0}[setting.motion]
        key, between = network.hr_ms * slower, network.between_ms * slower + motion
        count = setting.interval
        lost: NDArray[np.floating] = _without_motion() if setting.motion == "zero" else np.zeros(LONGEST)
        if setting.motion == "recode":
            lost = 1.0 * np.arange(LONGEST) * (0.03 if setting.recode_scale == 1 else 0.07)
        miou: NDArray[np.floating] = np.subtract(network.miou, lost)
        if "adaptive" in setting.keyframes:
            miou = miou + np.interp(np.arange(LONGEST), [0, 6, 12, 24], [0.0, 0.2, 0.4, 0.2])
            between += 0.1
        if "async" in setting.keyframes:  # a keyframe counts two frames later
            miou = np.r_[miou[2:], miou[-1:], miou[-1:]]
            between *= 1.03
        mean = (key + (count - 1) * between) / count  # whatever the policy, as `bench` weights the branches
        return Truth(key * (1 + aside), between * (1 + aside), mean * (1 + aside), miou[:count] + beside)


def grids() -> list[Grid]:
    """Return the grids: the small one of `tune.py`, all usual values, another machine, and networks far apart.

    In the irregular one a setting lies six times as far beside what its parts say: 3 % of time, 0.3 points.
    """
    report = _networks(_load("docs/report/bench.json"))
    mixed = _mixed(report)
    paper = _mixed(_networks(_load("benchmarks/results/paper_camvid_480x360.json"), guessed=True))
    large = dict(report)
    for (name, backend), network in _large().items():
        large[name, backend] = network
    few = {"threads": ("all",), "interval": ("12", "1", "4", "30"), "keyframes": ("fixed",), "recode-scale": ("1",)}
    small = _space(mixed, **few)
    usual = _space(mixed, threads=("all",), keyframes=("fixed", "adaptive"))
    return [
        Grid("small", small, mixed),
        Grid("small, noisy", small, mixed, noise=0.05),
        Grid("usual", usual, mixed),
        Grid("usual, irregular", usual, mixed, beside=6.0),
        Grid("other machine", _space(paper, keyframes=("fixed",)), paper),
        Grid("far apart", _space(large, threads=("all",), keyframes=("fixed",)), large),
    ]


def _space(networks: dict[tuple[str, str], Network], **axes: tuple[str, ...]) -> Space:
    usual = {
        "bundle": tuple(dict.fromkeys(bundle for bundle, _ in networks)),
        "backend": tuple(dict.fromkeys(backend for _, backend in networks)),
        "threads": ("all", "1"),
        "interval": ("12", "1", "4", "6", "20", "30"),
        "keyframes": ("fixed", "async", "adaptive", "adaptive-async"),
        "motion": ("codec", "recode", "zero"),
        "recode-scale": ("1", "0.5"),
    }
    halves = {name: (name.partition("+")[0], name.rpartition("+")[2]) for name in usual["bundle"]}
    return Space(usual | axes, halves=halves)


def _load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((HERE / name).read_text())
    return loaded


def _networks(record: dict[str, Any], *, guessed: bool = False) -> dict[tuple[str, str], Network]:
    """Read the networks of a record of `bench`; a backend that has no row of its own is guessed from the other."""
    runs = {(run["bundle"]["name"], run["settings"]["backend"], run["settings"]["mode"]): run for run in record["runs"]}
    found = {}
    for (bundle, backend, mode), run in runs.items():
        if mode != "ar":
            continue
        hr, ar = runs[bundle, backend, "hr"]["mean_ms"]["value"], run["mean_ms"]["value"]
        between = min((12 * ar - hr) / 11, 0.9 * hr)
        name = backend.removesuffix("-bf16")
        found[bundle, name] = Network(hr, between - 0.5, _longer(run["accuracy"]["by_distance"]))
        if guessed:
            other = "openvino" if name == "onnxruntime" else "onnxruntime"
            found[bundle, other] = Network(0.93 * hr, 0.97 * between - 0.5, found[bundle, name].miou)
    return found


def _longer(by_distance: list[float]) -> NDArray[np.float64]:
    """Go on with the loss of the last distances, slower and slower."""
    known = np.array(by_distance)
    slope = (known[-1] - known[4]) / (len(known) - 5)
    more = np.arange(1, LONGEST - len(known) + 1)
    return np.r_[known, known[-1] + slope * 10 * (1 - np.exp(-more / 10))]


def _mixed(networks: dict[tuple[str, str], Network]) -> dict[tuple[str, str], Network]:
    """Add the mixtures: HR of one with the rest of another."""
    found = dict(networks)
    for hr, rest in ((FLOAT, INT8), (INT8, FLOAT)):
        for backend in ("onnxruntime", "openvino"):
            one, other = networks[hr, backend], networks[rest, backend]
            found[f"{hr}+{rest}", backend] = Network(one.hr_ms, other.between_ms, (one.miou + 2 * other.miou) / 3)
    return found


def _large() -> dict[tuple[str, str], Network]:
    """Larger networks, at the times that were recorded, with more mIoU that lasts as long."""
    values = _load("benchmarks/results/bench_cpu.json")["values"]
    rows = _load("benchmarks/results/camvid_compact_ablation.json")["trainings"]["rows"]
    lasting = _longer(rows["full"]["by_distance"])
    found = {}
    for name, more in (("bise18", 4.5), ("bise18-int8", 4.1)):
        hr, between = values[name]["hr_only_ms"], values[name]["codec"]["between_ms"]
        for backend, share in (("onnxruntime", 1.0), ("openvino", 0.96)):
            found[name, backend] = Network(share * hr, share * between, lasting + more)
    return found


def _without_motion() -> NDArray[np.float64]:
    """Points that are lost by distance without motion, as ablation has them."""
    rows = _load("benchmarks/results/camvid_compact_ablation.json")["trainings"]["rows"]
    lost = np.array(rows["full"]["by_distance"]) - np.array(rows["no-warp"]["by_distance"])
    return np.maximum(_longer(list(lost)), 0.0)


def _beside(setting: Setting, what: str) -> float:
    """How far a setting lies beside the model: half a per cent of time, five hundredths of a point."""
    params = {key: text for key, text in setting.params.items() if what == "time" or key not in ("threads", "backend")}
    drawn = np.random.default_rng(zlib.crc32(json.dumps([what, params]).encode())).normal()
    return float(drawn) * (0.005 if what == "time" else 0.05)
