"""What a set of graphs is exported for."""

from dataclasses import dataclass

from edge_arseg.spec.geometry.placement import FitKind
from edge_arseg.spec.model import lr_size


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """Sizes and constants that are fixed in the graphs.

    Attributes:
        height, width: of the frame, pixels.
        lr_scale: size of the LR image over that of the frame, in (0, 1].
        gop: frames from one keyframe to the next, the paper's L.
        flow_block: side of a cell of the flow, luma pixels.
        fit: how a picture of another shape enters a frame, where nobody says otherwise.
    """

    height: int
    width: int
    lr_scale: float = 0.5
    gop: int = 12
    flow_block: int = 4
    fit: FitKind = FitKind.LETTERBOX

    @property
    def frame_size(self) -> tuple[int, int]:
        """Rows and columns of the frame."""
        return self.height, self.width

    @property
    def lr_size(self) -> tuple[int, int]:
        """Rows and columns of the LR image."""
        return lr_size(self.height, self.width, self.lr_scale)

    @property
    def flow_shape(self) -> tuple[int, int, int]:
        """Shape of the flow input."""
        return -(-self.height // self.flow_block), -(-self.width // self.flow_block), 2
