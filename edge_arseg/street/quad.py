"""A flat picture standing in the street, and the lists of them that make cars, people and furniture."""

from dataclasses import dataclass
from typing import Literal

from edge_arseg.street.layout import BICYCLIST, CAR, FENCE, KERB, PEDESTRIAN, POLE, SIGN, TREE
from edge_arseg.street.scene import cars, furniture, people
from edge_arseg.street.texture import Texture


@dataclass(frozen=True, slots=True)
class Quad:
    """A rectangle in a plane of constant x, y or z.

    Attributes:
        axis: the coordinate that is constant; ``at`` is its value.
        u: where the picture's left and right edges are: x for planes of constant y and z, z for those of constant x.
        v: where its top and bottom edges are: y, or z for planes of constant y.
        texture: the picture.
        label: class of what it covers at least half; ``None`` for a shadow.
        outline: covers what gets the label, where that is not the picture itself.
    """

    axis: Literal["x", "y", "z"]
    at: float
    u: tuple[float, float]
    v: tuple[float, float]
    texture: Texture
    label: int | None
    outline: Texture | None = None

    @property
    def near(self) -> float:
        """Smallest z."""
        if self.axis == "z":
            return self.at
        return min(self.u) if self.axis == "x" else min(self.v)


def standing(x: float, z: float, size: tuple[float, float], texture: Texture, label: int, foot: float = 0.0) -> Quad:
    """Stand a picture of ``size`` (width, height) upright across the street, lower edge ``foot`` above the ground."""
    return Quad("z", z, (x - size[0] / 2, x + size[0] / 2), (foot + size[1], foot), texture, label)


def car_quads(
    x: float, z: float, paint: int, away: bool, light: float, camera_x: float, far: bool = False
) -> list[Quad]:
    """Return a car whose near end is at ``z``, in painting order; a ``far`` one is two flat pictures only."""
    half, margin = cars.WIDTH / 2, 0.05
    side = 1.0 if camera_x > x else -1.0  # the flank that is seen
    along = (z - margin, z + cars.LENGTH + margin) if away else (z + cars.LENGTH + margin, z - margin)
    flank_light = light * (0.86 if side < 0 else 1.0)
    ends = (x - half - margin, x + half + margin)
    step = 0.45 if away else 1.0  # the rear window stands closer to its end than the windscreen
    nose = not away
    if far:
        return [
            Quad("x", x + side * (half - 0.1), along, cars.span("whole"), cars.flank("whole", paint, flank_light), CAR),
            Quad("z", z, ends, cars.span("whole"), cars.end("whole", paint, nose, light), CAR),
        ]
    cabin, body = cars.span("cabin"), cars.span("body")
    return [
        Quad("x", x + side * (half - 0.16), along, cabin, cars.flank("cabin", paint, flank_light), CAR),
        Quad("x", x + side * (half - 0.01), along, body, cars.flank("body", paint, flank_light), CAR),
        Quad("z", z + step, ends, cabin, cars.end("cabin", paint, nose, light), CAR),
        Quad("z", z, ends, body, cars.end("body", paint, nose, light), CAR),
    ]


def car_shadow(x: float, z: float) -> Quad:
    """Return the shadow under a car."""
    half = cars.WIDTH / 2 + 0.12
    return Quad("y", 0.0, (x - half, x + half), (z - 0.25, z + cars.LENGTH + 0.25), furniture.shadow(True), None)


def round_shadow(x: float, z: float, radius: float) -> Quad:
    """Return the shadow of a crown or a person, thrown to the left."""
    return Quad("y", 0.0, (x - radius, x + radius), (z - radius, z + radius), furniture.shadow(False), None)


def tree_quad(x: float, z: float, look: int, scale: float) -> Quad:
    """Return a tree."""
    width, height = furniture.TREE_SIZE
    return standing(x, z, (width * scale, height * scale), furniture.tree(look), TREE)


def lamp_quad(x: float, z: float) -> Quad:
    """Return a lamp post whose arm reaches over the street."""
    return standing(x, z, furniture.LAMP_SIZE, furniture.lamp(x < 0), POLE)


def sign_quads(x: float, z: float, look: int) -> list[Quad]:
    """Return a sign on its post."""
    return [
        standing(x, z, (0.3, 2.6), furniture.post(), POLE),
        standing(x, z - 0.03, furniture.PLATE_SIZE, furniture.plate(look), SIGN, foot=1.95),
    ]


def railing_quad(side: int, z: float) -> Quad:
    """Return a railing beside the kerb, beginning at ``z``."""
    length, height = furniture.RAILING_SIZE
    at = side * (KERB + 0.25)
    return Quad("x", at, (z, z + length), (height, 0.0), furniture.railing(), FENCE, furniture.railing_outline())


def person_quad(x: float, z: float, look: int, phase: int, away: bool) -> Quad:
    """Return a walking person."""
    return standing(x, z, people.PERSON_SIZE, people.person(look, phase, away), PEDESTRIAN, foot=-0.05)


def cyclist_quad(x: float, z: float, look: int, phase: int, away: bool) -> Quad:
    """Return a person on a bicycle."""
    return standing(x, z, people.CYCLIST_SIZE, people.cyclist(look, phase, away), BICYCLIST, foot=-0.05)
