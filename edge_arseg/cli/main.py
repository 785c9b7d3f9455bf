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
    "doctor": "Say what this machine can do, what it lacks, and what to type about it.",
    "targets": "Boards that bundles are compiled for: list them, show one, or detect this one.",
    "zoo": "Bundles in the package: list them, say where one is, or copy one.",
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
    "tune": "Search the setting of BUNDLEs that holds the limits, with the highest mIoU.",
    "demo": "Segment INPUT, or a street drive rendered in code, and write a folder to look at.",
    "completion": "Print what makes SHELL complete commands, options, bundles, targets and backends.",
}
"""Command to the first sentence of its help, in the order of the help."""
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
