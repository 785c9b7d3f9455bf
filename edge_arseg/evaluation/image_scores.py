"""Scores of a bundle on labelled stills."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge_arseg.errors import DataError, OptionError, SourceError
from edge_arseg.evaluation.confusion import confusion_from_maps
from edge_arseg.evaluation.labels.files import LabelFile, Labels, checked_labels, fault_list
from edge_arseg.evaluation.labels.nearest import map_of_label
from edge_arseg.evaluation.labels.pairing import image_paths, label_paths, pairs_by_stem
from edge_arseg.evaluation.modes import checked_modes
from edge_arseg.evaluation.scores import ModeScores, Scores, conditions_from_choice, distances_from_confusions
from edge_arseg.runtime.choice.engine_choice import Choosable, settled
from edge_arseg.runtime.engines.contract import DEFAULT_ENGINES, EngineOptions
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.frame import Frame
from edge_arseg.spec.geometry.placement import FitKind
from edge_arseg.spec.progress import Counter, Progress, no_progress
from edge_arseg.video.reader import open_video


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """How images are scored.

    Attributes:
        modes: ``hr``, ``lr`` or both.
        limit: use only the first so many images.
        engines: what the graphs run on.
    """

    modes: Sequence[Mode | str] = (Mode.HR, Mode.LR)
    limit: int | None = None
    engines: EngineOptions = DEFAULT_ENGINES


def checked_image_modes(modes: Iterable[Mode | str]) -> tuple[Mode, ...]:
    """Return modes that images can be scored in, in the order given.

    Raises:
        OptionError: ``ar``, or see ``checked_modes``.
    """
    checked = checked_modes(modes)
    if Mode.AR in checked:
        raise OptionError(
            "mode ar is not defined for single images: it needs the frames since a keyframe; "
            "type --mode hr,lr, or score a clip with --clip"
        )
    return checked


def scores_from_images(
    bundle: Choosable,
    images: str | Path,
    labels: str | Path,
    options: ImageOptions = ImageOptions(),
    *,
    progress: Progress = no_progress,
) -> Scores:
    """Score a bundle on images with labels: each branch alone.

    Images of any size pass through the reader, which resizes them to the bundle's size as it does frames. Class maps
    are resized to the size of each label by the nearest pixel, and scored at that resolution.

    Args:
        bundle: see ``Segmenter``.
        images: folder of images, JPEG or PNG.
        labels: folder of index PNGs with the same names.
        options: see ``ImageOptions``.
        progress: see ``Progress``.

    Raises:
        OptionError: mode ``ar``: a still has no keyframe before it.
        DataError: images or labels that cannot be used: all faults in one message, before the first image runs.
        BundleError, BuildError, EnvironmentUnfitError: see ``Segmenter``.
    """
    choice, modes = settled(bundle, checked_image_modes(options.modes), (), options.engines)
    manifest = choice.bundle.manifest
    names = tuple(info.name for info in manifest.model.classes)
    reads = Labels(len(names))
    images, labels = Path(images), Path(labels)
    pairs = _checked_pairs(images, labels, reads, options.limit)
    counter = Counter(progress, len(pairs) * len(modes))
    found = {}
    for mode in modes:
        with Segmenter(choice, mode=mode) as segmenter:
            confusion = np.zeros((1, len(names), len(names)), np.int64)
            results = segmenter.segment(_stills([image for image, _ in pairs], segmenter.size, manifest.fit))
            for result, (_, file) in zip(results, pairs, strict=True):
                resized = map_of_label(result, file.height, file.width)
                confusion[0] += confusion_from_maps(resized, reads[file.path], len(names))
                counter.count(mode.value)
            scored = distances_from_confusions(confusion, names)
            found[mode.value] = ModeScores(
                label=segmenter.pipeline.label,
                miou=scored.miou_pooled,
                miou_pooled=scored.miou_pooled,
                per_class=scored.per_class,
                by_distance=(),
                worst_distance=None,
                temporal_consistency=float("nan"),
                flicker=float("nan"),
                frames=len(pairs),
                maps=len(pairs),
            )
    files = [file for _, file in pairs]
    conditions = conditions_from_choice(choice, images.resolve().name, files, limit=options.limit)
    return Scores(manifest.name, choice.bundle.digest, conditions, found)


def _checked_pairs(images: Path, labels: Path, reads: Labels, limit: int | None) -> list[tuple[Path, LabelFile]]:
    """Pair and check everything, reading each image once."""
    pairs, faults = pairs_by_stem(image_paths(images), label_paths(labels))
    if not pairs:
        raise DataError(fault_list(labels, faults))
    pairs = pairs[:limit]
    sizes: dict[Path, tuple[int, int] | None] = {}
    for image, label in pairs:
        try:
            with open_video(image, motion="zero") as reader:
                sizes[label] = reader.height, reader.width
        except SourceError as error:
            faults.append(str(error))
            sizes[label] = None
    files = checked_labels(reads, sizes, faults=faults, where=labels)
    return [(image, files[label]) for image, label in pairs]


def _stills(images: list[Path], size: tuple[int, int], fit: FitKind) -> Iterator[Frame]:
    """The images as frames of the bundle's size, without motion."""
    for index, image in enumerate(images):
        with open_video(image, motion="zero", size=size, fit=fit) as reader:
            yield replace(next(iter(reader)), index=index)
