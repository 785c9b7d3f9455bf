"""What the training commands share: the options of a run, and how its steps are shown."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from edge_arseg.cli.settings.flag_with_value import FlagWithValue
from edge_arseg.cli.train.typed import IN_OUTPUT, folder_to_resume, typed_values, values_of_run
from edge_arseg.training.run.settings import RunSettings
from edge_arseg.training.run.step_precision import AUTO, PRECISIONS


class TrainedType(click.ParamType):
    """A trained network, which ``trained_from_name`` checks; a bundle's name in the package becomes its folder.

    So ``--resume`` finds it from any folder.
    """

    name = "path"

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path."""
        from edge_arseg.runtime.bundles.zoo import shipped_names

        path = Path(value)
        return path if path.exists() else shipped_names().get(str(value), path)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        """Return names in the package, and paths."""
        from click.shell_completion import CompletionItem

        from edge_arseg.runtime.bundles.zoo import shipped_names

        names = [CompletionItem(name) for name in shipped_names() if name.startswith(incomplete)]
        return [*names, CompletionItem(incomplete, type="file")]


TRAINED = TrainedType()

MAX_SEED = 2**63 - 1
"""Largest seed that PyTorch takes."""
MOST_STEPS, MOST_BATCH = 10**9, 4096


def run_options(defaults: RunSettings, subject: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the options of a run; the command gets them as two dictionaries.

    ``recipe``: ``--steps --batch --rate --encoder-rate --fixed-statistics --overlap --score-every --precision --seed``,
    by the names of the settings.
    ``place``: ``--device --threads --workers --resume``, and ``typed``, what a later ``--resume`` fills in.

    Args:
        defaults: of the options.
        subject: name of the command's argument, which a new run needs.
    """
    options = (
        ("recipe", "--steps", click.IntRange(1, MOST_STEPS), defaults.steps, "Number of steps of the optimizer."),
        ("recipe", "--batch", click.IntRange(1, MOST_BATCH), defaults.batch, "Number of training views in a step."),
        ("recipe", "--rate", click.FloatRange(0, min_open=True), defaults.rate, "Largest learning rate."),
        (
            "recipe",
            "--encoder-rate",
            click.FloatRange(0),
            defaults.encoder_rate,
            "Learning rate of the backbone's encoder, as a share of --rate.",
        ),
        (
            "recipe",
            "--overlap",
            click.FloatRange(0),
            defaults.overlap,
            "Factor of the soft Jaccard loss, beside cross entropy.",
        ),
        ("recipe", "--score-every", click.IntRange(1), defaults.score_every, "Number of steps from score to score."),
        (
            "recipe",
            "--precision",
            click.Choice([AUTO, *PRECISIONS]),
            defaults.precision,
            "Number format of the products; auto times a few steps in each and takes the faster.",
        ),
        (
            "recipe",
            "--seed",
            click.IntRange(0, MAX_SEED),
            defaults.seed,
            "Seed of the random numbers, a number: weights and training views.",
        ),
        ("place", "--device", str, "auto", "Device to train on: cpu, cuda, cuda:N, or auto."),
        ("place", "--threads", click.IntRange(1), None, "Number of CPU threads. [default: all cores]"),
        ("place", "--workers", click.IntRange(0), 1, "Number of processes that make training views."),
    )
    groups = {flag.strip("-").replace("-", "_"): group for group, flag, *_ in options}
    groups |= {"resume": "place", "typed": "place", "fixed_statistics": "recipe"}

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def with_run(**values: Any) -> Any:
            context = click.get_current_context()
            folder = folder_to_resume(values.pop("resume"), values["output"])
            values["resume"] = folder is not None
            if folder is not None:
                values = {**values_of_run(context, values, folder / "settings.json"), "output": folder}
            if values[subject] is None:
                raise click.UsageError(f"Missing argument '{subject.upper()}'.")
            values["typed"] = typed_values(context, values)
            for group in ("recipe", "place"):
                values[group] = {name: values.pop(name) for name, its in groups.items() if its == group}
            return command(**values)

        decorated = click.option(
            "--resume",
            cls=FlagWithValue,
            flag_value=IN_OUTPUT,
            metavar="[RUN]",
            help="Folder of a run that continues, by default that of -o. Nothing need be repeated, and a larger "
            "--steps lengthens the run. [default: a new run]",
        )(with_run)
        decorated = click.option(
            "--fixed-statistics",
            is_flag=True,
            help="Switch that keeps the statistics of the encoder's normalisation; for pretrained ones. [default: off]",
        )(decorated)
        for _, flag, kind, default, words in reversed(options):
            shown = default is not None
            decorated = click.option(flag, type=kind, default=default, show_default=shown, help=words)(decorated)
        return decorated

    return decorate
