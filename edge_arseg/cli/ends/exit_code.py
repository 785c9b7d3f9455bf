"""What a command exits with, and the one line it says where it did not do what it was asked.

=====  =====================================================================================
code   meaning
=====  =====================================================================================
0      done; also where the reader of a pipe went away (``| head``)
1 - 6  see ``edge_arseg.errors``; 1 is a gate that failed, and nothing else
4      also a standard output that is full or closed
70     an error that nobody foresaw: a fault of this package
128+N  ended by signal N: 130 SIGINT, 143 SIGTERM, 129 SIGHUP
=====  =====================================================================================
"""

import errno
import io
import logging
import sys
from collections.abc import Callable

import click

from edge_arseg.cli.ends.signals import Interrupted
from edge_arseg.cli.ends.streams import OutputError
from edge_arseg.errors import ArsegError, SinkError
from edge_arseg.storage.standard_output import forget_stdout

BUG = 70
"""EX_SOFTWARE of sysexits.h."""

_STDOUT_FAILS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
_NO_TEMPORARY = "No usable temporary directory"
"""How ``tempfile`` begins where every folder that it knows is full or unwritable. PyTorch asks it in mid-run."""
_log = logging.getLogger(__name__)


def code_of_command(command: Callable[[], object]) -> int:
    """Run a command; print its error, if it has one, as one line on stderr.

    Args:
        command: ``click``'s main function without its own handling of errors; what it returns is the code if it is an
            integer.

    Returns:
        What to exit with.
    """
    try:
        try:
            answer = command()
        except click.exceptions.Exit as stop:  # --help and --version end like this
            answer = stop.exit_code
        sys.stdout.flush()
        return answer if isinstance(answer, int) else 0
    except (KeyboardInterrupt, click.Abort) as stop:
        # the context too: click before 8.2 raises Abort "from None"
        cause = (stop.__cause__ or stop.__context__) if isinstance(stop, click.Abort) else stop
        _say(str(cause) if isinstance(cause, Interrupted) else "interrupted")
        return 128 + (cause.number if isinstance(cause, Interrupted) else 2)
    except BaseException as error:
        return _code_of_error(error)


def _code_of_error(error: BaseException) -> int:
    if isinstance(error, click.ClickException):
        told = io.StringIO()
        error.show(told)
        _say(_shown(told.getvalue()).rstrip("\n"))
        return 2 if error.exit_code == 1 else error.exit_code  # click's own 1 is a usage error as well
    if isinstance(error, ArsegError):
        _say(f"error: {_shown(str(error))}")
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        forget_stdout()  # the reader has gone; say nothing at exit
        return 0
    if isinstance(error, OutputError) or (isinstance(error, OSError) and _is_of_stdout(error)):
        forget_stdout()
        _say(f"error: cannot write the standard output: {error.strerror}; redirect it elsewhere")
        return SinkError.exit_code
    if isinstance(error, FileNotFoundError) and str(error.strerror).startswith(_NO_TEMPORARY):
        _say(f"error: {error.strerror}; name one with room and type the same again: export TMPDIR=FOLDER")
        return SinkError.exit_code
    if isinstance(error, MemoryError):
        _say("error: not enough memory; close other programs, or try smaller pictures and numbers")
        return 6
    if isinstance(error, SystemExit) or not isinstance(error, Exception):
        raise error
    return _code_of_bug(error)


def _code_of_bug(error: Exception) -> int:
    """Say that an error is a fault of this package, in one line; the trace goes where -v or --log-file send it."""
    _log.debug("an error that nobody foresaw", exc_info=error)
    seen = " ".join(_shown(f"{type(error).__name__}: {error}").split())
    _say(
        f"error: unforeseen {seen}; this is a fault of edge-arseg: please report it ({_where_to_report()}) with the "
        "command line, and what `edge-arseg doctor` and the same command with -v print"
    )
    return BUG


def _where_to_report() -> str:
    """Return the address of the issue tracker as the installed package names it."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        urls = metadata("edge-arseg").get_all("Project-URL") or []
    except PackageNotFoundError:
        urls = []
    pairs = dict(url.split(", ", 1) for url in urls if ", " in url)
    wanted = (value for name, value in pairs.items() if name.lower() in ("issues", "bug tracker", "tracker", "bugs"))
    return next(wanted, "to the people from whom you have it")


def _is_of_stdout(error: OSError) -> bool:
    return error.filename is None and type(error) is OSError and error.errno in _STDOUT_FAILS and not _has_own_stdout()


def _has_own_stdout() -> bool:
    """Whether stdout is the one of ``open_streams``, whose faults are ``OutputError``."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return type(raw).__module__ == OutputError.__module__


def _say(line: str) -> None:
    from edge_arseg.cli.log import last_words

    last_words(line)


def _shown(message: str) -> str:
    """Return a message without logins: whatever was typed in a wrong place is repeated in it."""
    from edge_arseg.storage.url import text_without_logins

    return text_without_logins(message)
