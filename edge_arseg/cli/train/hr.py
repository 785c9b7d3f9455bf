"""``edge-arseg train hr``."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from edge_arseg.cli.host.checkpoint import PATH, require_host
from edge_arseg.cli.options import SIZE
from edge_arseg.cli.train.options import TRAINED, run_options
from edge_arseg.cli.train.showing import show_training
from edge_arseg.training.hr.settings import AUGMENTATIONS, MOST_BALANCE, USUAL_BACKBONE, HrSettings

DEFAULTS = HrSettings()


@click.command()
@click.argument("dataset", type=PATH, required=False)
@click.option("-o", "--output", type=PATH, help="Folder of a new run. [default: none; needed without --resume]")
@click.option(
    "--layout",
    default="auto",
    show_default=True,
    help="Layout of the folders of DATASET; docs/training_data.md lists them.",
)
@click.option(
    "--backbone",
    help="Backbone, built in, timm:NAME[,stride=4], or module:function. "
    f"[default: that of --from, else {USUAL_BACKBONE}]",
)
@click.option(
    "--crop",
    type=SIZE,
    default="{}x{}".format(*DEFAULTS.augmentation.crop),
    show_default=True,
    help="Rows x columns of a training view, in pixels.",
)
@click.option(
    "--dropout",
    type=click.FloatRange(0, 1, max_open=True),
    default=DEFAULTS.dropout,
    show_default=True,
    help="Share of the feature's channels, 0 to 1, that a training view leaves out.",
)
@click.option(
    "--weight-decay",
    type=click.FloatRange(0),
    default=DEFAULTS.weight_decay,
    show_default=True,
    help="Weight decay of the convolutions, per step.",
)
@click.option(
    "--augmentation",
    type=click.Choice(list(AUGMENTATIONS)),
    default=next(iter(AUGMENTATIONS)),
    show_default=True,
    help="Augmentation of the training views: strong for a start from nothing, light to finish.",
)
@click.option(
    "--from",
    "start",
    type=TRAINED,
    help="Weights to start from: the folder of a run, a .safetensors file, or a bundle or its name in the package. "
    "[default: random]",
)
@click.option(
    "--weights",
    type=PATH,
    help="Published weights that the backbone's encoder starts from, a .pth or .safetensors file. [default: random]",
)
@click.option(
    "--teacher",
    type=TRAINED,
    help="Network that teaches beside the labels, named like --from. [default: none]",
)
@click.option(
    "--teacher-classes",
    type=click.FloatRange(0),
    default=DEFAULTS.teacher_classes,
    show_default=True,
    help="Factor of the divergence from the teacher's classes.",
)
@click.option(
    "--teacher-feature",
    type=click.FloatRange(0),
    default=DEFAULTS.teacher_feature,
    show_default=True,
    help="Factor of the difference from the teacher's feature, of the same shape.",
)
@click.option(
    "--class-balance",
    type=click.FloatRange(0, MOST_BALANCE),
    default=DEFAULTS.class_balance,
    show_default=True,
    help=f"Exponent of the class weights, a number from 0 to {MOST_BALANCE:g}: 0 weighs all classes alike, a larger "
    "one rare ones more.",
)
@click.option(
    "--all-images",
    is_flag=True,
    help="Switch that trains on the held-back images too, for a last run: nothing is scored, and its last weights "
    "are the result. [default: off]",
)
@click.option(
    "--boundary",
    type=click.FloatRange(0),
    default=DEFAULTS.boundary,
    show_default=True,
    help="Factor that is added to the weight of pixels beside another class.",
)
@click.option(
    "--street",
    type=click.IntRange(0),
    default=DEFAULTS.street,
    show_default=True,
    help="Number of rendered street pictures that are mixed in.",
)
@run_options(DEFAULTS, "dataset")
def hr(
    dataset: Path,
    output: Path,
    layout: str,
    backbone: str | None,
    crop: tuple[int, int],
    dropout: float,
    weight_decay: float,
    augmentation: str,
    start: Path | None,
    weights: Path | None,
    teacher: Path | None,
    teacher_classes: float,
    teacher_feature: float,
    class_balance: float,
    all_images: bool,
    boundary: float,
    street: int,
    recipe: dict[str, Any],
    place: dict[str, Any],
) -> None:
    """Train the HR branch on the labelled images of DATASET.

    The run's folder holds its settings, log, curves, the best weights on what is held back of the training images
    (best.safetensors), the last weights, and all that `--resume RUN` needs to continue after any stop.
    """
    require_host()
    from edge_arseg.training.hr.train import train_hr

    settings = HrSettings(
        backbone=backbone,
        street=street,
        teacher_classes=teacher_classes,
        teacher_feature=teacher_feature,
        class_balance=class_balance,
        all_images=all_images,
        boundary=boundary,
        dropout=dropout,
        weight_decay=weight_decay,
        augmentation=replace(AUGMENTATIONS[augmentation], crop=crop),
        **recipe,
    )
    train = partial(train_hr, dataset, output, settings, layout=layout, start=start, weights=weights, teacher=teacher)
    following = "edge-arseg train lr {run} --pairs PAIRS -o RUN; train prepare makes PAIRS"
    show_training(train, settings.steps, place, following, command="edge-arseg train hr", run=output)
