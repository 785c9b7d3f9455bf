"""What a model costs to compute."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """Multiply-accumulates per frame. 1 MAC = 2 FLOPs; the AR-Seg paper's "GFLOPs" are GMACs.

    Attributes:
        hr_macs: a keyframe: HR branch and head.
        lr_macs: LR branch alone, without its head.
        fuse_macs: CReFF (three depthwise convolutions, local attention) and head.
    """

    hr_macs: int
    lr_macs: int
    fuse_macs: int

    @property
    def non_key_macs(self) -> int:
        """A frame between keyframes."""
        return self.lr_macs + self.fuse_macs

    def mean_macs(self, gop: int) -> float:
        """Mean over a GOP of ``gop`` frames: one keyframe and ``gop - 1`` others."""
        return (self.hr_macs + (gop - 1) * self.non_key_macs) / gop

    def saving(self, gop: int) -> float:
        """Share of the HR-only cost that is saved, 0 to 1."""
        return 1.0 - self.mean_macs(gop) / self.hr_macs
