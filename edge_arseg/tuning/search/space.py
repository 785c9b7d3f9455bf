"""The settings that can be tried: axes, their values, and what narrows them."""

import itertools
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec

from edge_arseg.errors import OptionError
from edge_arseg.motion.policies.naming import AT_THEIR_FRAME
from edge_arseg.quantity import counted
from edge_arseg.runtime.choice.engine_choice import CANDIDATES
from edge_arseg.runtime.device.cores import usable_cores
from edge_arseg.runtime.engines.opening import BACKENDS, packages_of_backend
from edge_arseg.suggestion import did_you_mean
from edge_arseg.tuning.search.setting import (
    ALL_THREADS,
    EXPECTED,
    KEYFRAMES,
    Setting,
    no_background,
    setting_from_params,
)

_log = logging.getLogger(__name__)

INTERVALS = ("1", "4", "6", "12", "20", "30")
RECODE_SCALES = ("1", "0.5")


@dataclass(frozen=True)
class Space:
    """Axes with their values.

    Attributes:
        axes: the values of each axis as texts, the usual one first.
        hr_only: bundles that have the HR branch alone: they run at an interval of 1.
        halves: for each bundle a name of its HR graph and one of its other graphs: bundles with a graph in common run
            it alike. A bundle that is not there has nothing in common with others.
    """

    axes: Mapping[str, tuple[str, ...]]
    hr_only: frozenset[str] = frozenset()
    halves: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """Every setting once, the usual one first: combinations that run alike are one."""
        combinations = itertools.product(*self.axes.values())
        found = (setting_from_params(dict(zip(self.axes, values, strict=True))) for values in combinations)
        return tuple(dict.fromkeys(one for one in found if one.interval == 1 or one.bundle not in self.hr_only))


def space_from_options(
    bundles: Sequence[str],
    tries: Sequence[str],
    motions: Sequence[str],
    gop: int,
    *,
    hr_only: frozenset[str] = frozenset(),
    halves: Mapping[str, tuple[str, str]] | None = None,
    frames: int | None = None,
) -> Space:
    """Return what is tried: the usual values of every axis, or those that were named.

    Keyframes that lie a clip apart or more cannot be timed on it: the first frame of a source counts nowhere.

    Args:
        bundles: names.
        tries: texts like ``interval=6,12``.
        motions: sources of motion that the clip has.
        gop: of the first bundle: the interval that is tried first.
        hr_only: see ``Space``; likewise ``halves``.
        frames: of the clip; ``None``: more than any interval.

    Raises:
        OptionError: an axis that there is not, or a value that cannot be: all faults in one message.
    """
    usual = {
        "bundle": tuple(bundles),
        "backend": installed_backends(),
        "threads": (ALL_THREADS, *(str(half) for half in [usable_cores() // 2] if half)),
        "interval": tuple(text for text in dict.fromkeys([str(gop), *INTERVALS]) if _fits(text, frames)),
        "keyframes": KEYFRAMES if usable_cores() > 1 else tuple(way for way in KEYFRAMES if way not in AT_THEIR_FRAME),
        "motion": tuple(motions),
        "recode-scale": RECODE_SCALES,
    }
    named: dict[str, tuple[str, ...]] = {}
    faults = []
    for text in tries:
        axis, equals, rest = text.partition("=")
        values = tuple(dict.fromkeys(value for value in rest.split(",") if value))
        if axis not in EXPECTED:
            faults.append(f"{text!r}: {did_you_mean(axis, EXPECTED) or 'no such axis'}; known: {', '.join(EXPECTED)}")
        elif not equals or not values:
            faults.append(f"{text!r}: no values; expected for example {axis}=A,B")
        elif axis in named:
            faults.append(f"{text!r}: {axis} is there twice; name all its values at once")
        elif axis == "bundle" and (unknown := set(values) - set(bundles)):
            faults.append(f"{text!r}: no bundle {', '.join(sorted(unknown))} was given; known: {', '.join(bundles)}")
        elif axis == "backend" and (strange := [value for value in values if value not in BACKENDS]):
            meant = did_you_mean(strange[0], BACKENDS)
            known = ", ".join(sorted(BACKENDS))
            faults.append(f"{text!r}: no backend is called {', '.join(strange)}; {meant and f'{meant} '}known: {known}")
        elif axis == "interval" and (long := [value for value in values if not _fits(value, frames)]):
            faults.append(
                f"{axis}={','.join(long)}: the clip has {counted(frames or 0, 'frame')}; expected less, or a "
                "longer clip"
            )
        else:
            named[axis] = values
    if faults:
        raise OptionError("--try: " + "; ".join(faults))
    asked = named.get("keyframes", ())
    if asked and usable_cores() < 2:
        named["keyframes"] = tuple(dict.fromkeys(AT_THEIR_FRAME.get(way, way) for way in asked))
    space = Space({axis: named.get(axis, usual[axis]) for axis in EXPECTED}, hr_only, halves or {})
    if not space.settings:  # reads them all: a value that cannot be is said here
        raise OptionError("--try: no setting is left; a bundle of the HR branch alone needs an interval of 1")
    _say_background(space.axes["backend"], asked or KEYFRAMES, named=bool(asked))
    return space


def _say_background(backends: Sequence[str], ways: Sequence[str], *, named: bool) -> None:
    """Say where keyframes in the background run as others, and are tried once with them."""
    asked = [way for way in ways if way in AT_THEIR_FRAME]
    told = [reason for backend in backends if (reason := no_background(backend))]
    if usable_cores() < 2:
        told = ["there is one core"]
    runs_as = " and ".join(f"{way} as {AT_THEIR_FRAME[way]}" for way in asked)
    for reason in told if asked else ():
        level = logging.WARNING if named else logging.INFO
        _log.log(level, "no keyframes in the background: %s; %s is tried once there", reason, runs_as)


def _fits(interval: str, frames: int | None) -> bool:
    """Whether a clip has two keyframes that lie so far apart; a text that is no interval is told of elsewhere."""
    if frames is None or not interval.isdecimal():
        return True
    return interval == "1" or (len(interval) < 10 and int(interval) < frames)


def installed_backends() -> tuple[str, ...]:
    """Return the backends that are tried where none is named: those of ``CANDIDATES`` whose libraries are installed.

    Two are tried only where they are named: ``openvino-bf16``, whose classes are those of float32 nowhere but on AMX,
    and ``onnxruntime-cuda``, whose library has the name of the one for CPUs.
    """
    usual = [name for name in reversed(CANDIDATES) if name not in ("openvino-bf16", "onnxruntime-cuda")]
    return tuple(name for name in usual if all(map(find_spec, packages_of_backend(name))))
