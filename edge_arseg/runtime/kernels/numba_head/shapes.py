"""The sizes that a decode kernel is made for."""

from dataclasses import dataclass

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class DecodeShapes:
    """Sizes of one head, rows before columns.

    Scores are made at the feature's size. With ``upscale`` they grow by that factor, with half-pixel centres; without,
    they go to ``image``, where one is given. From there they go to the frame. Both of the latter with aligned corners,
    and only where sizes differ.

    Attributes:
        channels: of the feature.
        feature: size of the feature.
        frame: size of the class map.
        upscale: factor of the head, 1 for none.
        image: size of the image that the branch saw; ``None`` for a fused feature.
    """

    channels: int
    feature: Size
    frame: Size
    upscale: int = 1
    image: Size | None = None

    def resizes(self, axis: int) -> list[tuple[int, bool]]:
        """Return what happens along an axis (0 rows, 1 columns), in order: target length, and whether corners align."""
        steps = []
        if self.upscale != 1:
            steps.append((self.upscale * self.feature[axis], False))
        elif self.image is not None:
            steps.append((self.image[axis], True))
        return [*steps, (self.frame[axis], True)]
