"""``edge-arseg train prepare``."""

from dataclasses import asdict
from pathlib import Path
from shlex import quote

import click

from edge_arseg.cli.options import SIZE, json_option
from edge_arseg.cli.output import megabytes, print_fields, print_json
from edge_arseg.cli.progress import CLIPS, Meter
from edge_arseg.cli.source import SOURCE
from edge_arseg.training.request import Request

DEFAULTS = Request()
_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("dataset", type=_PATH, required=False)
@click.option("-o", "--output", type=_PATH, required=True, help="Folder of the pairs; an unfinished one is continued.")
@click.option(
    "--layout",
    default=DEFAULTS.layout,
    show_default=True,
    help="Layout of the folders of DATASET; docs/training_data.md lists them.",
)
@click.option(
    "--held-back",
    "share",
    type=float,
    default=DEFAULTS.share,
    show_default=True,
    help="Share of DATASET, 0 to 1, that is scored on and not trained on.",
)
@click.option(
    "--clips-per-image",
    type=click.IntRange(1),
    default=DEFAULTS.clips_per_image,
    show_default=True,
    help="Number of clips that are made of each image.",
)
@click.option(
    "--street",
    type=click.IntRange(0),
    default=DEFAULTS.street,
    show_default=True,
    help="Number of clips of the rendered street.",
)
@click.option(
    "--clip",
    "clips",
    multiple=True,
    type=SOURCE,
    help="Clip with labels, which --labels names; may be given again. [default: none]",
)
@click.option(
    "--labels",
    multiple=True,
    type=_PATH,
    help="Folder of the labels of a --clip, in the same order; may be given again. [default: none]",
)
@click.option(
    "--unlabelled", multiple=True, type=SOURCE, help="Clip without labels; may be given again. [default: none]"
)
@click.option("--authors", type=_PATH, help="Folder of CamVid as the authors of AR-Seg processed it. [default: none]")
@click.option(
    "--classes",
    help="Classes of the labels: camvid-11, camvid-12, cityscapes-19 or a TOML file. [default: those of DATASET]",
)
@click.option("--size", type=SIZE, help="Rows x columns of the frames, in pixels. [default: those of the first image]")
@click.option(
    "--gop",
    type=click.IntRange(2, 1000),
    default=DEFAULTS.gop,
    show_default=True,
    help="Distance from keyframe to keyframe, in frames.",
)
@click.option(
    "--motion-mix",
    default=",".join(f"{motion}={share:g}" for motion, share in DEFAULTS.mix.items()),
    show_default=True,
    help="Shares of the clips by source of their motion vectors.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=DEFAULTS.seed,
    show_default=True,
    help="Seed of the random numbers, a number.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=DEFAULTS.workers,
    show_default=True,
    help="Number of clips that are made at once.",
)
@json_option
def prepare(
    dataset: Path | None,
    output: Path,
    layout: str,
    share: float,
    clips_per_image: int,
    street: int,
    clips: tuple[str, ...],
    labels: tuple[Path, ...],
    unlabelled: tuple[str, ...],
    authors: Path | None,
    classes: str | None,
    size: tuple[int, int] | None,
    gop: int,
    motion_mix: str,
    seed: int,
    workers: int,
    as_json: bool,
) -> None:
    """Make the pairs of frames that the LR branch is trained on.

    Stills of DATASET become short clips, encoded and decoded for real; real clips are taken as they are. Started again
    after any stop, it continues; with other sources, it adds to the store.
    """
    if len(clips) != len(labels):
        raise click.UsageError(
            f"{len(clips)} --clip and {len(labels)} --labels: give one folder of labels for each clip"
        )
    from edge_arseg.training.datasets.classes import classes_from_text
    from edge_arseg.training.pairs.mix import mix_from_text
    from edge_arseg.training.prepare import prepare_pairs

    request = Request(
        dataset=dataset,
        layout=layout,
        share=share,
        clips_per_image=clips_per_image,
        street=street,
        clips=(*zip(clips, labels, strict=True), *((clip, None) for clip in unlabelled)),
        authors=authors,
        classes=None if classes is None else classes_from_text(classes),
        size=size,
        gop=gop,
        mix=mix_from_text(motion_mix),
        seed=seed,
        workers=workers,
    )
    with Meter(unit=CLIPS) as meter:
        prepared = prepare_pairs(output, request, progress=meter.show)
    if as_json:
        print_json(asdict(prepared))
        return
    motion = ", ".join(f"{name} {count}" for name, count in prepared.motion.items())
    print_fields(
        prepared.store,
        [
            ("clips", f"{prepared.clips}, {prepared.new_clips} of them new, {prepared.labelled_clips} with labels"),
            ("pairs", f"{prepared.pairs['train']} to train on, {prepared.pairs['held_back']} held back"),
            ("frames", f"{prepared.height}x{prepared.width}, GOP {prepared.gop}, {prepared.classes} classes"),
            ("motion", motion),
            ("on disk", megabytes(prepared.bytes)),
        ],
    )
    store = "--pairs" if prepared.labelled_clips else "--unlabelled"
    click.echo(f"next: edge-arseg train lr HR_RUN {store} {quote(str(prepared.store))} -o RUN; train hr makes HR_RUN")
