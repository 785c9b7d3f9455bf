"""Every error the package raises on purpose.

::

    ArsegError                                  exit code
    ├── GateError                               1   a requested gate failed
    ├── OptionError       (also ValueError)     2   an option or argument cannot be used
    ├── UnfitError                              3   something given or found does not fit
    │   ├── CheckpointError (also ValueError)       a checkpoint or backbone
    │   ├── BundleError     (also ValueError)       a bundle: damaged, edited, of another revision
    │   ├── DataError       (also ValueError)       labels or data sets
    │   ├── TargetError     (also ValueError)       a file in targets/
    │   └── EnvironmentUnfitError                   a missing library, device or permission
    ├── SourceError       (also OSError)        4   a video, camera or stream cannot be read
    │   ├── MotionError                             it can be, but has no motion of the kind asked for
    │   ├── StreamError   (also OptionError)    2   it can be, but has no video stream of the number asked for
    │   └── LoginError                              the server refuses the login, or wants one
    ├── SinkError         (also OSError)        4   a result cannot be written
    ├── ExportError                             5   a graph cannot be exported, or differs from the network
    ├── BuildError                              5   an engine cannot be built
    └── MemoryExhaustedError (also MemoryError) 6   not enough memory

A message says what was seen, what was expected, and what to type next. The command line prints the
message and exits with ``exit_code``; a trace is shown only for errors that are *not* in this tree: those are bugs.
"""

import typing

E = typing.TypeVar("E", bound="ArsegError")


class ArsegError(Exception):
    """Base of all errors raised on purpose.

    Attributes:
        exit_code: what the command line exits with.
        transient: the same may go well another time, though nothing was installed or written meanwhile.
    """

    exit_code = 3
    transient = False


class GateError(ArsegError):
    """A check that the user asked for did not pass."""

    exit_code = 1


class OptionError(ArsegError, ValueError):
    """An option or argument has a value that cannot be used."""

    exit_code = 2


class UnfitError(ArsegError):
    """Something given or found here does not fit."""

    exit_code = 3


class CheckpointError(UnfitError, ValueError):
    """A checkpoint file or backbone cannot be turned into a network."""


class BundleError(UnfitError, ValueError):
    """A bundle is missing, damaged, edited, or of an unknown revision."""


class DataError(UnfitError, ValueError):
    """Labels or a data set do not fit together."""


class TargetError(UnfitError, ValueError):
    """A file that describes a target has faults."""


class EnvironmentUnfitError(UnfitError):
    """A library, device or permission that is needed is missing."""


class SourceError(ArsegError, OSError):
    """A video, camera or stream cannot be read."""

    exit_code = 4


class MotionError(SourceError):
    """A source has no motion of the kind that was asked for; opening it again does not help."""


class StreamError(OptionError, SourceError):
    """A source has no video stream of the number that was asked for."""

    exit_code = 2


class LoginError(SourceError):
    """A server refuses the login, or wants one; opening it again does not help."""


class SinkError(ArsegError, OSError):
    """A result cannot be written."""

    exit_code = 4


class ExportError(ArsegError):
    """A graph cannot be exported, or does not compute what the network computes."""

    exit_code = 5


class BuildError(ArsegError):
    """An engine cannot be built."""

    exit_code = 5


class MemoryExhaustedError(ArsegError, MemoryError):
    """There is not enough memory."""

    exit_code = 6
    transient = True


def transient(error: E) -> E:
    """Mark an error as one that may be gone another time, as where a GPU is not up yet, and return it."""
    error.transient = True
    return error
