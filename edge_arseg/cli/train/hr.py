"""``edge-arseg train hr``."""

from dataclasses import replace
from pathlib import Path

import click

from edge_arseg.cli.host.checkpoint import PATH, require_host
from edge_arseg.cli.options import SIZE
from edge_arseg.cli.output import print_fields
from edge_arseg.cli.train.options import TrainingProgress, device_from_name, training_options


@click.command()
@click.argument("dataset", type=PATH)
@click.option("-o", "--output", type=PATH, required=True, help="Folder of the run.")
@click.option("--layout", default="auto", show_default=True, help="Layout of DATASET; see docs/training_data.md.")
@click.option("--backbone", default="compact", show_default=True, help="Backbone, built in or module:function.")
@click.option("--steps", type=click.IntRange(1), default=8000, show_default=True, help="Steps of the optimizer.")
@click.option("--batch", type=click.IntRange(1), default=8, show_default=True, help="Views a step.")
@click.option("--crop", type=SIZE, default="288x384", show_default=True, help="Rows x columns of a view.")
@click.option("--rate", type=float, default=2e-3, show_default=True, help="Largest learning rate.")
@click.option(
    "--dropout", type=click.FloatRange(0, 1, max_open=True), default=0.1, show_default=True, help="Of channels."
)
@click.option(
    "--overlap", type=click.FloatRange(0), default=0.5, show_default=True, help="Factor of the soft Jaccard loss."
)
@click.option("--weight-decay", type=float, default=0.05, show_default=True, help="Of the convolutions.")
@click.option(
    "--augmentation",
    type=click.Choice(["strong", "light"]),
    default="strong",
    show_default=True,
    help="strong for a start from nothing, light to finish.",
)
@click.option("--from", "start", type=PATH, help="Start from these weights: a run's folder or a .safetensors file.")
@click.option("--street", type=click.IntRange(0), default=100, show_default=True, help="Rendered pictures to mix in.")
@click.option("--score-every", type=click.IntRange(1), default=250, show_default=True, help="Steps between scores.")
@training_options
def hr(
    dataset: Path,
    output: Path,
    layout: str,
    backbone: str,
    steps: int,
    batch: int,
    crop: tuple[int, int],
    rate: float,
    dropout: float,
    overlap: float,
    weight_decay: float,
    augmentation: str,
    start: Path | None,
    street: int,
    score_every: int,
    precision: str,
    seed: int,
    device: str,
    threads: int | None,
    workers: int,
    resume: bool,
) -> None:
    """Train the HR branch on the labelled images of DATASET.

    The run's folder holds its settings, log, curves, the best weights on what is held back of the training images
    (best.safetensors), the last weights, and all that --resume needs to go on after any stop.
    """
    require_host()
    import torch

    from edge_arseg.network.network import Network
    from edge_arseg.spec.classes import CAMVID_11
    from edge_arseg.spec.model import Model
    from edge_arseg.training.datasets.classes import normalisation_of
    from edge_arseg.training.datasets.layouts import dataset_from_folder
    from edge_arseg.training.hr.augmentation import AUGMENTATIONS
    from edge_arseg.training.hr.start import start_from
    from edge_arseg.training.hr.stills import checked_crop, stills_from_images, stills_from_street
    from edge_arseg.training.hr.train import HrSettings, HrTraining
    from edge_arseg.training.run.folder import BEST, RunFolder, plot_curves

    settings = HrSettings(
        steps=steps,
        batch=batch,
        rate=rate,
        dropout=dropout,
        overlap=overlap,
        weight_decay=weight_decay,
        score_every=score_every,
        precision=precision,
        seed=seed,
        augmentation=replace(AUGMENTATIONS[augmentation], crop=checked_crop(crop)),
    )
    found = dataset_from_folder(dataset, layout)
    if street and found.classes != CAMVID_11:
        raise click.UsageError(f"--street has CamVid's 11 classes, {found.name} has others; type --street 0")
    record = {"dataset": found.name, "images": len(found.train), "backbone": backbone, "street": street}
    record |= {"start": start.name if start else None} | settings.record()
    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(seed)
    name = f"{found.name}-{backbone.partition(':')[0].rpartition('.')[2]}"
    network = Network(Model(name, backbone, found.classes, normalisation_of(found.name)))
    if start is not None:
        start_from(network, start)
    chosen = device_from_name(device)
    folder = (RunFolder.resume if resume else RunFolder.create)(output, record)
    stills, held_back = stills_from_images(found.train), stills_from_images(found.held_back)
    rendered = stills_from_street(street, size=stills[0].rgb.shape[:2], seed=seed)
    training = HrTraining(network, stills, rendered, held_back, settings, folder, device=chosen, workers=workers)
    if training.step < settings.steps:
        click.echo(training.settle_precision(), err=True)
    with TrainingProgress(settings.steps, training.step) as progress:
        training.run(progress.step)
    plot_curves(folder.records(), folder.path)
    print_fields(
        f"{output / BEST}: {network.model.name}, HR branch",
        [("steps", training.step), ("mIoU held back, best", f"{training.best:.2f} %")],
    )
