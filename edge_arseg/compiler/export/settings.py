"""What a set of graphs is exported for."""

from dataclasses import dataclass

from edge_arseg.arguments import is_number, named
from edge_arseg.errors import OptionError
from edge_arseg.spec.geometry.placement import FitKind
from edge_arseg.spec.model import lr_scale_fault, lr_size

_EXAMPLES = {
    "height": "--size 360x480",
    "width": "--size 360x480",
    "gop": "--gop 12",
    "flow_block": "--flow-block 4",
}
"""Fields that are whole numbers, with an option that sets them."""


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

    def __post_init__(self) -> None:
        """Take the name of a fit; refuse sizes that are no whole numbers.

        Raises:
            OptionError: there is no such fit, or a number is none.
        """
        object.__setattr__(self, "fit", named(FitKind, self.fit, "fit"))
        for name, example in _EXAMPLES.items():
            value = getattr(self, name)
            if not is_number(value, 1, whole=True):
                raise OptionError(f"{name} {value!r} seen, expected a whole number of at least 1, like {example}")
            object.__setattr__(self, name, int(value))
        if fault := lr_scale_fault(self.lr_scale):
            raise OptionError(f"{fault}, like --lr-scale 0.5")

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
