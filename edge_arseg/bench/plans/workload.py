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
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_arseg.errors import OptionError
from edge_arseg.storage.data_folder import data_folder
from edge_arseg.storage.toml import data_from_toml

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
    "published": dict,
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
        published: numbers that others published for it, by row.
    """

    name: str
    about: str
    values: Mapping[str, Any]
    matrix: tuple[str, ...] = ()
    published: Mapping[str, Any] = field(default_factory=dict)


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
        data = data_from_toml(path.read_text())
    except OSError as error:
        raise OptionError(
            f"--workload {name}: {error.strerror or error}; expected a file, or one of {', '.join(workload_names())}"
        ) from error
    except ValueError as error:
        raise OptionError(f"--workload {path}: not TOML: {error}") from error
    faults = [f"{key}: not known; known: {', '.join(KEYS)}" for key in data if key not in KEYS]
    faults += [
        f"{key}: {value!r} seen, expected {_kind(KEYS[key])}"
        for key, value in data.items()
        if key in KEYS and (not isinstance(value, KEYS[key]) or isinstance(value, bool))
    ]
    needed = sorted({one for value in data.values() for one in _parameters(value)} - set(parameters))
    faults += [f"{{{one}}} is not given: type --set {one}=VALUE" for one in needed]
    if faults:
        raise OptionError(f"--workload {path}: " + "; ".join(faults))
    values = {
        key: _filled(value, parameters) for key, value in data.items() if key not in ("about", "matrix", "published")
    }
    matrix = tuple(f"{axis}={','.join(map(str, values_of))}" for axis, values_of in data.get("matrix", {}).items())
    return Workload(path.stem, data.get("about", ""), values, matrix, data.get("published", {}))


def _parameters(value: Any) -> set[str]:
    if isinstance(value, list):
        return {one for entry in value for one in _parameters(entry)}
    return set(_PARAMETER.findall(value)) if isinstance(value, str) else set()


def _filled(value: Any, parameters: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_filled(entry, parameters) for entry in value]
    return _PARAMETER.sub(lambda found: parameters[found[1]], value) if isinstance(value, str) else value


def _kind(kinds: type | tuple[type, ...]) -> str:
    words = {str: "text", list: "a list", int: "a whole number", float: "a number", dict: "a table"}
    return words[kinds[-1] if isinstance(kinds, tuple) else kinds]
