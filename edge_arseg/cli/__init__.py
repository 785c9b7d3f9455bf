"""The command line: parse, call one library function, print.

Results go to stdout, the log to stderr. Exit codes are those of ``edge_arseg.errors``, 2 for usage, 130 when
interrupted. Each command imports what it needs inside its body: ``--help`` and the device half never load torch.
"""

from edge_arseg.cli.main import cli, main

__all__ = ["cli", "main"]
