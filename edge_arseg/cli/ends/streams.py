"""The standard streams of a command: a fault of stdout is told from any other, and one of stderr costs nothing."""

import io
import os
import sys

from edge_arseg.cli.ends.unread import Messages


class OutputError(OSError):
    """The standard output cannot be written to."""


class _Output(io.FileIO):
    """Descriptor 1; what cannot be written raises ``OutputError``, or ``BrokenPipeError`` where the reader has gone."""

    def write(self, data: object) -> int | None:  # type: ignore[override]
        try:
            return super().write(data)  # type: ignore[arg-type]
        except BrokenPipeError as error:
            # without its number: click would exit with 1 for that, which is a gate's code
            raise BrokenPipeError("the reader has gone") from error
        except OSError as error:
            raise OutputError(error.errno, error.strerror) from error


def open_streams() -> None:
    """Put streams in the place of ``sys.stdout`` and ``sys.stderr`` that fail as this module says.

    Of closed ones, stdin is replaced by one from which nothing comes, stdout by a descriptor that cannot be written to:
    the next file opened would take its number, and be read as a video, or get what is meant for stdout. A closed stderr
    is replaced by one that takes everything.
    """
    if sys.stdin is None:
        _take_number(0, os.O_RDONLY)
    if sys.stdout is None:
        _take_number(1, os.O_RDONLY)
    if sys.stderr is None:
        _take_number(2, os.O_WRONLY)
    sys.stdout = _text(_Output(1, "w", closefd=False), sys.stdout, errors="strict")
    sys.stderr = _text(Messages(2), sys.stderr, errors="backslashreplace", lines=True)


def _take_number(number: int, flags: int) -> None:
    opened = os.open(os.devnull, flags)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)


def _text(raw: io.FileIO, before: io.TextIOBase | object, *, errors: str, lines: bool = False) -> io.TextIOWrapper:
    encoding = getattr(before, "encoding", None) or "utf-8"
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding,
        getattr(before, "errors", None) or errors,
        line_buffering=lines or raw.isatty(),
    )
