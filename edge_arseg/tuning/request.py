"""What the trials of a study hold for: a study is continued where it is the same."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_arseg.archive.fingerprint import fingerprint_of
from edge_arseg.bench.sensors.base import text_of
from edge_arseg.errors import SourceError
from edge_arseg.evaluation.labels.clip import LabelledClip
from edge_arseg.tuning.options import TuneOptions
from edge_arseg.video.uri import source_from_uri


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a study.

    Attributes:
        typed: what a command says, by its names in messages; JSON.
        contents: digests of what it names: ``clip`` and ``labels``. Scores of another content do not compare.
    """

    typed: Mapping[str, Any]
    contents: Mapping[str, str]

    def row(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**self.typed, **{_of(what): digest for what, digest in self.contents.items()}}

    def told(self, parts: Sequence[str]) -> list[str]:
        """Return those of some parts of the row that a user can change: contents follow what is typed.

        Other phases score other labels, for example; contents are told where nothing else differs.
        """
        contents = [_of(what) for what in self.contents]
        return [part for part in parts if part not in contents] or list(parts)


def _of(what: str) -> str:
    return f"content of the {what}"


def request_from_options(options: TuneOptions, digests: Mapping[str, str], labelled: LabelledClip) -> Request:
    """Return what a study is kept with.

    Args:
        options: what is asked for.
        digests: of the bundles, by name.
        labelled: the clip, with the labels that are scored.

    Raises:
        SourceError: the clip cannot be read.
        DataError: a label cannot be read any more.
    """
    source = source_from_uri(options.clip)
    try:
        content = fingerprint_of(source).content
    except OSError as error:
        raise SourceError(f"{source.label}: {error.strerror or error}; check the path") from error
    typed = {
        "bundles": digests,
        "clip": source.name,
        "stream": options.stream,
        "labels": str(options.labels.resolve()),
        "phases": options.phases,
        "limit": options.limit,
        "frames": options.frames,
        "fusion": options.fusion,
        "unchecked": options.unchecked,
        "machine": text_of(Path("/proc/sys/kernel/hostname")).strip(),
    }
    return Request(typed, {"clip": content, "labels": _digest_of_labels(labelled)})


def _digest_of_labels(labelled: LabelledClip) -> str:
    """Return a digest of what is scored: the classes of each labelled frame, however their PNG is packed."""
    digest = hashlib.sha256()
    for index, file in sorted(labelled.by_frame.items()):
        digest.update(f"{index} {file.height}x{file.width}\n".encode())
        digest.update(labelled.labels[file.path].tobytes())
    return digest.hexdigest()
