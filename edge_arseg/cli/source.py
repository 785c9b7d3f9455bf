"""The source that a command reads: an argument, a line of a file, or the environment."""

import os
from pathlib import Path

import click

from edge_arseg.cli.output import note
from edge_arseg.errors import SourceError
from edge_arseg.storage.url import label_of

ENVIRONMENT = "EDGE_ARSEG_SOURCE"
"""Used where no source is given: what stands on a command line is visible to every user of the machine."""


MOST = 1 << 24
"""Bytes of a list that are read: 16 MB of names."""


class SourceType(click.ParamType):
    """A source as ``open_video`` takes it; ``@FILE`` stands for the first source in FILE."""

    name = "source"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the source, read out of its file."""
        return source_from_text(value)


SOURCE = SourceType()


def source_from_text(text: str) -> str:
    """Return a source as it is, or the first in the file behind ``@``; errors are those of ``sources_from_text``."""
    return sources_from_text(text)[0]


def sources_from_text(text: str) -> list[str]:
    """Return a source as it is, or those in the file behind ``@``: one a line, at least one.

    Empty lines, and lines that begin with ``#``, are left out. The file is read once and to its end: it may be a pipe.
    ``@EDGE_ARSEG_SOURCE`` is what the environment names.

    Raises:
        SourceError: the file cannot be read, is no text, or holds no source; the environment names none; or a bundle
            stands in the place of a source.
    """
    if not text.startswith("@") or os.path.lexists(text):
        _refuse_bundle(text)
        return [text]
    if text[1:] == ENVIRONMENT and not os.path.lexists(ENVIRONMENT):
        if not (named := os.environ.get(ENVIRONMENT, "")) or named == text:
            raise SourceError(f"{text}: {ENVIRONMENT} is not set; expected a source in it")
        return sources_from_text(named)
    try:
        with Path(text[1:]).open("rb") as content:
            data = content.read(MOST + 1)
    except OSError as error:
        raise SourceError(
            f"{text}: cannot be read ({error.strerror or error}); expected @FILE, with a source in each line"
        ) from error
    if len(data) > MOST or b"\0" in data or data.lstrip().startswith(b'{"'):  # too long, no text, JSON
        raise SourceError(f"{text}: no list of sources; expected a text with a source in each line")
    lines = [os.fsdecode(line.strip()) for line in data.removeprefix(b"\xef\xbb\xbf").splitlines()]
    sources = [line for line in lines if line and not line.startswith("#")]
    if not sources:
        raise SourceError(f"{text}: no source in it; expected for example rtsp://USER:PASSWORD@host/path")
    return sources


def _refuse_bundle(text: str) -> None:
    """Refuse a bundle in the place of a source: a folder of one, or the name of one in the package.

    Raises:
        SourceError: it is one.
    """
    from edge_arseg.runtime.bundles.reading import MANIFEST, SUFFIX
    from edge_arseg.runtime.bundles.zoo import shipped_names

    there = os.path.lexists(text)
    if "://" in text or (there and not os.path.lexists(os.path.join(text, MANIFEST))):  # noqa: PTH118 - never raises
        return
    if there or text.rstrip("/").endswith(SUFFIX) or text in shipped_names():
        raise SourceError(
            f"{text}: a bundle seen, expected a video, a camera or a stream; a bundle is named by -b {text}"
        )


def source_from_environment() -> str | None:
    """Return the first source that the environment names, if it names one; errors are those of
    ``sources_from_text``.
    """
    return next(iter(_sources_from_environment()), None)


def _sources_from_environment() -> list[str]:
    text = os.environ.get(ENVIRONMENT)
    return sources_from_text(text) if text else []


def files_of_sources(arguments: tuple[str, ...]) -> list[Path]:
    """Return the files that sources are read out of: they are not to be written to."""
    texts = (*arguments[:1], os.environ.get(ENVIRONMENT, ""))
    return [Path(text[1:]) for text in texts if text.startswith("@") and len(text) > 1]


def sources_and_sinks(arguments: tuple[str, ...]) -> tuple[list[str], tuple[str, ...]]:
    """Tell the sources from the sinks: the first argument, or the environment's where that is a sink.

    Raises:
        click.UsageError: there is no source, or it stands behind a sink.
        SourceError: see ``sources_from_text``.
    """
    from edge_arseg.video.uri import source_from_uri

    first, rest = arguments[:1], arguments[1:]
    same = first == (f"@{ENVIRONMENT}",)  # what it names may be a pipe, which is read once
    environment = [] if same else _sources_from_environment()
    if environment and (not first or _names_sink(first[0])):
        return environment, arguments
    if not first:
        raise click.UsageError(f"Missing argument 'SOURCE'; or set {ENVIRONMENT}")
    if _has_scheme_of_sinks(first[0]) and (readable := next(filter(can_be_read, rest), None)) is not None:
        behind, sink = map(label_of, (readable, first[0]))
        raise click.UsageError(f"{sink} is a sink, and the source comes first; type: edge-arseg run {behind} {sink}")
    sources = sources_from_text(first[0])
    if environment:
        label = source_from_uri(sources[0]).label
        note(f"reads {label}, not {ENVIRONMENT}; type @{ENVIRONMENT} before it if it is a sink")
    return sources, rest


def can_be_read(text: str) -> bool:
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
