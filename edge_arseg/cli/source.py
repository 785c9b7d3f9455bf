"""The source that a command reads: an argument, a line of a file, or the environment."""

import os
from pathlib import Path

import click

from edge_arseg.cli.output import note
from edge_arseg.errors import SourceError
from edge_arseg.storage.url import label_of

ENVIRONMENT = "EDGE_ARSEG_SOURCE"
"""Used where no source is given: what stands on a command line is visible to every user of the machine."""


class SourceType(click.ParamType):
    """A source as ``open_video`` takes it; ``@FILE`` stands for the first line of FILE."""

    name = "source"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the source, read out of its file."""
        return source_from_text(value)


SOURCE = SourceType()


def source_from_text(text: str) -> str:
    """Return a source as it is, or the first line of the file behind ``@``.

    ``@EDGE_ARSEG_SOURCE`` is what the environment names.

    Raises:
        SourceError: the file cannot be read, or its first line is empty; or the environment names no source.
    """
    if not text.startswith("@") or os.path.lexists(text):
        return text
    if text[1:] == ENVIRONMENT and not os.path.lexists(ENVIRONMENT):
        if not (named := os.environ.get(ENVIRONMENT, "")) or named == text:
            raise SourceError(f"{text}: {ENVIRONMENT} is not set; expected a source in it")
        return source_from_text(named)
    file = Path(text[1:])
    try:
        with file.open("rb") as content:
            line = content.readline(1 << 16)
    except OSError as error:
        raise SourceError(
            f"{text}: cannot be read ({error.strerror or error}); expected @FILE, whose first line is a source"
        ) from error
    source = os.fsdecode(line.removeprefix(b"\xef\xbb\xbf").strip())
    if not source or "\0" in source:
        raise SourceError(f"{text}: no source in the first line; expected for example rtsp://USER:PASSWORD@host/path")
    return source


def source_from_environment() -> str | None:
    """Return the source that the environment names, if it names one.

    Raises:
        SourceError: see ``source_from_text``.
    """
    text = os.environ.get(ENVIRONMENT)
    return source_from_text(text) if text else None


def files_of_sources(arguments: tuple[str, ...]) -> list[Path]:
    """Return the files that sources are read out of: they are not to be written to."""
    texts = (*arguments[:1], os.environ.get(ENVIRONMENT, ""))
    return [Path(text[1:]) for text in texts if text.startswith("@") and len(text) > 1]


def source_and_sinks(arguments: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Tell the source from the sinks: the first argument, or the environment's where that is a sink.

    Raises:
        click.UsageError: there is no source, or it stands behind a sink.
        SourceError: see ``source_from_text``.
    """
    from edge_arseg.video.uri import source_from_uri

    first, rest = arguments[:1], arguments[1:]
    environment = source_from_environment()
    if environment is not None and (not first or _names_sink(first[0])):
        return environment, arguments
    if not first:
        raise click.UsageError(f"Missing argument 'SOURCE'; or set {ENVIRONMENT}")
    readable = [text for text in rest if _can_be_read(text)]
    if readable and _has_scheme_of_sinks(first[0]):
        behind, sink = map(label_of, (readable[0], first[0]))
        raise click.UsageError(f"{sink} is a sink, and the source comes first; type: edge-arseg run {behind} {sink}")
    source = source_from_text(first[0])
    if environment is not None:
        label = source_from_uri(source).label
        note(f"reads {label}, not {ENVIRONMENT}; type @{ENVIRONMENT} before it if it is a sink")
    return source, rest


def _can_be_read(text: str) -> bool:
    """Whether an argument can be a source: of a scheme of sources alone, or a file or folder that is there."""
    from edge_arseg.video.sinks.kinds import SINKS
    from edge_arseg.video.sources.kinds import kind_of_scheme
    from edge_arseg.video.uri import path_from_file_uri

    scheme, separator, _ = text.lower().partition("://")
    if separator and scheme != "file":
        return scheme not in SINKS and kind_of_scheme(scheme) is not None
    return os.path.exists(path_from_file_uri(text) or text)  # noqa: PTH110 - never raises


def _has_scheme_of_sinks(text: str) -> bool:
    """Whether an argument has a scheme of sinks that no source has."""
    from edge_arseg.video.sinks.kinds import SINKS
    from edge_arseg.video.sources.kinds import kind_of_scheme

    scheme, separator, _ = text.lower().partition("://")
    return bool(separator) and scheme != "file" and scheme in SINKS and kind_of_scheme(scheme) is None


def _names_sink(text: str) -> bool:
    """Whether an argument can be nothing but a sink: of a scheme of sinks, or a video that is not there."""
    from edge_arseg.video.sinks.kinds import SINKS
    from edge_arseg.video.uri import path_from_file_uri

    if _has_scheme_of_sinks(text):
        return True
    path = path_from_file_uri(text) or text
    return (
        "://" not in path
        and path.lower().endswith(tuple(ending for kind in SINKS.values() for ending in kind.suffixes))
        and not os.path.lexists(path)
    )
