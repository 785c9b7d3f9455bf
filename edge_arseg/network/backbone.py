"""The backbone contract: image in, feature out.

A backbone is everything of a segmentation network in front of its last 1x1 convolution. AR-Seg uses two of the same
kind, one per branch, fuses their features and decodes both with one 1x1 convolution.

A worked example, for a feature at stride 8 with 256 channels::

    backbone.channels                     256
    backbone.stride                       8
    backbone.feature_size(96, 128)        (12, 16)
    backbone(image [1, 3, 96, 128])       [1, 256, 12, 16]
    backbone.feature_size(90, 122)        (12, 16)     rounded up, in whatever way the network rounds
    backbone(image [1, 3, 90, 122])       [1, 256, 12, 16]

Any image size from 8x8 up must work, in ``eval`` mode one image must not depend on the others in its batch, and only
operations that export to ONNX opset 18 may be used. ``edge_arseg.testing.backbone`` asks all of it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor, nn

from edge_arseg.spec.model import Normalisation


class Backbone(nn.Module, ABC):
    """Base class of all backbones. Set ``channels`` and ``stride`` and write two methods.

    Attributes:
        channels: of the feature.
        stride: nominal stride of the feature; for messages and tables only, sizes come from ``feature_size``.
        upscale: factor by which logits grow before they are resized to the image (BiSeNet: 8, half-pixel centres).
        log_probabilities: logits are log-softmax values (camvid-psp18). Does not change which class wins.
        normalisation: of images, as the encoder's published weights expect it; ``None`` leaves it to the data set.

    A backbone that can start from published weights holds what they fit in a module called ``encoder``.
    """

    channels: int
    stride: int
    upscale: int = 1
    log_probabilities: bool = False
    normalisation: Normalisation | None = None

    @abstractmethod
    def feature_size(self, height: int, width: int) -> tuple[int, int]:
        """Return rows and columns of the feature of a ``height x width`` image."""

    @abstractmethod
    def forward(self, image: Tensor) -> Tensor:
        """Map a normalised image ``[N, 3, H, W] float32`` to ``[N, channels, *feature_size(H, W)]``."""

    def deployed(self) -> "Backbone":
        """Return what is exported and whose cost counts: the same function in fewer operations, where there are such.

        The backbone itself stays as it is.
        """
        return self

    def encoder_weights(self, published: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Return the weights of a published file under the names that ``encoder`` gives them."""
        return published


def ceil_halvings(length: int, times: int) -> int:
    """Return ``length`` halved ``times`` times, rounded up each time: what stride-2 layers leave of it."""
    for _ in range(times):
        length = -(-length // 2)
    return length
