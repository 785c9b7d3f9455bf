"""What the LR branch and the fusion are before the first step."""

import numpy as np

from edge_arseg.errors import OptionError
from edge_arseg.network.network import Network
from edge_arseg.spec.frame import Branch
from edge_arseg.training.lr.ablation import FUSION_CHOICES
from edge_arseg.training.lr.fusion_start import start_fusion
from edge_arseg.training.lr.pairs import LrPairs, spread_pairs
from edge_arseg.training.lr.train import LrSettings
from edge_arseg.training.lr.views import batch_from_views

MEASURED_PAIRS = 8


def start_network(network: Network, pairs: LrPairs, settings: LrSettings, start: str) -> None:
    """Bring a network to the start of a run, in ``eval`` mode.

    Args:
        network: with a trained HR branch.
        pairs: to measure features on.
        settings: of the run.
        start: ``hr``: the LR branch becomes a copy of the HR branch, and the fusion is set up on it; ``lr``: the LR
            branch stays, and the fusion is set up on it; ``all``: both stay. The decoder is the HR branch's.

    Raises:
        OptionError: see ``start_fusion``; or ``start`` names an LR branch that was never trained.
    """
    if start != "hr" and Branch.LR not in network.trained:
        raise OptionError(
            f"--start {start}: the LR branch of this model was never trained, only its HR branch; type --start hr"
        )
    network.eval()
    if start == "hr":
        network.lr.load_state_dict(network.hr.state_dict())
    network.lr_head.load_state_dict(network.hr_head.state_dict())
    if start == "all" or not FUSION_CHOICES[settings.fusion].uses_keyframe:
        return
    random = np.random.default_rng(settings.seed)
    views = [settings.augmentation.view(pair, random) for pair in spread_pairs(pairs.source, MEASURED_PAIRS)]
    device = next(network.parameters()).device
    batches = [batch_from_views(views[i : i + 2]).to(device) for i in range(0, len(views), 2)]
    start_fusion(network, batches, settings.lr_scale, settings.start)
