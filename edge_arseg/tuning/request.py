"""What the trials of a study hold for: a study is continued where it is the same."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_arseg.archive.fingerprint import fingerprint_of
from edge_arseg.bench.sensors.base import text_of
from edge_arseg.errors import SourceError
from edge_arseg.evaluation.labels.clip import LabelledClip
from edge_arseg.tuning.options import TuneOptions
from edge_arseg.video.uri import source_from_uri


def request_of_options(options: TuneOptions, digests: Mapping[str, str], labelled: LabelledClip) -> dict[str, Any]:
    """Return what a study is kept with.

    A clip or a label of another content under the same name is another request: scores of both do not compare.

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
    return {
        "bundles": digests,
        "clip": source.name,
        "content of the clip": content,
        "stream": options.stream,
        "labels": str(options.labels.resolve()),
        "content of the labels": _digest_of_labels(labelled),
        "phases": options.phases,
        "limit": options.limit,
        "frames": options.frames,
        "fusion": options.fusion,
        "unchecked": options.unchecked,
        "machine": text_of(Path("/proc/sys/kernel/hostname")).strip(),
    }


def _digest_of_labels(labelled: LabelledClip) -> str:
    """Return a digest of what is scored: the classes of each labelled frame, however their PNG is packed."""
    digest = hashlib.sha256()
    for index, file in sorted(labelled.by_frame.items()):
        digest.update(f"{index} {file.height}x{file.width}\n".encode())
        digest.update(labelled.labels[file.path].tobytes())
    return digest.hexdigest()
