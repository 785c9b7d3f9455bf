"""What a trained model is, apart from its weights."""

from dataclasses import dataclass

from edge_arseg.spec.classes import ClassInfo, Normalisation


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model's identity.

    Attributes:
        name: for people and file names, like ``camvid-bise18``.
        backbone: registered name of the backbone, or ``package.module:function``.
        classes: in the order of the class indices.
        normalisation: of the images it was trained on.
    """

    name: str
    backbone: str
    classes: tuple[ClassInfo, ...]
    normalisation: Normalisation


def lr_size(height: int, width: int, lr_scale: float) -> tuple[int, int]:
    """Return the size of the LR branch's image: products truncated in double precision, as the reference does.

    ``lr_size(720, 960, 0.7)`` is ``(503, 672)``: 720 * 0.7 is 503.99999999999994.
    """
    return int(height * lr_scale), int(width * lr_scale)
