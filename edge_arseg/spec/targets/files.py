"""Reading ``targets/*.toml`` and the user's own, and refusing a file with faults: all of them in one message."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from edge_arseg.errors import OptionError, TargetError
from edge_arseg.installation import reinstall
from edge_arseg.quantity import counted
from edge_arseg.spec.manifest import Precision
from edge_arseg.spec.plain import faults_from_error
from edge_arseg.spec.targets.jetpack import JetPackTable
from edge_arseg.spec.targets.own_folder import own_files, own_folder
from edge_arseg.spec.targets.target import LOCAL, Kind, Target, longest_prefix
from edge_arseg.storage.data_folder import data_folder
from edge_arseg.storage.toml import data_from_toml, toml_text
from edge_arseg.suggestion import did_you_mean

JETPACKS = "jetpacks.toml"
_OURS = {"id", "name", "kind", "tier", "reason", "jetpacks", "precision", "sources", "unverified"}
"""What a file decides or says in words; every other value is a fact about hardware and has a source."""

_MARKS = ("parts", "compatible", "models", "boot_specs")
"""What a board is told by."""

_TARGET = TypeAdapter(Target)
_TABLE = TypeAdapter(JetPackTable)


def targets(folder: Path | None = None) -> dict[str, Target]:
    """Read all targets: Jetson boards by tier and name, then ``cuda`` and ``cpu``. Hidden files are left out.

    A target in the user's own folder takes the place of one of the package that has its name.

    Args:
        folder: instead of the one that belongs to the package and the user's own.

    Raises:
        TargetError: a file has faults, or two files name the same board; or the user's folder cannot be read.
    """
    own = [] if folder else own_files()
    folder = folder or data_folder("targets")
    table = jetpack_table(folder)
    for path in own:
        if path.name == JETPACKS:
            raise TargetError(f"{path}: JetPack releases are those of the package; move this file elsewhere")
    paths = [path for path in sorted(folder.glob("[!.]*.toml")) if path.name != JETPACKS]
    files = {path.name: path for path in (*paths, *own)}
    found = [target_from_toml(path, table) for path in files.values()]
    last = list(Kind)
    found.sort(key=lambda target: (last.index(target.kind), target.tier or 9, target.id))
    if faults := _shared(found):
        where = " and ".join(dict.fromkeys(str(path.parent) for path in (*paths[:1], *own[:1])))
        raise TargetError("\n".join([f"{where}: which board is which cannot be told", *faults]))
    return {target.id: target for target in found}


def target_named(name: str, folder: Path | None = None) -> Target:
    """Return one target.

    Raises:
        OptionError: there is none of that name.
        TargetError: a file has faults.
    """
    known = targets(folder)
    if name not in known and (os.sep in str(name) or str(name).endswith(".toml")):
        raise OptionError(
            f"{name}: the file of a target seen, expected the name of one; put the file into "
            f"{folder or own_folder()} and type {Path(name).stem}"
        )
    if name not in known:
        meant = did_you_mean(str(name), known)
        raise OptionError(
            f"no target is called {name!r}; {meant and f'{meant} '}known: {', '.join(known)}. "
            "See `edge-arseg targets list`"
        )
    return known[name]


def jetpack_table(folder: Path | None = None) -> JetPackTable:
    """Read the table of JetPack releases.

    Raises:
        TargetError: the file has faults.
    """
    path = (folder or data_folder("targets")) / JETPACKS
    try:
        return _TABLE.validate_python(_toml(path))
    except ValidationError as error:
        raise TargetError(f"{path.name}: {_wrong(error)}") from error


def target_from_toml(path: Path, table: JetPackTable) -> Target:
    """Read one target.

    Args:
        path: its file; the name without ``.toml`` is the target's ``id``.
        table: of the JetPack releases that the file may name.

    Raises:
        TargetError: not TOML, wrong or contradicting entries, or a value without a source: all in one message.
    """
    raw = _toml(path)
    shown = _shown(path)
    faults = [f"  {fault}" for fault in _sources_missing(raw)]
    data = dict(raw)
    releases = {release.name: asdict(release) for release in table.jetpacks}
    named = raw.get("jetpacks", [])
    if isinstance(named, list):
        faults += [f"  jetpacks: {name!r} is not in {JETPACKS}" for name in named if str(name) not in releases]
        data["jetpacks"] = [releases[str(name)] for name in named if str(name) in releases]
    try:
        target = _TARGET.validate_python(data)
    except ValidationError as error:
        raise TargetError("\n".join([f"{shown}: {_wrong(error)}", *faults])) from error
    faults += [f"  {fault}" for fault in _contradictions(target, path.stem)]
    if faults:
        raise TargetError("\n".join([f"{shown}: {counted(len(faults), 'fault')}", *faults]))
    return target


def _toml(path: Path) -> dict[str, Any]:
    try:
        return data_from_toml(toml_text(path))
    except OSError as error:
        if path.name == JETPACKS and not path.exists():
            raise TargetError(f"{path}: missing; install again: {reinstall()}") from error
        raise TargetError(
            f"{path}: cannot be read ({error.strerror or error}); every file there that ends in .toml is a target: "
            "make it one that can be read, or move it elsewhere"
        ) from error
    except ValueError as error:  # not TOML, not UTF-8, numbers or nesting without end
        raise TargetError(f"{_shown(path)}: not TOML ({error})") from error


def _shown(path: Path) -> str:
    """The name of a file of the package, the path of one of the user's."""
    return str(path) if path.parent == own_folder() else path.name


def _wrong(error: ValidationError) -> str:
    lines = "\n".join(f"  {fault}" for fault in faults_from_error(error, "file"))
    return f"{counted(error.error_count(), 'wrong entry')}\n{lines}"


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


def _sources_missing(raw: Mapping[str, Any]) -> list[str]:
    """Name the facts without a source, and sources and doubts about fields that are not there."""
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


def _shared(found: Sequence[Target]) -> list[str]:
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


def _contradictions(target: Target, stem: str) -> list[str]:
    """Return what is well formed but cannot be meant."""
    faults = []
    if target.id != stem:
        faults.append(f"id: {target.id!r} seen, the file is called {stem!r}")
    if target.id == LOCAL:
        faults.append(f"id: {LOCAL} stands for the machine that a command runs on; choose another name")
    if not target.name.isprintable() or not target.name.strip():
        faults.append(f"name: {target.name!r} seen, expected one line of text")
    if target.tier != 1 and not target.reason:
        faults.append(f"reason: tier {target.tier} needs one")
    if target.tier and target.precision is None:
        faults.append(f"precision: tier {target.tier} needs it")
    if target.precision:
        for name in ("hr", "lr", "fuse"):
            value: Precision = getattr(target.precision, name)
            if value not in target.precision.choices:
                faults.append(f"precision.{name}: {value.value} is not among the choices")
        if Precision.MIXED in target.precision.choices:
            faults.append("precision.choices: mixed is what quantize makes of int8; choose int8")
    if target.kind is Kind.JETSON:
        for name in ("chip", "gpu", "memory", "rails", "video"):
            if getattr(target, name) is None:
                faults.append(f"{name}: a Jetson board has it")
        if not target.parts:
            faults.append("parts: a Jetson board has part numbers")
    for configuration in {mode.configuration for mode in target.modes}:
        modes = [mode for mode in target.modes if mode.configuration is configuration]
        if sum(mode.default for mode in modes) != 1:
            faults.append(f"modes: exactly one {configuration.value} mode is the default")
        if len({mode.id for mode in modes}) != len(modes):
            faults.append(f"modes: an id is used twice in the {configuration.value} configuration")
    if target.gpu and target.memory:
        clocks, rates = set(target.gpu.max_mhz), set(target.memory.bandwidth_gbs)
        for configuration in sorted({*clocks, *rates, *(mode.configuration for mode in target.modes)}):
            for name, there in (("gpu.max_mhz", clocks), ("memory.bandwidth_gbs", rates)):
                if configuration not in there:
                    faults.append(f"{name}: {configuration.value} is missing, which this file has elsewhere")
    if target.gpu:
        for i, mode in enumerate(target.modes):
            if mode.sms and mode.sms > target.gpu.sms:
                faults.append(f"modes.{i}.sms: {mode.sms} of {target.gpu.sms} multiprocessors")
            ceiling = target.gpu.max_mhz.get(mode.configuration)
            if mode.gpu_mhz and ceiling is not None and mode.gpu_mhz > ceiling:
                faults.append(f"modes.{i}.gpu_mhz: {mode.gpu_mhz:g} above gpu.max_mhz {ceiling:g}")
    return faults
