"""Reading ``targets/*.toml`` and the user's own, and refusing a file with faults: all of them in one message."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from edge_arseg.arguments import check_kind
from edge_arseg.errors import OptionError, TargetError
from edge_arseg.installation import reinstall
from edge_arseg.quantity import counted
from edge_arseg.spec.plain import faults_from_error
from edge_arseg.spec.targets.faults import faults_between, faults_of_sources, faults_of_target
from edge_arseg.spec.targets.jetpack import JetPackTable
from edge_arseg.spec.targets.own_folder import own_files, own_folder
from edge_arseg.spec.targets.target import Kind, Target
from edge_arseg.storage.data_folder import data_folder
from edge_arseg.storage.toml import data_from_toml, toml_text
from edge_arseg.suggestion import did_you_mean

JETPACKS = "jetpacks.toml"

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
    if faults := faults_between(found):
        where = " and ".join(dict.fromkeys(str(path.parent) for path in (*paths[:1], *own[:1])))
        raise TargetError("\n".join([f"{where}: which board is which cannot be told", *faults]))
    return {target.id: target for target in found}


def target_named(name: str) -> Target:
    """Return one target.

    Raises:
        OptionError: there is none of that name.
        TargetError: a file has faults.
    """
    check_kind("a target", name, str | os.PathLike, "the name of one")
    known = targets()
    if name not in known and (os.sep in str(name) or str(name).endswith(".toml")):
        raise OptionError(
            f"{name}: the file of a target seen, expected the name of one; put the file into "
            f"{own_folder()} and type {Path(name).stem}"
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
    faults = [f"  {fault}" for fault in faults_of_sources(raw)]
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
    faults += [f"  {fault}" for fault in faults_of_target(target, path.stem)]
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
