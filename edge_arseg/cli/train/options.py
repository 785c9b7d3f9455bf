"""What the training commands share: options, the device, progress."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from edge_arseg.errors import EnvironmentUnfitError, OptionError

if TYPE_CHECKING:
    import torch

HEARTBEAT_S = 10.0


def training_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--precision --seed --device --threads --workers --resume``."""
    for decorate in reversed(
        (
            click.option(
                "--precision",
                type=click.Choice(["auto", "bfloat16", "float32"]),
                default="auto",
                show_default=True,
                help="Number format of the products. auto times a few steps of each and uses the faster.",
            ),
            click.option("--seed", type=int, default=1, show_default=True, help="Of weights and views."),
            click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:N, or auto."),
            click.option("--threads", type=click.IntRange(1), help="CPU threads. [default: all cores]"),
            click.option("--workers", type=click.IntRange(0), default=1, show_default=True, help="Augment in so many."),
            click.option("--resume", is_flag=True, help="Go on with the run in the folder."),
        )
    ):
        command = decorate(command)
    return command


def device_from_name(name: str) -> "torch.device":
    """Return the device; ``auto`` is a CUDA GPU where there is one.

    Raises:
        OptionError: not a device.
        EnvironmentUnfitError: a GPU that is not there.
    """
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise OptionError(f"--device {name}: expected cpu, cuda, cuda:N or auto") from error
    if device.type not in ("cpu", "cuda"):
        raise OptionError(f"--device {name}: expected cpu, cuda, cuda:N or auto")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise EnvironmentUnfitError(f"--device {name}: torch sees {torch.cuda.device_count()} GPUs; try --device cpu")
    return device


class TrainingProgress:
    """Tells on stderr how far a training is, every ten seconds."""

    def __init__(self, steps: int, done: int):
        """``steps`` of the whole run, of which ``done`` were done before."""
        self._steps, self._done = steps, done
        self._start = self._told = time.monotonic()

    def __enter__(self) -> "TrainingProgress":
        return self

    def step(self, step: int, loss: float, miou: float) -> None:
        """Count a step."""
        now = time.monotonic()
        if now - self._told < HEARTBEAT_S and step != self._steps:
            return
        self._told = now
        each = (now - self._start) / max(1, step - self._done)
        minutes, seconds = divmod(round(each * (self._steps - step)), 60)
        scored = "" if miou != miou else f", mIoU {miou:.2f} %"
        click.echo(
            f"step {step} of {self._steps}, loss {loss:.3f}{scored}, {each:.2f} s a step, {minutes}:{seconds:02} to go",
            err=True,
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held open."""
