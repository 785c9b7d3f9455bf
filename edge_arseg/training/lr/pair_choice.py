"""A few pairs out of many: to score on, to measure on."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from edge_arseg.network.network import Network
from edge_arseg.training.lr.views import PairSource
from edge_arseg.training.pairs.pair import Pair


def spread_pairs(source: PairSource, count: int) -> list[Pair]:
    """Choose up to ``count`` pairs, spread evenly over clips, and over the distances of each."""
    clips = len(source.clips)
    rounds = -(-count // clips)
    chosen: list[tuple[int, int]] = []
    for turn in range(rounds):
        wanted = min(clips, count - turn * clips)
        for place in range(wanted):
            clip = place * clips // wanted
            distances = len(source.clips[clip].distances)
            if turn < distances:
                step = max(1, distances // rounds)
                chosen.append((clip, ((place if rounds == 1 else clip) + turn * step) % distances))
    return [source.pair(clip, i) for clip, i in chosen]


@torch.inference_mode()
def taught_pairs(network: Network, pairs: Sequence[Pair], device: torch.device) -> list[Pair]:
    """Replace the labels of pairs by what the HR branch, in ``eval`` mode, says about their frames."""
    network.to(device)
    labels = (network.hr_logits(torch.from_numpy(pair.frame).to(device))[0].argmax(0) for pair in pairs)
    return [replace(pair, label=label.to(torch.uint8).cpu().numpy()) for pair, label in zip(pairs, labels, strict=True)]
