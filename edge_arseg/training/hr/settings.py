"""The recipe of a training of the HR branch; pure values, so that the command line can show them."""

from dataclasses import dataclass, field

from edge_arseg.training.run.settings import LATER, RunSettings


@dataclass(frozen=True, slots=True)
class StillAugmentation:
    """How a still is varied. Shares and ranges are drawn uniformly unless said otherwise.

    Attributes:
        crop: rows and columns of the view.
        zoom: smallest and largest scale, drawn log-uniformly.
        turn: largest rotation either way, degrees.
        stretch: largest change of the aspect ratio, as a factor above 1.
        light: largest change of brightness, contrast, saturation and of each channel, as a share.
        blur: share of views that are blurred.
        coded: share of views that are encoded with x264 and decoded.
    """

    crop: tuple[int, int] = (288, 384)
    zoom: tuple[float, float] = (0.7, 1.8)
    turn: float = 4.0
    stretch: float = 1.15
    light: float = 0.35
    blur: float = 0.15
    coded: float = 0.6


MOST_BALANCE = 4.0
"""Largest exponent of the class weights: those of a rare class are then some thousand times those of a frequent one."""

AUGMENTATIONS = {
    "strong": StillAugmentation(),
    "light": StillAugmentation(zoom=(0.8, 1.5), turn=2.0, stretch=1.1, light=0.2, blur=0.1, coded=0.5),
}
"""By name: for a start from nothing, and for the last part of a training."""


USUAL_BACKBONE = "compact"


@dataclass(frozen=True, slots=True, kw_only=True)
class HrSettings(RunSettings):
    """The recipe of a run.

    Attributes:
        backbone: that is trained; see ``backbone_from_name``. ``None``: that of the weights to start from, else
            ``USUAL_BACKBONE``.
        street: rendered pictures to mix in, of the synthetic street.
        dropout: share of the feature's channels that are left out of a view.
        rendered_share: share of views that show a rendered picture.
        class_balance: exponent of the class weights; see ``class_weights``.
        all_images: the images that would be held back are trained on, too; then nothing is scored.
        boundary: how much more a pixel beside another class counts in the cross entropy; 1 counts it twice.
        teacher_classes: factor of the divergence from a teacher's classes, where there is a teacher.
        teacher_feature: factor of the difference from its feature.
        augmentation: of the views.
    """

    steps: int = 8000
    rate: float = 2e-3
    warmup: int = 200
    weight_decay: float = 0.05
    backbone: str | None = None
    street: int = 100
    dropout: float = 0.1
    rendered_share: float = 0.08
    class_balance: float = field(default=0.5, metadata=LATER)
    all_images: bool = field(default=False, metadata=LATER)
    boundary: float = field(default=0.0, metadata=LATER)
    teacher_classes: float = field(default=1.0, metadata=LATER)
    teacher_feature: float = field(default=0.0, metadata=LATER)
    augmentation: StillAugmentation = field(default_factory=StillAugmentation)
