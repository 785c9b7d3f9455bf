"""The command group, and what becomes of errors."""

import os
import sys
from typing import NoReturn

import click

from edge_arseg import __version__
from edge_arseg.cli.lazy_group import LazyGroup
from edge_arseg.errors import ArsegError

COMMANDS = {
    "doctor": "doctor",
    "targets": "targets",
    "train": "train",
    "convert": "convert",
    "export": "export",
    "compile": "compile",
    "quantize": "quantize",
    "verify": "verify",
    "eval": "eval",
    "inspect": "inspect",
    "run": "run",
    "bench": "bench",
    "demo": "demo",
}
"""Command to the module of this package that defines it, in the order of the help."""


@click.command(cls=LazyGroup, modules=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
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
