"""What is wrong with a target whose file can be read: each function returns one line for each fault."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from edge_arseg.spec.manifest import Precision
from edge_arseg.spec.targets.target import LOCAL, Kind, Target, longest_prefix

_OURS = {"id", "name", "kind", "tier", "reason", "jetpacks", "precision", "sources", "unverified"}
"""What a file decides or says in words; every other value is a fact about hardware and has a source."""

_MARKS = ("parts", "compatible", "models", "boot_specs")
"""What a board is told by."""


def faults_of_sources(raw: Mapping[str, Any]) -> list[str]:
    """Name the facts without a source, and sources and doubts about fields that are not there.

    Args:
        raw: the file, before it is checked.
    """
    sources, doubts = raw.get("sources", {}), raw.get("unverified", {})
    if not isinstance(sources, dict) or not isinstance(doubts, dict):
        return ["sources, unverified: tables of texts expected"]
    leaves = list(_leaves({key: value for key, value in raw.items() if key not in _OURS}))
    faults = [f"{path}: a value without a source" for path in leaves if longest_prefix(sources, path) is None]
    for name, table in (("sources", sources), ("unverified", doubts)):
        for path in table:
            known = [*leaves, "video.ofa"] if name == "unverified" else leaves  # left out where nobody knows
            if not any(leaf == path or leaf.startswith(f"{path}.") for leaf in known):
                faults.append(f"{name}: {path!r} is not a field of this file")
    return faults


def faults_between(found: Sequence[Target]) -> list[str]:
    """Name what two targets say a board is told by: the first file would win, whichever board it is."""
    owners: dict[tuple[str, str], str] = {}
    faults = []
    for target in found:
        for name in _MARKS:
            for mark in getattr(target, name):
                owner = owners.setdefault((name, mark), target.id)
                if owner != target.id:
                    faults.append(
                        f"  {name}: {mark!r} is in {owner}.toml and in {target.id}.toml; take it out of one of them"
                    )
    return faults


def faults_of_target(target: Target, stem: str) -> list[str]:
    """Name what is well formed but cannot be meant.

    Args:
        target: as read.
        stem: of its file.
    """
    return [
        *_faults_of_names(target, stem),
        *_faults_of_precision(target),
        *_missing_of_a_jetson(target),
        *_faults_of_modes(target),
        *_missing_clocks(target),
        *_above_the_gpu(target),
    ]


def _faults_of_names(target: Target, stem: str) -> Iterator[str]:
    if target.id != stem:
        yield f"id: {target.id!r} seen, the file is called {stem!r}"
    if target.id == LOCAL:
        yield f"id: {LOCAL} stands for the machine that a command runs on; choose another name"
    if not target.name.isprintable() or not target.name.strip():
        yield f"name: {target.name!r} seen, expected one line of text"
    if target.tier != 1 and not target.reason:
        yield f"reason: tier {target.tier} needs one"


def _faults_of_precision(target: Target) -> Iterator[str]:
    made = target.precision
    if made is None:
        if target.tier:
            yield f"precision: tier {target.tier} needs it"
        return
    for name in ("hr", "lr", "fuse"):
        value: Precision = getattr(made, name)
        if value not in made.choices:
            yield f"precision.{name}: {value.value} is not among the choices"
    if Precision.MIXED in made.choices:
        yield "precision.choices: mixed is what quantize makes of int8; choose int8"


def _missing_of_a_jetson(target: Target) -> Iterator[str]:
    if target.kind is not Kind.JETSON:
        return
    for name in ("chip", "gpu", "memory", "rails", "video"):
        if getattr(target, name) is None:
            yield f"{name}: a Jetson board has it"
    if not target.parts:
        yield "parts: a Jetson board has part numbers"


def _faults_of_modes(target: Target) -> Iterator[str]:
    for configuration in {mode.configuration for mode in target.modes}:
        modes = [mode for mode in target.modes if mode.configuration is configuration]
        if sum(mode.default for mode in modes) != 1:
            yield f"modes: exactly one {configuration.value} mode is the default"
        if len({mode.id for mode in modes}) != len(modes):
            yield f"modes: an id is used twice in the {configuration.value} configuration"


def _missing_clocks(target: Target) -> Iterator[str]:
    if target.gpu is None or target.memory is None:
        return
    clocks, rates = set(target.gpu.max_mhz), set(target.memory.bandwidth_gbs)
    for configuration in sorted({*clocks, *rates, *(mode.configuration for mode in target.modes)}):
        for name, there in (("gpu.max_mhz", clocks), ("memory.bandwidth_gbs", rates)):
            if configuration not in there:
                yield f"{name}: {configuration.value} is missing, which this file has elsewhere"


def _above_the_gpu(target: Target) -> Iterator[str]:
    if target.gpu is None:
        return
    for i, mode in enumerate(target.modes):
        if mode.sms and mode.sms > target.gpu.sms:
            yield f"modes.{i}.sms: {mode.sms} of {target.gpu.sms} multiprocessors"
        ceiling = target.gpu.max_mhz.get(mode.configuration)
        if mode.gpu_mhz and ceiling is not None and mode.gpu_mhz > ceiling:
            yield f"modes.{i}.gpu_mhz: {mode.gpu_mhz:g} above gpu.max_mhz {ceiling:g}"


def _leaves(value: Any, path: str = "") -> Iterator[str]:
    """Yield the dotted path of every value that is no table and no list of tables."""
    if isinstance(value, Mapping):
        children = list(value.items())
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        children = [(str(i), child) for i, child in enumerate(value)]
    else:
        if value != []:
            yield path
        return
    for key, child in children:
        yield from _leaves(child, f"{path}.{key}" if path else key)
