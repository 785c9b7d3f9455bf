"""Workloads: what to measure, in TOML. They say what is run; where its data lies is a parameter.

::

    about = "CamVid, as in the AR-Seg paper"
    source = "{data}/val.mp4"        # {data} is what --data says
    labels = "{data}/labels"
    bundles = ["{bundles}/bise18.arseg"]
    modes = ["ar", "hr"]
    profile = "standard"
    [matrix]
    gop = [12]
    [[published]]                    # rows of a table that others published: fields of Published
    source = "AR-Seg, CVPR 2023, table 1"
    row = "AR 0.5"
    mode = "ar"
    lr_scale = 0.5
    miou = 70.48
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from edge_arseg.bench.records.published import Published
from edge_arseg.errors import OptionError
from edge_arseg.storage.data_folder import data_folder
from edge_arseg.storage.toml import data_from_toml, toml_text
from edge_arseg.suggestion import did_you_mean

KEYS: dict[str, type | tuple[type, ...]] = {
    "about": str,
    "source": str,
    "clip": str,
    "labels": str,
    "bundles": list,
    "modes": list,
    "profile": str,
    "rate": (int, float),
    "deadline_ms": (int, float),
    "interval": int,
    "motion": str,
    "phases": str,
    "encode": str,
    "turns": int,
    "matrix": dict,
    "optical_flow": bool,
    "published": list,
}
"""What a file can say, and as what."""

_PARAMETER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Workload:
    """What a file says.

    Attributes:
        name: of the file, without its ending.
        about: for people.
        values: options by name, parameters filled in.
        matrix: axes as ``matrix_from_texts`` has them.
        published: rows of tables that others published.
    """

    name: str
    about: str
    values: Mapping[str, Any]
    matrix: tuple[str, ...] = ()
    published: tuple[Published, ...] = ()


def workload_names() -> list[str]:
    """Return the names of the workloads that ship with the package."""
    return sorted(path.stem for path in data_folder("workloads").glob("*.toml"))


def read_workload(name: str, parameters: Mapping[str, str]) -> Workload:
    """Read a workload.

    Args:
        name: of one that ships with the package, or the path of a file.
        parameters: what ``{name}`` stands for.

    Raises:
        OptionError: there is none, it is no TOML, has keys that are not known, or needs a parameter that is not given:
            all of them in one message.
    """
    path = Path(name) if name.endswith(".toml") else data_folder("workloads") / f"{name}.toml"
    try:
        data = data_from_toml(toml_text(path))
    except OSError as error:
        meant = did_you_mean(name, workload_names())
        raise OptionError(
            f"--workload {name}: {error.strerror or error}; {meant}{' ' if meant else ''}expected a file, or one of "
            f"{', '.join(workload_names())}"
        ) from error
    except ValueError as error:
        raise OptionError(f"--workload {path}: not TOML: {error}") from error
    faults = [f"{key}: not known; known: {', '.join(KEYS)}" for key in data if key not in KEYS]
    faults += [
        f"{key}: {value!r} seen, expected {_kind(KEYS[key])}"
        for key, value in data.items()
        if key in KEYS and (not isinstance(value, KEYS[key]) or (isinstance(value, bool) and KEYS[key] is not bool))
    ]
    faults += _faults_inside(data)
    published = data.get("published", [])
    faults += _faults_of(published) if isinstance(published, list) else []
    named = {one for value in data.values() for one in _parameters(value)}
    faults += [f"{{{one}}} is not given: type --set {one}=VALUE" for one in sorted(named - set(parameters))]
    faults += [
        f"--set {one}: the workload has no {{{one}}}; it has {', '.join(f'{{{x}}}' for x in sorted(named)) or 'none'}"
        for one in sorted(set(parameters) - named)
    ]
    if faults:
        raise OptionError(f"--workload {path}: " + "; ".join(faults))
    values = {
        key: _filled(value, parameters) for key, value in data.items() if key not in ("about", "matrix", "published")
    }
    matrix = tuple(f"{axis}={','.join(map(str, values_of))}" for axis, values_of in data.get("matrix", {}).items())
    rows = tuple(Published(**row) for row in published)
    return Workload(path.stem, data.get("about", ""), values, matrix, rows)


def _faults_inside(data: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with empty texts, lists of other things than text, and axes of the matrix."""
    faults = [
        f"{key}: an empty text seen, expected one; leave the line out for the default"
        for key, value in data.items()
        if KEYS.get(key) is str and value == "" and key != "about"
    ]
    for key in ("bundles", "modes"):
        value = data.get(key, [])
        if isinstance(value, list) and not all(isinstance(one, str) and one for one in value):
            faults.append(f"{key}: {value!r} seen, expected a list of texts")
    matrix = data.get("matrix", {})
    for axis, values in matrix.items() if isinstance(matrix, dict) else ():
        if not isinstance(values, list) or not all(
            isinstance(one, (str, int, float)) and not isinstance(one, bool) for one in values
        ):
            faults.append(f"matrix: {axis}: {values!r} seen, expected a list like [6, 12]")
    return faults


def _faults_of(published: list[Any]) -> list[str]:
    """Return what is wrong with rows of published numbers."""
    kinds = {"lr_scale": (int, float), "miou": (int, float), "gmacs": (int, float), "ms": (int, float)}
    known = {one.name: kinds.get(one.name, (str,)) for one in fields(Published)}
    faults = []
    for number, row in enumerate(published, 1):
        where = f"published row {number}"
        if not isinstance(row, dict):
            faults.append(f"{where}: {row!r} seen, expected a table [[published]]")
            continue
        faults += [f"{where}: {key}: not known; known: {', '.join(known)}" for key in row if key not in known]
        faults += [f"{where}: {key} is missing" for key in ("source", "row", "mode") if key not in row]
        faults += [
            f"{where}: {key}: {value!r} seen, expected {'a number' if key in kinds else 'text'}"
            for key, value in row.items()
            if key in known and (not isinstance(value, known[key]) or isinstance(value, bool))
        ]
    return faults


def _parameters(value: Any) -> set[str]:
    if isinstance(value, list):
        return {one for entry in value for one in _parameters(entry)}
    return set(_PARAMETER.findall(value)) if isinstance(value, str) else set()


def _filled(value: Any, parameters: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_filled(entry, parameters) for entry in value]
    return _PARAMETER.sub(lambda found: parameters[found[1]], value) if isinstance(value, str) else value


def _kind(kinds: type | tuple[type, ...]) -> str:
    words = {
        str: "text",
        list: "a list",
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        dict: "a table",
    }
    return words[kinds[-1] if isinstance(kinds, tuple) else kinds]
