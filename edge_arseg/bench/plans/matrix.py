"""A matrix: axes whose every combination is measured."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from edge_arseg.errors import OptionError
from edge_arseg.spec.frame import MOTIONS
from edge_arseg.suggestion import one_of

Values = tuple[str, ...]


def _whole(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _share(text: str) -> float:
    number = float(text)
    if not 0 < number <= 1:
        raise ValueError
    return number


def _one_of(*names: str) -> Callable[[str], str]:
    def checked(text: str) -> str:
        if text not in names:
            raise ValueError
        return text

    return checked


AXES: dict[str, tuple[Callable[[str], Any], str]] = {
    "precision": (_one_of("fp32", "fp16", "int8", "mixed"), "fp32, fp16, int8 or mixed, of the bundles that are named"),
    "backend": (str, "names of engine libraries"),
    "lr-scale": (_share, "numbers over 0 and up to 1, of the bundles that are named"),
    "gop": (_whole, "whole numbers from 1"),
    "motion": (_one_of(*MOTIONS), one_of(MOTIONS)),
    "threads": (_whole, "whole numbers from 1"),
}
"""What can be varied: how a value is read, and what it can be, in words."""


def matrix_from_texts(texts: Sequence[str]) -> dict[str, Values]:
    """Parse axes like ``backend=onnxruntime,openvino``.

    Raises:
        OptionError: an axis or value that cannot be: all of them in one message.
    """
    matrix: dict[str, Values] = {}
    faults = []
    for text in (part for whole in texts for part in whole.split()):
        name, equals, rest = text.partition("=")
        values = tuple(value for value in rest.split(",") if value)
        if name not in AXES:
            faults.append(f"{text!r}: no axis is called {name!r}; known: {', '.join(AXES)}")
        elif not equals or not values:
            faults.append(f"{text!r}: no values; expected for example {name}=A,B")
        elif name in matrix:
            faults.append(f"{text!r}: {name} is there twice; name all its values at once")
        else:
            matrix[name] = tuple(dict.fromkeys(values))
            faults += [f"{name}={value}: expected {AXES[name][1]}" for value in values if not _can_be(name, value)]
    if faults:
        raise OptionError("--matrix: " + "; ".join(faults))
    return matrix


def cells(matrix: Mapping[str, Values]) -> Iterator[dict[str, Any]]:
    """Return every combination, values read; one empty combination of no axes."""
    for values in itertools.product(*matrix.values()):
        yield {name: AXES[name][0](value) for name, value in zip(matrix, values, strict=True)}


def _can_be(name: str, value: str) -> bool:
    try:
        AXES[name][0](value)
    except ValueError:
        return False
    return True
