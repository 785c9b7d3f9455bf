"""The command group."""

import gc
import os
import sys
from typing import NoReturn

import click

from edge_arseg import __version__
from edge_arseg.cli.ends.exit_code import code_of_command
from edge_arseg.cli.ends.left_behind import leave_if_threads_stay
from edge_arseg.cli.ends.signals import ended_by_signals
from edge_arseg.cli.ends.streams import open_streams
from edge_arseg.cli.lazy_group import LazyGroup
from edge_arseg.cli.settings.common import common_options

COMMANDS = {
    "doctor": "Say what this machine can do, and what to type for the rest.",
    "targets": "List the target boards, show one, or detect this one.",
    "zoo": "List, locate or copy the bundles in the package.",
    "train": "Train a model: the HR branch, then the LR branch on pairs.",
    "convert": "Convert a published CHECKPOINT to one .safetensors file.",
    "export": "Export a CHECKPOINT to a bundle of checked ONNX graphs.",
    "compile": "Compile a BUNDLE for a board.",
    "quantize": "Quantize a BUNDLE, with ranges from clips.",
    "verify": "Check a BUNDLE: every file's digest, and the golden frames.",
    "eval": "Score a bundle on labelled frames.",
    "inspect": "Show what a BUNDLE holds: model, graphs, cost and origin.",
    "run": "Segment SOURCE and write the result to every SINK.",
    "bench": "Time a bundle on SOURCE, and say whether AR-Seg pays here.",
    "report": "Make a page of RECORDs, compare them, or check requirements.",
    "tune": "Search the setting with the highest mIoU within your limits.",
    "demo": "Segment INPUT, or a rendered street, into a folder.",
    "completion": "Print what makes SHELL complete commands and their values.",
}
"""Command to the first sentence of its help, in the order of the help; short, so that 80 columns show all of it."""
_ROOMS = {
    "train": "train.group",
    "run": "run.run",
    "bench": "bench.bench",
    "report": "bench.report",
    "tune": "bench.tune",
    **{command: f"host.{command}" for command in ("convert", "export", "compile", "quantize")},
}
"""Command to its module; the others are ``device.COMMAND``."""


def _module(command: str) -> str:
    return _ROOMS.get(command, f"device.{command}")


EPILOG = (
    "Every option can also be set by a variable of the environment (EDGE_ARSEG_RUN_STREAM for run --stream) and in a "
    "file (--config); --print-config behind a command shows what counts. The command line wins over the environment, "
    "and the environment over the file."
)


@click.command(
    cls=LazyGroup,
    modules={command: _module(command) for command in COMMANDS},
    shown=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    params=common_options(),
    epilog=EPILOG,
)
@click.version_option(__version__, prog_name="edge-arseg")
def cli() -> None:
    """Compile, run and measure AR-Seg video segmentation on edge boards."""


def main() -> NoReturn:
    """Run the command line and exit."""
    gc.disable()  # what is imported stays: looking through it again and again takes a tenth of the start
    open_streams()

    def command() -> object:
        with ended_by_signals():
            return _click(sys.argv[1:])

    code = code_of_command(command)
    leave_if_threads_stay(code)
    sys.exit(code)


def exit_code(arguments: list[str]) -> int:
    """Run one command; print its result or its error, and return what to exit with."""
    return code_of_command(lambda: _click(arguments))


def _click(arguments: list[str]) -> object:
    from edge_arseg.storage.url import keep_typed

    keep_typed([*arguments, *(value for name, value in os.environ.items() if name.startswith("EDGE_ARSEG_"))])
    return cli.main(arguments, prog_name="edge-arseg", standalone_mode=False)
