"""One image with its label."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edge_arseg.errors import DataError
from edge_arseg.training.datasets.labels import LabelCoding, plain_coding
from edge_arseg.training.datasets.picture import read_rgb

_ANY = plain_coding(255)


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """An image file with its label file.

    Attributes:
        image: the picture.
        label: the label, of the same size.
        coding: what the values in ``label`` mean; by default class indices, of which only 255 is ignored.
    """

    image: Path
    label: Path
    coding: LabelCoding = field(default=_ANY, repr=False)

    @property
    def name(self) -> str:
        """The image's name without its ending."""
        return self.image.stem

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the picture and its label.

        Returns:
            ``[H, W, 3] uint8`` RGB and ``[H, W] uint8`` class indices, 255 where a pixel does not count.

        Raises:
            DataError: a file cannot be read, the sizes differ, or a label value means nothing.
        """
        rgb, label = read_rgb(self.image), self.coding.read(self.label)
        if rgb.shape[:2] != label.shape:
            raise DataError(
                f"{self.label.name}: {label.shape[0]}x{label.shape[1]} (rows x columns), "
                f"its image is {rgb.shape[0]}x{rgb.shape[1]}"
            )
        return rgb, label
