"""What a trained model is, apart from its weights: its classes, the normalisation of its images, its cost."""

import math
from dataclasses import dataclass
from numbers import Real


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """One class: its name and its colour for pictures, ``(red, green, blue)``, 0 to 255."""

    name: str
    color: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Normalisation:
    """Per-channel constants of ``(rgb / 255 - mean) / std``, red, green, blue."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def _classes(table: str) -> tuple[ClassInfo, ...]:
    """Read lines of ``name red green blue``."""
    rows = [line.split() for line in table.strip().splitlines()]
    return tuple(ClassInfo(name, (int(red), int(green), int(blue))) for name, red, green, blue in rows)


CAMVID_12 = _classes("""
    sky 128 128 128
    building 128 0 0
    column_pole 192 192 128
    road 128 64 128
    sidewalk 0 0 192
    tree 128 128 0
    sign 192 128 128
    fence 64 64 128
    car 64 0 128
    pedestrian 64 64 0
    bicyclist 0 128 192
    void 0 0 0
""")
"""The AR-Seg authors' CamVid labelling: class 11, void, is trained and scored like the others."""

CAMVID_11 = CAMVID_12[:11]
"""The usual CamVid labelling: 11 classes, everything else is ignored (label 255, or 11 in index images)."""

CITYSCAPES_19 = _classes("""
    road 128 64 128
    sidewalk 244 35 232
    building 70 70 70
    wall 102 102 156
    fence 190 153 153
    pole 153 153 153
    traffic_light 250 170 30
    traffic_sign 220 220 0
    vegetation 107 142 35
    terrain 152 251 152
    sky 70 130 180
    person 220 20 60
    rider 255 0 0
    car 0 0 142
    truck 0 0 70
    bus 0 60 100
    train 0 80 100
    motorcycle 0 0 230
    bicycle 119 11 32
""")
"""The 19 Cityscapes training classes with their official colours."""

CAMVID_NORMALISATION = Normalisation(
    mean=(0.39068785, 0.40521392, 0.41434407), std=(0.29652068, 0.30514979, 0.30080369)
)
"""The authors' CamVid constants, for both backbones."""

IMAGENET_NORMALISATION = Normalisation(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
"""The authors' constants for cityscapes-psp18."""

CITYSCAPES_NORMALISATION = Normalisation(mean=(0.3257, 0.3690, 0.3223), std=(0.2112, 0.2148, 0.2115))
"""The authors' constants for cityscapes-bise18."""


WINDOW = 7
"""Side of the attention's window in the paper and in published checkpoints, and the largest there is."""
WINDOWS = (3, 5, WINDOW)
"""Sides that a window may have."""

MOST_CLASSES = 255
"""Classes that a map of bytes can tell apart, beside 255, which is no class."""


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model's identity.

    Attributes:
        name: for people and file names, like ``camvid-bise18``.
        backbone: registered name of the backbone, or ``package.module:function``.
        classes: in the order of the class indices.
        normalisation: of the images it was trained on.
        window: side of the window that a pixel of the fusion attends to, one of ``WINDOWS``.
    """

    name: str
    backbone: str
    classes: tuple[ClassInfo, ...]
    normalisation: Normalisation
    window: int = WINDOW


def model_faults(model: Model) -> list[str]:
    """Return what is well formed in a description of a model but cannot be meant, a line each."""
    faults = [f"name: {fault}" for fault in name_faults(model.name)]
    if not 1 <= len(model.classes) <= MOST_CLASSES:
        faults.append(f"classes: {len(model.classes)} seen, expected 1 to {MOST_CLASSES}")
    for number, one in enumerate(model.classes):
        if not all(0 <= part <= 255 for part in one.color):
            faults.append(f"classes.{number}.color: {list(one.color)} seen, expected three numbers from 0 to 255")
    mean, std = model.normalisation.mean, model.normalisation.std
    if not all(math.isfinite(value) for value in (*mean, *std)) or min(std) <= 0:
        faults.append(f"normalisation: mean {list(mean)}, std {list(std)} seen, expected numbers, and std above 0")
    return faults


def name_faults(name: str) -> list[str]:
    """Return why a name cannot be a part of the name of a file; nothing where it can."""
    if name.strip() and name.isprintable() and not set(name) & {"/", "\\"} and not name.startswith("."):
        return []
    return [f"{name!r} seen, expected a plain name, without / and \\ and with no . in front, that a file can have"]


def lr_scale_fault(scale: object) -> str:
    """Return why something is no size of the LR image over that of the frame; empty where it is one."""
    if isinstance(scale, Real) and not isinstance(scale, bool) and 0.0 < float(scale) <= 1.0:
        return ""
    seen = f"{scale:g}" if isinstance(scale, float) else repr(scale)
    return f"LR scale {seen} seen, expected more than 0, up to 1"


def lr_size(height: int, width: int, lr_scale: float) -> tuple[int, int]:
    """Return the size of the LR branch's image: products truncated in double precision, as the reference does.

    ``lr_size(720, 960, 0.7)`` is ``(503, 672)``: 720 * 0.7 is 503.99999999999994.
    """
    return int(height * lr_scale), int(width * lr_scale)


@dataclass(frozen=True, slots=True)
class Cost:
    """Multiply-accumulates per frame. 1 MAC = 2 FLOPs; the AR-Seg paper's "GFLOPs" are GMACs.

    Attributes:
        hr_macs: a keyframe: HR branch and head.
        lr_macs: LR branch alone, without its head.
        fuse_macs: CReFF (three depthwise convolutions, local attention) and head.
    """

    hr_macs: int
    lr_macs: int
    fuse_macs: int

    @property
    def non_key_macs(self) -> int:
        """A frame between keyframes."""
        return self.lr_macs + self.fuse_macs

    def mean_macs(self, gop: int) -> float:
        """Mean over a GOP of ``gop`` frames: one keyframe and ``gop - 1`` others."""
        return (self.hr_macs + (gop - 1) * self.non_key_macs) / gop

    def saving(self, gop: int) -> float:
        """Share of the HR-only cost that is saved, 0 to 1."""
        return 1.0 - self.mean_macs(gop) / self.hr_macs
