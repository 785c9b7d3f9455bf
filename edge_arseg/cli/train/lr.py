"""``edge-arseg train lr``."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from edge_arseg.cli.host.checkpoint import PATH, require_host
from edge_arseg.cli.train.options import TRAINED, run_options
from edge_arseg.cli.train.showing import show_training
from edge_arseg.spec.model import WINDOWS
from edge_arseg.training.lr.settings import (
    MOST_LOCALITY,
    MOST_SHARPNESS,
    SCORED_PAIRS,
    Distances,
    Fst,
    FusionParts,
    FusionStart,
    LrSettings,
    LrStart,
)

DEFAULTS = LrSettings()


@click.command()
@click.argument("model", type=TRAINED, required=False)
@click.option("--pairs", type=PATH, help="Folder of labelled pairs, from `train prepare`. [default: none]")
@click.option(
    "--unlabelled",
    type=PATH,
    multiple=True,
    help="Folder of pairs that the HR branch labels; may be given again. [default: none]",
)
@click.option("-o", "--output", type=PATH, help="Folder of a new run. [default: none; needed without --resume]")
@click.option(
    "--lr-scale",
    type=click.FloatRange(0, 1, min_open=True),
    default=DEFAULTS.lr_scale,
    show_default=True,
    help="Size of the LR image as a share of the frame's, 0 to 1.",
)
@click.option(
    "--backbone", help="Backbone of your own, package.module:function, for a .safetensors file. [default: named in it]"
)
@click.option(
    "--start",
    type=click.Choice([start.value for start in LrStart]),
    default=LrStart.HR.value,
    show_default=True,
    help="Weights at the start: hr, the LR branch is a copy of the HR branch; lr, the LR branch of MODEL; all, LR "
    "branch and fusion of MODEL.",
)
@click.option(
    "--share",
    type=click.FloatRange(0, 1, max_open=True),
    help="Share of the keyframe's feature in the fused one at the start, 0 to 1. [default: 0.5 where possible]",
)
@click.option(
    "--sharpness",
    type=click.FloatRange(0, MOST_SHARPNESS),
    default=DEFAULTS.start.sharpness,
    show_default=True,
    help=f"Sharpness of the attention at the start, a factor of its similarities, 0 to {MOST_SHARPNESS:g}.",
)
@click.option(
    "--locality",
    type=click.FloatRange(0, MOST_LOCALITY),
    default=DEFAULTS.start.locality,
    show_default=True,
    help=f"Position bias of the attention at the start, a penalty per pixel of distance, 0 to {MOST_LOCALITY:g}.",
)
@click.option(
    "--window",
    type=click.Choice([str(side) for side in WINDOWS]),
    help="Side of the window that a pixel of the fusion attends to; a smaller one is faster. [default: that of MODEL; "
    "7 after `train hr`]",
)
@click.option(
    "--fst",
    type=click.Choice([fst.value for fst in Fst]),
    default=DEFAULTS.supervision,
    show_default=True,
    help="Feature similarity training, the teacher beside the labels, as in Table 3 of the paper.",
)
@click.option(
    "--feature-weight",
    type=click.FloatRange(0),
    default=DEFAULTS.feature_weight,
    show_default=True,
    help="Factor of the feature loss.",
)
@click.option(
    "--fusion",
    type=click.Choice([parts.value for parts in FusionParts]),
    default=DEFAULTS.fusion,
    show_default=True,
    help="Parts of the fusion that are used.",
)
@click.option(
    "--distances",
    type=click.Choice([distances.value for distances in Distances]),
    default=DEFAULTS.distances,
    show_default=True,
    help="Distances from the keyframe to train on: random ones, the largest alone, or growing ones.",
)
@click.option(
    "--unlabelled-share",
    type=click.FloatRange(0, 1),
    default=DEFAULTS.unlabelled_share,
    show_default=True,
    help="Share of unlabelled pairs in a batch, 0 to 1, where --pairs is given too.",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1),
    default=DEFAULTS.confidence,
    show_default=True,
    help="Probability of the HR branch, 0 to 1, from which its class counts as a label.",
)
@click.option(
    "--score-pairs",
    type=click.IntRange(1),
    default=SCORED_PAIRS,
    show_default=True,
    help="Number of held-back pairs that are scored.",
)
@run_options(DEFAULTS, "model")
def lr(
    model: Path,
    pairs: Path | None,
    unlabelled: tuple[Path, ...],
    output: Path,
    lr_scale: float,
    backbone: str | None,
    start: str,
    share: float | None,
    sharpness: float,
    locality: float,
    window: str | None,
    fst: str,
    feature_weight: float,
    fusion: str,
    distances: str,
    unlabelled_share: float,
    confidence: float,
    score_pairs: int,
    recipe: dict[str, Any],
    place: dict[str, Any],
) -> None:
    """Train the LR branch and the fusion on pairs of frames.

    The HR branch of MODEL teaches them. MODEL is the folder of a run of `train hr` or `train lr`, a .safetensors file,
    or a bundle: its folder, or its name in the package (`zoo list`). The run's folder holds its settings, log, curves,
    the best weights on what is held back of the pairs (best.safetensors, for `export`), the last weights, and all that
    `--resume RUN` needs to continue after any stop.
    """
    require_host()
    from edge_arseg.training.lr.train import train_lr

    settings = LrSettings(
        lr_scale=lr_scale,
        supervision=fst,
        feature_weight=feature_weight,
        fusion=fusion,
        distances=distances,
        unlabelled_share=unlabelled_share,
        confidence=confidence,
        start=FusionStart(share, sharpness, locality),
        window=None if window is None else int(window),
        **recipe,
    )
    train = partial(
        train_lr,
        model,
        output,
        settings,
        pairs=pairs,
        unlabelled=unlabelled,
        backbone=backbone,
        start=LrStart(start),
        scored_pairs=score_pairs,
    )
    following = "edge-arseg export {run} -o NAME.arseg"
    show_training(train, settings.steps, place, following, command="edge-arseg train lr", run=output)
