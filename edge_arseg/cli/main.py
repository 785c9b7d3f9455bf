"""The command group, and what becomes of errors."""

import os
import sys
from typing import NoReturn

import click

from edge_arseg import __version__
from edge_arseg.cli.lazy_group import LazyGroup
from edge_arseg.errors import ArsegError

COMMANDS = {
    "doctor": "Say what this machine can do, what it lacks, and what to type about it.",
    "targets": "Boards that bundles are compiled for: list them, show one, or detect this one.",
    "train": "Train a model: prepare pairs of frames, then the HR branch on stills, then the LR branch on pairs.",
    "convert": "Convert a published CHECKPOINT to one .safetensors file.",
    "export": "Export a CHECKPOINT to a bundle of ONNX graphs, checked against torch.",
    "compile": "Compile a BUNDLE for a board.",
    "quantize": "Quantize a float32 BUNDLE, with ranges from clips.",
    "verify": "Check a BUNDLE: every file's digest, then its golden frames through the engines.",
    "eval": "Score a bundle on labelled frames, the way `run` would segment them.",
    "inspect": "Show what a BUNDLE holds: model, graphs, cost, origin; quantization, kernels and engines where it has "
    "them.",
    "run": "Segment SOURCE and write the result to every SINK.",
    "bench": "Time a bundle on SOURCE by mode, branch and stage, and say whether AR pays here.",
    "demo": "Segment INPUT, or a street drive rendered in code, and write a folder to look at.",
}
"""Command to the first sentence of its help, in the order of the help. Each is defined by the module of its name."""


@click.command(
    cls=LazyGroup,
    modules=dict(zip(COMMANDS, COMMANDS, strict=True)),
    shown=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="edge-arseg")
def cli() -> None:
    """Compile, run and measure AR-Seg video segmentation on edge boards."""


def main() -> NoReturn:
    """Run the command line and exit."""
    sys.exit(exit_code(sys.argv[1:]))


def exit_code(arguments: list[str]) -> int:
    """Run one command; print its result or its error, and return what to exit with."""
    try:
        code = cli.main(arguments, prog_name="edge-arseg", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone; say nothing at exit
        return 0
    except ArsegError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    except MemoryError:
        click.echo("error: not enough memory; try a smaller --size, or close other programs", err=True)
        return 6
    return code if isinstance(code, int) else 0
