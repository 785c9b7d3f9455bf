"""Calibration recipes: which frames the ranges of a quantized graph are taken from, and how."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from edge_arseg.errors import OptionError
from edge_arseg.quantity import counted
from edge_arseg.spec.plain import faults_from_error
from edge_arseg.storage.data_folder import data_folder
from edge_arseg.storage.toml import data_from_toml, toml_text

MOST_FRAMES = 1_000_000
"""Frames of a clip, at most: nine hours at 30 a second."""

DATA = "{data}"
"""Stands in a source for the folder given by ``--data``, so that a recipe holds no path of one machine."""


class Method(str, Enum):
    """How a range is taken from the values seen."""

    MINMAX = "minmax"  # all of them
    PERCENTILE = "percentile"  # the middle so many per cent
    ENTROPY = "entropy"  # what 8 bits tell most about


@dataclass(frozen=True, slots=True)
class CalibrationClip:
    """Frames of one source.

    Attributes:
        source: what ``open_video`` takes; ``{data}`` in it is replaced by a folder given when the recipe is used.
        frames: read so many from the start; keyframes lie the bundle's GOP apart.
        keyframes: so many of the keyframes are looked at, at distance 0.
        per_distance: so many frames are looked at at each other distance from the keyframe.
        motion: ``auto``, ``codec``, ``recode`` or ``zero``.
        stills: the frames are unrelated pictures: each is looked at as a keyframe and as an LR image, none is fused.
    """

    source: Annotated[str, Field(min_length=1)]
    frames: Annotated[int, Field(ge=1, le=MOST_FRAMES)]
    keyframes: Annotated[int, Field(ge=1)]
    per_distance: Annotated[int, Field(ge=0)] = 0
    motion: Annotated[str, Field(pattern="^(auto|codec|recode|zero)$")] = "auto"
    stills: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """A calibration recipe.

    Attributes:
        name: for records.
        method: see ``Method``.
        clips: the sources, at least one.
        percentile: share of the values inside the range, per cent, half of the rest on each side; with
            ``method = "percentile"``, and only there.
        seed: picks the frames.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1)]
    method: Method
    clips: Annotated[tuple[CalibrationClip, ...], Field(min_length=1)]
    percentile: Annotated[float | None, Field(ge=50.0, le=100.0)] = None
    seed: Annotated[int, Field(ge=0)] = 0

    @property
    def needs_data(self) -> bool:
        """Whether a source holds ``{data}``."""
        return any(DATA in clip.source for clip in self.clips)


_RECIPE = TypeAdapter(Recipe)


def recipe_from_toml(text: str, *, where: str = "recipe") -> Recipe:
    """Parse and check a recipe.

    Raises:
        OptionError: not TOML, or wrong entries: all of them in one message.
    """
    try:
        data = data_from_toml(text)
    except ValueError as error:
        raise OptionError(f"{where}: not TOML ({error})") from error
    try:
        recipe = _RECIPE.validate_python(data)
    except ValidationError as error:
        faults = faults_from_error(error, "recipe")
    else:
        faults = _faults(recipe)
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise OptionError(f"{where}: {counted(len(faults), 'wrong entry')}\n{lines}\nSee calibration/README.md")
    return recipe


def recipe_text(path: Path) -> str:
    """Read the file of a recipe; a byte order mark, which some editors write, is left out.

    Raises:
        OptionError: it cannot be read, or is not UTF-8.
    """
    try:
        return toml_text(path)
    except OSError as error:
        raise OptionError(
            f"{path}: cannot be read ({error.strerror or error}); expected a calibration recipe"
        ) from error
    except ValueError as error:
        raise OptionError(f"{path}: not UTF-8 ({error}); save it as UTF-8") from error


def recipe_path(name: str) -> Path:
    """Return the file of a recipe: a path that ends in ``.toml``, or the name of one in ``calibration/``.

    Raises:
        OptionError: there is none.
    """
    if name.endswith(".toml"):
        if Path(name).is_file():
            return Path(name)
        raise OptionError(f"{name}: no such file; expected a calibration recipe (TOML)")
    folder = data_folder("calibration")
    path = folder / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.toml"))) or "none"
        raise OptionError(f"no recipe is called {name!r}; known: {known}; or give a path that ends in .toml")
    return path


def _faults(recipe: Recipe) -> list[str]:
    """Return what is well formed but cannot be meant."""
    faults = []
    if recipe.method is Method.PERCENTILE and recipe.percentile is None:
        faults.append("percentile: missing; expected for example 99.99")
    if recipe.method is not Method.PERCENTILE and recipe.percentile is not None:
        faults.append(f"percentile: needs method 'percentile', {recipe.method.value!r} seen")
    for number, clip in enumerate(recipe.clips):
        if clip.keyframes > clip.frames:
            faults.append(f"clips.{number}.keyframes: {clip.keyframes} of {clip.frames} frames")
        if clip.stills and clip.per_distance:
            faults.append(f"clips.{number}.per_distance: stills have no distance; leave it out")
    return faults
