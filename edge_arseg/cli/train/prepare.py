"""``edge-arseg train prepare``."""

import math
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_arseg.cli.options import SIZE, json_option
from edge_arseg.cli.output import megabytes, print_fields, print_json
from edge_arseg.cli.source import SOURCE

if TYPE_CHECKING:
    from edge_arseg.spec.model import ClassInfo

_PATH = click.Path(path_type=Path)
_HEARTBEAT_S = 10.0


@click.command()
@click.argument("dataset", type=_PATH, required=False)
@click.option("-o", "--output", type=_PATH, required=True, help="Folder of the pair store; an unfinished one goes on.")
@click.option("--layout", default="auto", show_default=True, help="Layout of DATASET; see docs/training_data.md.")
@click.option("--held-back", "share", type=float, default=0.1, show_default=True, help="Share of DATASET not trained.")
@click.option("--clips-per-image", type=click.IntRange(1), default=6, show_default=True, help="Drives through a still.")
@click.option("--street", type=click.IntRange(0), default=0, show_default=True, help="Clips of the rendered street.")
@click.option(
    "--clip", "clips", multiple=True, type=SOURCE, help="Real clip with labels; may be given again. Needs --labels."
)
@click.option("--labels", multiple=True, type=_PATH, help="Labels of the --clip given at the same place.")
@click.option("--unlabelled", multiple=True, type=SOURCE, help="Clip without labels; may be given again.")
@click.option("--authors", type=_PATH, help="The AR-Seg authors' processed CamVid folder.")
@click.option("--classes", help="camvid-11, camvid-12, cityscapes-19 or a TOML file. [default: those of DATASET]")
@click.option("--size", type=SIZE, help="Rows x columns of the frames. [default: those of the first image]")
@click.option("--gop", type=click.IntRange(2), default=12, show_default=True, help="Frames from keyframe to keyframe.")
@click.option(
    "--motion-mix", default="recode=0.8,codec=0.1,zero=0.1", show_default=True, help="Where the vectors come from."
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of everything drawn.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Clips in the making at once.")
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
    after any stop, it goes on; with other sources, it adds to the store.
    """
    if len(clips) != len(labels):
        raise click.UsageError(
            f"{len(clips)} --clip and {len(labels)} --labels: give one folder of labels for each clip"
        )
    from edge_arseg.training.pairs.jobs import mix_from_text
    from edge_arseg.training.pairs.store import PairStore
    from edge_arseg.training.prepare import Request, store_from_request

    request = Request(
        dataset=dataset,
        layout=layout,
        share=share,
        clips_per_image=clips_per_image,
        street=street,
        clips=(*zip(clips, labels, strict=True), *((clip, None) for clip in unlabelled)),
        authors=authors,
        classes=None if classes is None else _classes(classes),
        size=size,
        gop=gop,
        mix=mix_from_text(motion_mix),
        seed=seed,
        workers=workers,
    )
    made = store_from_request(output, request, progress=_Told().show)
    whole = PairStore(output, part="all", labelled=None)
    counts = {
        part: sum(len(entry.distances) for entry in whole.clips if entry.part == part)
        for part in ("train", "held_back")
    }
    motions = Counter(entry.motion for entry in whole.clips)
    bytes_there = sum(file.stat().st_size for file in (output / "clips").glob("*.npy"))
    result = {
        "store": str(output),
        "new_clips": made,
        "clips": len(whole.clips),
        "pairs": counts,
        "labelled_clips": sum(entry.labelled for entry in whole.clips),
        "height": whole.height,
        "width": whole.width,
        "gop": whole.gop,
        "classes": len(whole.classes),
        "motion": dict(sorted(motions.items())),
        "bytes": bytes_there,
    }
    if as_json:
        print_json(result)
        return
    print_fields(
        str(output),
        [
            ("clips", f"{len(whole.clips)}, {made} of them new, {result['labelled_clips']} with labels"),
            ("pairs", f"{counts['train']} to train on, {counts['held_back']} held back"),
            ("frames", f"{whole.height}x{whole.width}, GOP {whole.gop}, {len(whole.classes)} classes"),
            ("motion", ", ".join(f"{name} {count}" for name, count in sorted(motions.items()))),
            ("on disk", megabytes(bytes_there)),
        ],
    )


def _classes(text: str) -> "tuple[ClassInfo, ...]":
    from edge_arseg.spec.model import CAMVID_11, CAMVID_12, CITYSCAPES_19
    from edge_arseg.training.datasets.classes import classes_from_file

    known = {"camvid-11": CAMVID_11, "camvid-12": CAMVID_12, "cityscapes-19": CITYSCAPES_19}
    return known[text] if text in known else classes_from_file(Path(text))


class _Told:
    """Tells on stderr how far it is and how long it will take, every ten seconds and at the end."""

    def __init__(self) -> None:
        self._what = ""
        self._start = self._told = time.monotonic()
        self._start_done = 0

    def show(self, done: int, total: int, what: str) -> None:
        """Count ``done`` of ``total`` clips; a new ``what`` starts the clock again."""
        now = time.monotonic()
        if what != self._what:
            self._what, self._start, self._told, self._start_done = what, now, now, done
            click.echo(f"{what}: {done} of {total} clips are there", err=True)
        elif now - self._told >= _HEARTBEAT_S or done == total:
            self._told = now
            rate = (done - self._start_done) / max(now - self._start, 1e-9)
            left = (total - done) / rate if rate else math.inf
            click.echo(f"{what}: {done} of {total} clips, {rate:.1f} a second, {left:.0f} s to go", err=True)
