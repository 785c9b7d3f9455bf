"""``edge-arseg train lr``."""

from pathlib import Path

import click

from edge_arseg.cli.host.checkpoint import PATH, require_host
from edge_arseg.cli.output import print_fields
from edge_arseg.cli.train.options import TrainingProgress, device_from_name, training_options


@click.command()
@click.argument("model", type=PATH)
@click.option("--pairs", type=PATH, help="Store of labelled pairs, from `train prepare`.")
@click.option("--unlabelled", type=PATH, multiple=True, help="Store of pairs that the HR branch labels; repeatable.")
@click.option("-o", "--output", type=PATH, required=True, help="Folder of the run.")
@click.option("--lr-scale", type=float, default=0.5, show_default=True, help="Size of the LR image.")
@click.option("--backbone", help="Backbone of your own, package.module:function, for a .safetensors file.")
@click.option(
    "--start",
    type=click.Choice(["hr", "lr", "all"]),
    default="hr",
    show_default=True,
    help="LR branch from the HR branch; LR branch of MODEL; LR branch and fusion of MODEL.",
)
@click.option("--share", type=float, help="Keyframe's share of the feature at first. [default: 0.5 where possible]")
@click.option("--sharpness", type=float, default=1.0, show_default=True, help="How sharply attention picks at first.")
@click.option(
    "--locality",
    type=float,
    default=4.0,
    show_default=True,
    help="How much less places further off are worth at first.",
)
@click.option(
    "--fst",
    type=click.Choice(["full", "none", "mse", "decoder", "kl"]),
    default="full",
    show_default=True,
    help="What teaches beside labels: the paper's Table 3.",
)
@click.option(
    "--overlap", type=click.FloatRange(0), default=0.5, show_default=True, help="Factor of the soft Jaccard loss."
)
@click.option("--feature-weight", type=float, default=1.0, show_default=True, help="Factor of the feature loss.")
@click.option(
    "--fusion",
    type=click.Choice(["full", "no-warp", "no-attention"]),
    default="full",
    show_default=True,
    help="Parts of the fusion that are used.",
)
@click.option(
    "--distances",
    type=click.Choice(["random", "fixed", "growing"]),
    default="random",
    show_default=True,
    help="Frames from the keyframe: any, the most, or more and more.",
)
@click.option("--unlabelled-share", type=float, default=0.5, show_default=True, help="Of the pairs, with --pairs.")
@click.option("--confidence", type=float, default=0.9, show_default=True, help="Least of a label by the HR branch.")
@click.option("--steps", type=click.IntRange(1), default=6000, show_default=True, help="Steps of the optimizer.")
@click.option("--batch", type=click.IntRange(1), default=8, show_default=True, help="Pairs a step.")
@click.option("--rate", type=float, default=1e-3, show_default=True, help="Largest learning rate.")
@click.option("--score-every", type=click.IntRange(1), default=250, show_default=True, help="Steps between scores.")
@click.option("--score-pairs", type=click.IntRange(1), default=90, show_default=True, help="Held-back pairs to score.")
@training_options
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
    fst: str,
    overlap: float,
    feature_weight: float,
    fusion: str,
    distances: str,
    unlabelled_share: float,
    confidence: float,
    steps: int,
    batch: int,
    rate: float,
    score_every: int,
    score_pairs: int,
    precision: str,
    seed: int,
    device: str,
    threads: int | None,
    workers: int,
    resume: bool,
) -> None:
    """Train the LR branch and the fusion on pairs of frames, taught by the HR branch of MODEL.

    MODEL is the folder of a run of `train hr` or `train lr`, or a .safetensors file. The run's folder holds its
    settings, log, curves, the best weights on what is held back of the pairs (best.safetensors, for `export`), the
    last weights, and all that --resume needs to go on after any stop.
    """
    if pairs is None and not unlabelled:
        raise click.UsageError("nothing to train on: give --pairs STORE, --unlabelled STORE, or both")
    require_host()
    import torch

    from edge_arseg.network.checkpoint.importer import weights_file
    from edge_arseg.network.checkpoint.safetensors_file import network_from_safetensors
    from edge_arseg.training.lr.fusion_start import FusionStart
    from edge_arseg.training.lr.pairs import pairs_from_stores
    from edge_arseg.training.lr.start import start_network
    from edge_arseg.training.lr.train import LrSettings, LrTraining
    from edge_arseg.training.run.folder import BEST, RunFolder, plot_curves

    settings = LrSettings(
        lr_scale=lr_scale,
        steps=steps,
        batch=batch,
        rate=rate,
        supervision=fst,
        overlap=overlap,
        feature_weight=feature_weight,
        fusion=fusion,
        distances=distances,
        unlabelled_share=unlabelled_share,
        confidence=confidence,
        score_every=score_every,
        precision=precision,
        seed=seed,
        start=FusionStart(share, sharpness, locality),
    )
    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(seed)
    network = network_from_safetensors(weights_file(model), backbone=backbone)
    place = device_from_name(device)
    network.to(place)
    found = pairs_from_stores(network, pairs, unlabelled, lr_scale=lr_scale, score_pairs=score_pairs)
    record = {"model": network.model.name, "backbone": network.model.backbone, "start": start, "clips": found.count}
    start_network(network, found, settings, start)
    folder = (RunFolder.resume if resume else RunFolder.create)(output, record | settings.record())
    training = LrTraining(network, found, settings, folder, device=place, workers=workers)
    if training.step < settings.steps:
        click.echo(training.settle_precision(), err=True)
    with TrainingProgress(settings.steps, training.step) as progress:
        training.run(progress.step)
    plot_curves(folder.records(), folder.path)
    print_fields(
        f"{output / BEST}: {network.model.name}, LR branch at {lr_scale:g}",
        [("steps", training.step), ("mIoU held back, best", f"{training.best:.2f} %")],
    )
