"""How a line that is told looks: as people read it, with its level, or as JSON."""

import json
import logging
import os
import sys
import time

from edge_arseg.storage.url import text_without_logins

PLAIN, LEVELS, JSON = FORMATS = ("plain", "levels", "json")

NOTE = 25
"""Between what is told with ``-v`` and warnings: what keeps the user waiting, what was chosen, how far it is."""

OWN = "edge-arseg"
"""Name of the command line's own lines, which are no messages of the library and go to no logger."""

_NAMES = {
    logging.DEBUG: "debug",
    logging.INFO: "info",
    NOTE: "note",
    logging.WARNING: "warning",
    logging.ERROR: "error",
}
_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, NOTE: 5, logging.WARNING: 4, logging.ERROR: 3}
"""Of syslog, as journald reads them in front of a line: ``<4>`` is a warning."""


def line_of(record: logging.LogRecord, form: str) -> str:
    """Return the line or lines of a record, without logins, in ``levels`` or ``json``."""
    message = text_without_logins(record.getMessage())
    if record.exc_info:
        message += "\n" + text_without_logins(logging.Formatter().formatException(record.exc_info))
    level = _NAMES.get(record.levelno, record.levelname.lower())
    if form == JSON:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z"
        fields = {"time": moment, "level": level, "logger": record.name, "message": message}
        return json.dumps(fields, ensure_ascii=False)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(record.created))
    return f"{moment} {level.upper()} {record.name}: {message}"


def record_of(level: int, line: str) -> logging.LogRecord:
    """Return a line of the command line's own as a record."""
    return logging.LogRecord(OWN, level, "", 0, "%s", (line,), None)


def priority_mark(level: int) -> str:
    """Return what journald reads as the priority of a line, where it reads stderr; else nothing."""
    return f"<{_PRIORITIES.get(level, 6)}>" if _journal_reads() else ""


def _journal_reads() -> bool:
    """Whether stderr is the very stream that systemd says it has connected to the journal."""
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        here = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return (device, inode) == (str(here.st_dev), str(here.st_ino))
