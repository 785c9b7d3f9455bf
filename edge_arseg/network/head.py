"""The last 1x1 convolution, and the resizing of its logits to the frame."""

from torch import Tensor, nn
from torch.nn import functional as F

from edge_arseg.network.layers import resize


class Head(nn.Module):
    """Feature to logits at frame size.

    Args:
        channels: of the feature.
        classes: number of classes.
        upscale: factor by which logits grow first, with half-pixel centres (BiSeNet: 8).
        log_probabilities: return log-softmax values, taken at the size of the branch's image (camvid-psp18).
    """

    def __init__(self, channels: int, classes: int, *, upscale: int = 1, log_probabilities: bool = False):
        super().__init__()
        self.classifier = nn.Conv2d(channels, classes, 1)
        self.upscale = upscale
        self.log_probabilities = log_probabilities

    def forward(self, feature: Tensor, image_size: tuple[int, int] | None, frame_size: tuple[int, int]) -> Tensor:
        """Decode ``feature [N, C, h, w]`` to ``[N, classes, *frame_size]``.

        Args:
            feature: of the HR or LR branch, or fused.
            image_size: size of the image that the branch saw; without ``upscale``, logits are resized to it first, as
                the reference does. ``None`` for a fused feature, which goes to the frame's size at once.
            frame_size: rows and columns of the frame.
        """
        scores = self.scores(feature, image_size)
        if self.log_probabilities:
            scores = F.log_softmax(scores, 1)
        return resize(scores, frame_size, align_corners=True)

    def scores(self, feature: Tensor, image_size: tuple[int, int] | None) -> Tensor:
        """Return ``[N, classes, h, w]``: upscaled where the head does so, else at ``image_size`` where one is given."""
        scores = self.classifier(feature)
        if self.upscale != 1:
            size = (self.upscale * scores.shape[2], self.upscale * scores.shape[3])
            return resize(scores, size, align_corners=False)
        if image_size is not None:
            return resize(scores, image_size, align_corners=True)
        return scores
