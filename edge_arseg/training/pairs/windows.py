"""Which frames of a real clip become pairs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from edge_arseg.training.datasets.dataset import HELD_BACK
from edge_arseg.training.pairs.mix import motion_from_mix, text_from_mix
from edge_arseg.video.sources.kinds import SourceKind
from edge_arseg.video.uri import source_from_uri

_REVISION = 1


@dataclass(frozen=True, slots=True)
class Window:
    """One keyframe of a clip, and the frames behind it that are paired with it.

    Attributes:
        key: name of the stored clip.
        part: ``train`` or ``held_back``.
        first: index of the keyframe.
        distances: of those frames, ascending.
        motion: where the vectors come from.
        made_from: all that the content depends on.
    """

    key: str
    part: str
    first: int
    distances: tuple[int, ...]
    motion: str
    made_from: dict[str, Any]


def windows_from_clip(
    clip: str | Path,
    frames: Sequence[int],
    frame_count: int,
    *,
    digest: str,
    seed: int,
    gop: int,
    size: tuple[int, int],
    mix: Mapping[str, float],
) -> list[Window]:
    """Pair each of ``frames`` with two keyframes: one at a random distance, one at the largest.

    The end of the clip is held back, a contiguous part; pairs that reach across the border are left out.

    Args:
        clip: for the names.
        frames: indices of the frames to be paired.
        frame_count: of the whole clip.
        digest: of the clip and its labels.
        seed: of the random distances.
        gop: frames from keyframe to keyframe.
        size: rows and columns to deliver.
        mix: shares of the sources of vectors.

    Returns:
        In the order of their keyframes.
    """
    rng = np.random.default_rng([seed, int(digest, 16), 4])
    by_keyframe: dict[int, set[int]] = defaultdict(set)
    for frame in sorted(frames):
        for distance in {int(rng.integers(1, max(gop - 1, 2))), gop - 1}:
            if frame >= distance:
                by_keyframe[frame - distance].add(distance)
    border = frame_count - max(1, round(HELD_BACK * frame_count))
    windows = []
    name = clip_name(clip)
    for first in sorted(by_keyframe):
        distances = tuple(sorted(by_keyframe[first]))
        motion = motion_from_mix(mix, rng)
        if first < border <= first + distances[-1]:
            continue
        made_from = {
            "kind": "clip",
            "revision": _REVISION,
            "clip": name,
            "digest": digest,
            "seed": seed,
            "size": list(size),
            "first": first,
            "mix": text_from_mix(mix),
        }
        part = "train" if first < border else "held_back"
        windows.append(Window(f"clip-{name}-{digest[:6]}-{first:06d}", part, first, distances, motion, made_from))
    return windows


def clip_name(clip: str | Path) -> str:
    """The clip's name for files: letters, digits, dots, dashes."""
    source = source_from_uri(clip)
    if source.kind == SourceKind.FILE:
        stem = (source.path or Path(source.label.partition("?")[0])).stem
    else:
        stem = source.label if source.kind == SourceKind.STREAM else source.location
    return "".join(c if c.isalnum() or c in "-." else "_" for c in stem).strip("_.")[-60:] or "clip"


def digest_of_clip(clip: str | Path, labels: Sequence[Path] = ()) -> str:
    """First 16 hex digits of a SHA-256: of the file where the clip is one, else of its URI; and of its labels."""
    total = sha256()
    source = source_from_uri(clip)
    path = Path(source.location)
    if source.kind == SourceKind.FILE and path.is_file():
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                total.update(block)
    else:
        total.update(source.label.encode())
    for label in labels:
        total.update(label.name.encode())
        total.update(label.read_bytes())
    return total.hexdigest()[:16]
