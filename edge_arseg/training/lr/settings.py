"""The recipe of a training of the LR branch; pure values, so that the command line can show them."""

from dataclasses import dataclass, field
from enum import Enum

from edge_arseg.training.run.settings import LATER, RunSettings


class Fst(str, Enum):
    """What teaches the LR branch beside labels: the rows of the paper's Table 3."""

    FULL = "full"
    NONE = "none"
    MSE = "mse"
    SHARED_CLASSIFIER = "decoder"
    """Named as in the paper, which calls the classifier a decoder."""
    KL = "kl"


class FusionParts(str, Enum):
    """Parts of CReFF that a training uses."""

    FULL = "full"
    NO_WARP = "no-warp"
    NO_ATTENTION = "no-attention"


class Distances(str, Enum):
    """Which pairs of a clip are trained on."""

    RANDOM = "random"
    FIXED = "fixed"
    GROWING = "growing"


class LrStart(str, Enum):
    """Where the LR branch and the fusion come from.

    ``HR``: the LR branch becomes a copy of the HR branch, and the fusion is set up on it; ``LR``: the LR branch stays,
    and the fusion is set up on it; ``ALL``: both stay.
    """

    HR = "hr"
    LR = "lr"
    ALL = "all"


SCORED_PAIRS = 90
"""Held-back pairs that are scored, at most."""

MOST_SHARPNESS, MOST_LOCALITY = 100.0, 1000.0
"""At either, one place of the window has taken all long before; far beyond, numbers end."""


@dataclass(frozen=True, slots=True)
class FusionStart:
    """Where the fusion starts.

    Attributes:
        share: of the keyframe's feature in the fused one; the LR branch gives ``1 - share``. ``None``: a half where the
            LR branch's output can be scaled (see ``scale_output``), else 0.
        sharpness: standard deviation of the similarities within a window, the mean over pixels. 0 averages over the
            window; far above 3, one neighbour takes all and no gradient reaches the others.
        locality: how much less a place is worth at first for each pixel that lies between it and the centre of the
            window: its position bias. 0, as in the paper, leaves it to the similarities, which on a smooth feature
            average over the window.
    """

    share: float | None = None
    sharpness: float = 1.0
    locality: float = 4.0


@dataclass(frozen=True, slots=True)
class PairAugmentation:
    """How a pair is varied.

    Attributes:
        size: rows and columns of the views; ``None`` for those of the frames.
        unchanged: share of views that keep scale and place, so that borders and sizes are those of inference. Only
            where ``size`` is that of the frames.
        zoom: smallest and largest scale of the others, drawn log-uniformly.
        mirrored: share that is mirrored.
        light: largest change of brightness, contrast, saturation and of each channel, as a share; alike in both frames.
        drift: largest difference of the same between the two frames.
    """

    size: tuple[int, int] | None = None
    unchanged: float = 0.5
    zoom: tuple[float, float] = (0.8, 1.6)
    mirrored: float = 0.5
    light: float = 0.3
    drift: float = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class LrSettings(RunSettings):
    """The recipe of a run. Weight decay is for the LR branch's convolutions alone.

    Attributes:
        lr_scale: size of the LR branch's image.
        supervision: a value of ``Fst``.
        feature_weight: factor of the feature loss (the paper's lambda).
        fusion: a value of ``FusionParts``.
        distances: a value of ``Distances``.
        unlabelled_share: of the pairs that the HR branch labels, where there are labelled ones too.
        confidence: least probability for such a label.
        start: of the fusion.
        augmentation: of the views.
        window: side of the attention's window; ``None`` for that of the model.
    """

    lr_scale: float = 0.5
    steps: int = 6000
    rate: float = 1e-3
    warmup: int = 100
    weight_decay: float = 0.02
    supervision: str = Fst.FULL.value
    feature_weight: float = 1.0
    fusion: str = FusionParts.FULL.value
    distances: str = Distances.RANDOM.value
    unlabelled_share: float = 0.5
    confidence: float = 0.9
    start: FusionStart = field(default_factory=FusionStart)
    augmentation: PairAugmentation = field(default_factory=PairAugmentation)
    window: int | None = field(default=None, metadata=LATER)
