"""What commands tell: to stderr as much as is asked for, to a file all of it."""

import logging
import os
import platform
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import click

from edge_arseg import __version__
from edge_arseg.cli.service.log_file import LogFile
from edge_arseg.cli.service.log_format import NOTE, OWN, PLAIN, line_of, priority_mark, record_of
from edge_arseg.cli.settings.common import Common
from edge_arseg.errors import ArsegError, SinkError
from edge_arseg.storage.fault import advice_on
from edge_arseg.storage.url import HIDDEN, label_of, text_without_logins

_PACKAGE = logging.getLogger("edge_arseg")
_MARKS = {logging.WARNING: "warning: "}
_STAMP = re.compile(rb'(\{"time": ")?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d')
_SECRET_OPTION = re.compile(r"--(?:[a-z]+-)*(?:token|password|secret|key)")
_form = PLAIN
"""Of stderr, in the command that runs now or has just ended."""


class _Terminal(logging.Handler):
    """Lines on stderr as it is when they are told, a warning in yellow where that is a terminal."""

    def emit(self, record: logging.LogRecord) -> None:
        mark = priority_mark(record.levelno)
        if _form != PLAIN:
            click.echo("\n".join(mark + line for line in line_of(record, _form).split("\n")), err=True)
            return
        line = text_without_logins(record.getMessage())
        if mark:  # the journal shows the level itself
            click.echo("\n".join(mark + one for one in line.split("\n")), err=True)
            return
        mark = _MARKS.get(record.levelno, "")
        if record.levelno < NOTE and record.name != OWN:
            mark = f"{record.name.removeprefix('edge_arseg.')}: "
        line = mark + line
        click.echo(click.style(line, fg="yellow", bold=True) if record.levelno == logging.WARNING else line, err=True)


@contextmanager
def told(common: Common) -> Iterator[None]:
    """Tell what the options ask for, and why the command ended, if it did not end as it should.

    The error itself is raised on: whoever runs the command prints it on stderr.

    Raises:
        SinkError: the file cannot be written, or holds something that is no log.
    """
    try:
        _begin(common)
        yield
    except click.exceptions.Exit:
        raise
    except (KeyboardInterrupt, click.Abort):
        _tell(logging.ERROR, "interrupted", to=(LogFile,))
        raise
    except (ArsegError, click.ClickException, MemoryError, BrokenPipeError) as error:
        _tell(logging.ERROR, str(error) or type(error).__name__, to=(LogFile,))
        raise
    except Exception as error:
        trace = "".join(traceback.format_exception(error))
        _tell(logging.ERROR, trace, to=(LogFile,))
        if common.verbose:
            click.echo(text_without_logins(trace), err=True, nl=False)
        raise
    finally:
        _end()


def _begin(common: Common) -> None:
    global _form
    _end()
    _form = common.log_format
    logging.addLevelName(NOTE, "NOTE")
    level = logging.DEBUG if common.verbose > 1 else logging.INFO if common.verbose else NOTE
    if common.quiet and not common.verbose:
        level = logging.WARNING
    handlers: list[logging.Handler] = [_Terminal(level)]
    if common.log_file is not None:
        handlers.append(_opened(common.log_file))
    _PACKAGE.setLevel(min(level, logging.INFO) if common.log_file else level)
    for handler in handlers:
        _PACKAGE.addHandler(handler)
    python = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    _tell(logging.INFO, f"edge-arseg {__version__}, {python}: {shown_command(sys.argv[1:])}")


def shown_command(arguments: Sequence[str]) -> str:
    """Return the arguments of a command as they may be shown: each without its login, and no secret of an option.

    A login may hold blanks, so this is done before they are joined.
    """
    shown: list[str] = []
    for before, argument in pairwise(("", *arguments)):
        secret = _SECRET_OPTION.fullmatch(before) is not None
        name, equals, value = (
            argument.partition("=") if argument.startswith("--") and not secret else ("", "", argument)
        )
        secret = secret or (equals != "" and _SECRET_OPTION.fullmatch(name) is not None)
        shown.append(name + equals + (HIDDEN if secret and not value.startswith("@") else label_of(value)))
    return " ".join(shown)


def _end() -> None:
    """Tell nothing any more, and close the file."""
    for handler in _handlers():
        _PACKAGE.removeHandler(handler)
        handler.close()
    _PACKAGE.setLevel(logging.NOTSET)


def inform(line: str) -> None:
    """Tell what only ``-v`` shows."""
    _tell(logging.INFO, line)


def note(line: str) -> None:
    """Tell what everybody is told who did not ask for quiet."""
    if not _tell(NOTE, line):
        click.echo(line, err=True)


def warn(line: str) -> None:
    """Tell what the user has to know."""
    if not _tell(logging.WARNING, line):
        click.echo(f"warning: {line}", err=True)


def last_words(line: str) -> None:
    """Tell why a command ended, when nobody else is told anything any more."""
    global _form
    form, _form = _form, PLAIN
    mark = priority_mark(logging.ERROR)
    if form == PLAIN and not mark:
        click.echo(line, err=True)
        return
    plain = line.removeprefix("error: ")
    shown = plain if form == PLAIN else line_of(record_of(logging.ERROR, plain), form)
    click.echo("\n".join(mark + one for one in shown.split("\n")), err=True)


def is_quiet() -> bool:
    """Whether only warnings and errors are shown."""
    return any(isinstance(handler, _Terminal) and handler.level > NOTE for handler in _handlers())


def _handlers() -> list[logging.Handler]:
    return [handler for handler in _PACKAGE.handlers if isinstance(handler, (_Terminal, LogFile))]


def _tell(level: int, line: str, *, to: tuple[type[logging.Handler], ...] = (logging.Handler,)) -> bool:
    """Hand a line of the command line's own to who shows it; ``False`` where nobody was told to yet."""
    record = record_of(level, line)
    for handler in _handlers():
        if isinstance(handler, to) and level >= max(handler.level, _PACKAGE.level):
            handler.handle(record)
    return bool(_handlers())


def _opened(path: Path) -> LogFile:
    try:
        if path.is_file() and path.stat().st_size:
            with path.open("rb") as file:
                if not _STAMP.match(file.read(32)):
                    raise SinkError(f"--log-file {path}: holds something that is no log; choose another name")
        elif os.path.lexists(path) and path.is_dir():
            raise SinkError(f"--log-file {path}: is a folder; name a file in it")
        path.parent.mkdir(parents=True, exist_ok=True)
        return LogFile(path, _form)
    except SinkError:
        raise
    except OSError as error:
        raise SinkError(f"cannot write --log-file {path}: {advice_on(error, path)}") from error
