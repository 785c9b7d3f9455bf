"""The command group, and what becomes of errors."""

import errno
import io
import os
import sys
from contextlib import suppress
from typing import NoReturn

import click

from edge_arseg import __version__
from edge_arseg.cli.lazy_group import LazyGroup
from edge_arseg.errors import ArsegError, SinkError

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
    "report": "Make a page of the RECORDs that `bench -o` wrote, compare them, and hold requirements against them.",
    "demo": "Segment INPUT, or a street drive rendered in code, and write a folder to look at.",
}
"""Command to the first sentence of its help, in the order of the help."""
_HOST = ("convert", "export", "compile", "quantize")


def _module(command: str) -> str:
    if command == "train":
        return "train.group"
    return f"{'host' if command in _HOST else 'device'}.{command}"


_STDOUT_FAILS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


@click.command(
    cls=LazyGroup,
    modules={command: _module(command) for command in COMMANDS},
    shown=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="edge-arseg")
def cli() -> None:
    """Compile, run and measure AR-Seg video segmentation on edge boards."""


def main() -> NoReturn:
    """Run the command line and exit."""
    if sys.stdout is None:  # closed: the next file opened would take its number, and get what is meant for it
        sys.stdout = open(os.open(os.devnull, os.O_RDONLY), "w")  # noqa: SIM115, PTH123
    sys.exit(exit_code(sys.argv[1:]))


def exit_code(arguments: list[str]) -> int:
    """Run one command; print its result or its error, and return what to exit with."""
    try:
        code = cli.main(arguments, prog_name="edge-arseg", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        told = io.StringIO()
        error.show(told)
        click.echo(_shown(told.getvalue()), err=True, nl=False)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except BrokenPipeError:
        _forget_stdout()  # the reader has gone; say nothing at exit
        return 0
    except ArsegError as error:
        click.echo(f"error: {_shown(str(error))}", err=True)
        return error.exit_code
    except OSError as error:
        if error.filename is not None or error.errno not in _STDOUT_FAILS:
            raise
        _forget_stdout()
        click.echo(f"error: cannot write the standard output: {error.strerror}; redirect it elsewhere", err=True)
        return SinkError.exit_code
    except MemoryError:
        click.echo("error: not enough memory; try a smaller --size, or close other programs", err=True)
        return 6
    return code if isinstance(code, int) else 0


def _shown(message: str) -> str:
    """Return a message without logins: whatever was typed in a wrong place is repeated in it."""
    from edge_arseg.storage.url import text_without_logins

    return text_without_logins(message)


def _forget_stdout() -> None:
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
