"""The same fusion as one writes it in PyTorch."""

import torch
import torch.nn.functional as F

from edge_arseg.spec.weights import FusionWeights

REACH, WINDOW = 3, 7


class TorchFusion(torch.nn.Module):
    """Warp, depthwise convolutions, attention by one shifted product per neighbour, residual; in halves on the GPU."""

    def __init__(self, weights: FusionWeights, factor: float, kind: torch.dtype, device: str = "cuda"):
        super().__init__()
        self.factor = factor
        for name in ("query", "key", "value"):
            for part in ("weight", "bias"):
                tensor = torch.from_numpy(getattr(weights, f"{name}_{part}")).to(device, kind)
                self.register_buffer(f"{name}_{part}", tensor)
        self.register_buffer("position_bias", torch.from_numpy(weights.position_bias).to(device).view(1, -1, 1, 1))

    def forward(self, key: torch.Tensor, flow: torch.Tensor, lr: torch.Tensor) -> torch.Tensor:
        """``key [1, C, h, w]``, ``flow [Hg, Wg, 2]``, ``lr [1, C, h', w']``."""
        height, width = key.shape[-2:]
        moved = F.interpolate(flow.permute(2, 0, 1)[None], (height, width), mode="bilinear", align_corners=True)
        moved = moved[0] * self.factor
        x = 2 * (torch.arange(width, device=key.device) + moved[0]) / (width - 1) - 1
        y = 2 * (torch.arange(height, device=key.device)[:, None] + moved[1]) / (height - 1) - 1
        warped = F.grid_sample(key, torch.stack((x, y), -1)[None].to(key.dtype), align_corners=False)
        base = F.interpolate(lr, (height, width), mode="bilinear", align_corners=True)
        query, near, value = (
            F.conv2d(
                feature, getattr(self, f"{name}_weight"), getattr(self, f"{name}_bias"), padding=1, groups=key.shape[1]
            )
            for feature, name in ((base, "query"), (warped, "key"), (warped, "value"))
        )
        near, value = (F.pad(feature, (REACH, REACH, REACH, REACH)) for feature in (near, value))
        places = [(dy, dx) for dy in range(WINDOW) for dx in range(WINDOW)]
        scores = [
            (query * near[:, :, dy : dy + height, dx : dx + width]).sum(1, keepdim=True, dtype=torch.float32)
            for dy, dx in places
        ]
        share = (torch.cat(scores, 1) + self.position_bias).softmax(1).to(key.dtype)
        total = base
        for k, (dy, dx) in enumerate(places):
            total = total + share[:, k : k + 1] * value[:, :, dy : dy + height, dx : dx + width]
        return total
