"""A training, as it is shown while it runs and when it is done."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any

import click

from edge_arseg.cli.output import note, print_fields
from edge_arseg.cli.progress import STEPS, Meter


def show_training(
    train: Callable[..., Any], steps: int, place: dict[str, Any], following: str, *, command: str, run: Path
) -> None:
    """Train behind a meter, and print what came of it and what to type next; where it is interrupted, how it continues.

    Args:
        train: ``train_hr`` or ``train_lr`` with all arguments but ``place``, ``say`` and ``progress``.
        steps: of the training.
        place: fields of ``RunPlace``.
        following: the command to type next, with ``{run}`` for the folder of the run.
        command: that trains.
        run: the folder of the run.
    """
    from edge_arseg.training.run.place import RunPlace  # brings torch

    try:
        with Meter(unit=STEPS) as meter:  # the first step that is shown begins the count: a run may continue
            trained = train(place=RunPlace(**place), say=note, progress=partial(_show, meter, steps))
    except KeyboardInterrupt:
        if (run / "settings.json").exists():  # nothing was begun where it does not
            note(f"the run is kept as it was saved last; to continue it type {command} --resume {quote(str(run))}")
        raise
    score = "none, all images are trained on" if trained.miou is None else f"{trained.miou:.2f} %"
    print_fields(
        f"{trained.weights}: {trained.model}, {trained.branch}",
        [("steps", trained.steps), ("mIoU held back, best", score)],
    )
    click.echo(f"next: {following.format(run=quote(str(trained.weights.parent)))}")


def _show(meter: Meter, steps: int, step: int, loss: float, miou: float) -> None:
    score = "" if math.isnan(miou) else f", mIoU {miou:.2f} %"
    meter.show(step, steps, "training", detail=f"loss {loss:.3f}{score}")
