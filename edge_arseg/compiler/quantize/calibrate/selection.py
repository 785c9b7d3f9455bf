"""Which frames of a clip are looked at."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_arseg.errors import OptionError
from edge_arseg.quantity import counted
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.recipe import CalibrationClip, Recipe


@dataclass(frozen=True, slots=True)
class Selection:
    """Frames of one clip that are looked at.

    Attributes:
        clip: that they are of.
        interval: keyframes lie at multiples of it; 1 for stills.
        observed: indices of the frames that are looked at, from 0.
    """

    clip: CalibrationClip
    interval: int
    observed: frozenset[int]

    def needs_key(self, index: int) -> bool:
        """Whether the keyframe at ``index`` has to run, for itself or for a frame that follows."""
        return any(index <= frame < index + self.interval for frame in self.observed)

    def by_distance(self) -> dict[int, int]:
        """Number of frames looked at by distance from the keyframe."""
        return dict(sorted(Counter(frame % self.interval for frame in self.observed).items()))


def selections_from_recipe(recipe: Recipe, gop: int) -> list[Selection]:
    """Pick the frames of every clip of a recipe, for keyframes ``gop`` frames apart.

    The same seed picks the same frames. No keyframe is taken twice, and neither is a frame between.

    Raises:
        OptionError: a clip has too few frames at some distance: all of them in one message.
    """
    found, faults = [], []
    for number, clip in enumerate(recipe.clips):
        generator = np.random.default_rng([recipe.seed, number])
        interval = 1 if clip.stills else gop
        observed: set[int] = set()
        for distance in range(interval):
            wanted = clip.keyframes if distance == 0 else clip.per_distance
            there = range(distance, clip.frames, interval)
            if wanted > len(there):
                faults.append(
                    f"clips.{number} ({clip.source}): {counted(wanted, 'frame')} wanted at distance {distance}, "
                    f"{len(there)} there with keyframes {interval} frames apart"
                )
                break
            observed.update(int(index) for index in generator.permutation(there)[:wanted])
        found.append(Selection(clip, interval, frozenset(observed)))
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise OptionError(f"recipe {recipe.name}: not enough frames\n{lines}\nRead more frames, or look at fewer")
    return found


def check_seen(selections: Sequence[Selection], name: str, roles: Sequence[Role]) -> None:
    """Refuse a selection of which a branch that becomes int8 sees no frame.

    Args:
        selections: of all clips.
        name: of the recipe, for the message.
        roles: of the graphs whose ranges are wanted.

    Raises:
        OptionError: a graph sees no frame.
    """
    between = any(distance for selection in selections for distance in selection.by_distance())
    stills = any(selection.clip.stills for selection in selections)
    seen = {Role.HR: True, Role.LR: between or stills, Role.FUSE: between}
    if blind := [role.value for role in roles if not seen[role]]:
        raise OptionError(
            f"recipe {name}: {' and '.join(blind)} would see no frame, as no clip has frames between keyframes; set "
            f"per_distance = 1 or more for a clip, or leave {'them' if len(blind) > 1 else 'it'} in float: "
            + " ".join(f"--{role} fp32" for role in blind)
        )
