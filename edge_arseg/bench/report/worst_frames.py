"""The frames that a bundle got most wrong, as pictures: frame, label, prediction, difference."""

import base64
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame.

    Attributes:
        title: run, frame, distance and score.
        panels: name of each picture, and the picture as PNG.
    """

    title: str
    panels: dict[str, bytes]

    @property
    def sources(self) -> dict[str, str]:
        """The pictures as ``data:`` URLs by name."""
        return {
            name: f"data:image/png;base64,{base64.b64encode(picture).decode()}" for name, picture in self.panels.items()
        }
