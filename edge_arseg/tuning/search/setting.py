"""One setting of a run: everything that ``tune`` varies."""

from collections.abc import Mapping
from dataclasses import dataclass

from edge_arseg.errors import ArsegError, OptionError
from edge_arseg.motion.policies.naming import AT_THEIR_FRAME, KEYFRAMES
from edge_arseg.quantity import counted
from edge_arseg.runtime.device.cores import most_at_once
from edge_arseg.runtime.engines.opening import shared_gpu
from edge_arseg.runtime.mode import Mode
from edge_arseg.spec.frame import MotionSource

ALL_THREADS = "all"
MOTIONS = tuple(source.value for source in MotionSource)


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting; two that run alike are equal.

    Attributes:
        bundle: name of one of the bundles that are tried.
        backend: engine library.
        threads: of the engines; ``None``: all cores.
        interval: frames from keyframe to keyframe; 1: HR on every frame.
        keyframes: one of ``KEYFRAMES``.
        motion: ``codec``, ``recode`` or ``zero``.
        recode_scale: where motion is ``recode``, else 1.
    """

    bundle: str
    backend: str
    threads: int | None
    interval: int
    keyframes: str
    motion: str
    recode_scale: float

    @property
    def mode(self) -> Mode:
        """What runs: HR alone where every frame is a keyframe."""
        return Mode.HR if self.interval == 1 else Mode.AR

    @property
    def params(self) -> dict[str, str]:
        """The same as texts by the names of the axes."""
        return {
            "bundle": self.bundle,
            "backend": self.backend,
            "threads": ALL_THREADS if self.threads is None else str(self.threads),
            "interval": str(self.interval),
            "keyframes": self.keyframes,
            "motion": self.motion,
            "recode-scale": f"{self.recode_scale:g}",
        }

    def __str__(self) -> str:
        parts = [self.bundle, f"GOP {self.interval}", self.backend]
        parts += [] if self.threads is None else [counted(self.threads, "thread")]
        parts += [] if self.keyframes == KEYFRAMES[0] else [f"{self.keyframes} keyframes"]
        scaled = f" at {self.recode_scale:g}" if self.recode_scale != 1 else ""
        return ", ".join([*parts, f"motion {self.motion}{scaled}"])


def setting_from_params(params: Mapping[str, str]) -> Setting:
    """Read a setting. What makes no difference gets its usual value.

    Without frames between keyframes the way of keyframes and the motion count for nothing; without recoding its scale;
    with one thread, or on a GPU, whether keyframes are made in the background.

    Args:
        params: a text for each axis, as ``Setting.params`` has it.

    Raises:
        OptionError: a value cannot be: all faults in one message.
    """
    faults = [
        f"{axis}={value}: expected {EXPECTED[axis]}" for axis, value in params.items() if not _can_be(axis, value)
    ]
    if faults:
        raise OptionError("--try " + "; ".join(faults))
    interval, motion, keyframes = int(params["interval"]), params["motion"], params["keyframes"]
    alone = interval == 1
    threads = None if params["threads"] == ALL_THREADS else int(params["threads"])
    motion = "zero" if alone else motion
    if threads == 1 or no_background(params["backend"]):
        keyframes = AT_THEIR_FRAME.get(keyframes, keyframes)
    return Setting(
        bundle=params["bundle"],
        backend=params["backend"],
        threads=threads,
        interval=interval,
        keyframes=KEYFRAMES[0] if alone else keyframes,
        motion=motion,
        recode_scale=float(params["recode-scale"]) if motion == "recode" else 1.0,
    )


def no_background(backend: str) -> str:
    """Return why no keyframes are made in the background on a backend; empty where they are, or it cannot be opened."""
    try:
        return shared_gpu(backend)
    except ArsegError:  # why it cannot run is said where it is tried
        return ""


EXPECTED = {
    "bundle": "names of bundles that were given",
    "backend": "names of engine libraries",
    "threads": f"whole numbers from 1 to {most_at_once()}, or {ALL_THREADS}",
    "interval": "whole numbers from 1",
    "keyframes": ", ".join(KEYFRAMES),
    "motion": ", ".join(MOTIONS),
    "recode-scale": "numbers from 0.1 to 1",
}
"""Axes, in the order that ``Setting`` has them, and what their values can be, in words."""


def _can_be(axis: str, value: str) -> bool:
    try:
        if axis == "interval" or (axis == "threads" and value != ALL_THREADS):
            return 1 <= int(value) <= (most_at_once() if axis == "threads" else int(value))
        if axis == "recode-scale":
            return 0.1 <= float(value) <= 1
    except ValueError:
        return False
    return {"keyframes": value in KEYFRAMES, "motion": value in MOTIONS}.get(axis, bool(value))
