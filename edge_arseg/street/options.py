"""The options of a street drive, and how they are written in a URI."""

from typing import Final, TypedDict
from urllib.parse import parse_qsl

from edge_arseg.errors import OptionError


class StreetOptions(TypedDict):
    """Keywords of ``frames_from_street`` and ``scenes_from_street``.

    Attributes:
        size: rows and columns, 32 to 4096 each.
        count: frames, 1 or more.
        rate: frames per second, 0.001 to 240.
        seed: which street, 0 or more.
        loop: pictures that are rendered, 2 or more, and then shown there and back as often as needed: rendering takes
            longer than a camera's period. 0: every picture is rendered.
    """

    size: tuple[int, int]
    count: int
    rate: float
    seed: int
    loop: int


DEFAULTS: Final[StreetOptions] = {"size": (360, 480), "count": 120, "rate": 15.0, "seed": 1, "loop": 0}
_EXAMPLE: Final = "test://street?size=360x480&frames=120&rate=15&seed=1"


def street_from_query(query: str) -> StreetOptions:
    """Read ``size=HxW&frames=N&rate=R&seed=S&loop=L``, all of them optional, in any order.

    ``size`` is rows x columns as everywhere: 360x480 is a picture wider than high.

    Raises:
        OptionError: an unknown, repeated or unusable option; the message lists all faults.
    """
    faults: list[str] = []
    given: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in ("size", "frames", "rate", "seed", "loop"):
            faults.append(f"unknown option {name}; expected size, frames, rate, seed, loop")
        elif name in given:
            faults.append(f"{name} is given twice")
        given[name] = value
    options = DEFAULTS.copy()
    try:
        if "size" in given:
            options["size"] = _size_from_text(given["size"])
        if "frames" in given:
            options["count"] = int(given["frames"])
        if "rate" in given:
            options["rate"] = float(given["rate"])
        if "seed" in given:
            options["seed"] = int(given["seed"])
        if "loop" in given:
            options["loop"] = int(given["loop"])
    except ValueError as error:
        faults.append(f"{error}; expected numbers, size as ROWSxCOLUMNS")
    else:
        faults += faults_of(options)
    if faults:
        raise OptionError(f"test://street?{query}: {'; '.join(faults)}. Example: {_EXAMPLE}")
    return options


def checked(options: StreetOptions) -> StreetOptions:
    """Return the options if they can be used, else raise ``OptionError``."""
    if faults := faults_of(options):
        raise OptionError(f"a street drive cannot be made: {'; '.join(faults)}")
    return options


def faults_of(options: StreetOptions) -> list[str]:
    """Say what is wrong with the values."""
    rows, columns = options["size"]
    faults = []
    if not (32 <= rows <= 4096 and 32 <= columns <= 4096):
        faults.append(f"size is {rows}x{columns}, expected 32 to 4096 rows and columns")
    if options["count"] < 1:
        faults.append(f"frames is {options['count']}, expected 1 or more")
    if not 0.001 <= options["rate"] <= 240:
        faults.append(f"rate is {options['rate']:g}, expected 0.001 to 240")
    if options["seed"] < 0:
        faults.append(f"seed is {options['seed']}, expected 0 or more")
    if options["loop"] < 0 or options["loop"] == 1:
        faults.append(f"loop is {options['loop']}, expected 2 or more, or 0 to render every picture")
    return faults


def _size_from_text(text: str) -> tuple[int, int]:
    rows, cross, columns = text.lower().partition("x")
    if not cross:
        raise ValueError(f"size is {text!r}")
    return int(rows), int(columns)
