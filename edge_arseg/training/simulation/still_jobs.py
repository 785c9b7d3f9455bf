"""Simulated clips of every still of a data set."""

from collections.abc import Mapping

import av
import numpy as np

from edge_arseg.evaluation.labels.nearest import resized_map
from edge_arseg.training.datasets.dataset import Dataset, LabelledImage
from edge_arseg.training.pairs.decoded_clip import DecodedClip
from edge_arseg.training.pairs.jobs import Job, chosen_distances, digest_of_files
from edge_arseg.training.pairs.mix import motion_from_mix, text_from_mix
from edge_arseg.training.simulation.clip import frames_from_still
from edge_arseg.training.simulation.encoded import Encoding, clip_from_frames, encoding_from_seed

_REVISION = 1
"""Revision of the simulation: another one gives other clips from the same seed."""


def jobs_from_stills(
    dataset: Dataset,
    *,
    clips_per_image: int,
    seed: int,
    size: tuple[int, int],
    gop: int,
    mix: Mapping[str, float],
) -> list[Job]:
    """Plan ``clips_per_image`` clips of each still, turn by turn and shuffled: half a store is already a fair one.

    Held-back stills get a third of the clips, at least one. A held-back still that has the name of one to train on, as
    where both folders of a plain data set count from 0, is told from it in the names of its clips.
    """
    jobs = []
    numbered = [("train", image) for image in dataset.train] + [("held_back", image) for image in dataset.held_back]
    digests = {image.image: digest_of_files(image.image, image.label) for _, image in numbered}
    trained = {image.name for image in dataset.train}
    for turn in range(clips_per_image):
        for place in np.random.default_rng([seed, turn, 3]).permutation(len(numbered)):
            part, image = numbered[place]
            if part == "held_back" and turn >= _of_held_back(clips_per_image):
                continue
            # The content, not its place, so that more images leave the clips of the others as they are.
            digest = digests[image.image]
            numbers = [seed, int(digest, 16), turn]
            rng = np.random.default_rng([*numbers, 1])
            encoding = encoding_from_seed(rng, *size)
            motion, distances = motion_from_mix(mix, rng), chosen_distances(rng, gop)
            made_from = {
                "kind": "still",
                "revision": _REVISION,
                "image": image.image.name,
                "digest": digest,
                "seed": seed,
                "turn": turn,
                "mix": text_from_mix(mix),
            }

            def make(
                image: LabelledImage = image,
                numbers: list[int] = numbers,
                encoding: Encoding = encoding,
                motion: str = motion,
                distances: tuple[int, ...] = distances,
            ) -> DecodedClip:
                rgb, label = resized_still(*image.read(), size)
                frames = frames_from_still(rgb, label, dataset.classes, seed=numbers, count=gop)
                return clip_from_frames(frames, encoding, motion=motion, distances=distances)

            name = f"held-{image.name}" if part == "held_back" and image.name in trained else image.name
            jobs.append(Job(f"still-{name}-{turn:02d}", part, made_from, make, encoding=str(encoding)))
    return jobs


def resized_still(rgb: np.ndarray, label: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Cut the middle of the shape of ``size`` out of a still, and resize it: the label by the nearest pixel.

    Args:
        rgb: ``[h, w, 3] uint8``.
        label: ``[h, w] uint8``.
        size: rows and columns.

    Returns:
        ``[H, W, 3] uint8`` and ``[H, W] uint8``.
    """
    rows, columns = label.shape
    if (rows, columns) == size:
        return rgb, label
    kept_rows, kept_columns = rows, columns
    if rows * size[1] > columns * size[0]:
        kept_rows = max(1, round(columns * size[0] / size[1]))
    else:
        kept_columns = max(1, round(rows * size[1] / size[0]))
    top, left = (rows - kept_rows) // 2, (columns - kept_columns) // 2
    window = slice(top, top + kept_rows), slice(left, left + kept_columns)
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb[window]), format="rgb24")
    resized = picture.reformat(size[1], size[0], "rgb24", interpolation="AREA").to_ndarray()
    return np.ascontiguousarray(resized), resized_map(label[window], *size)


def count_of_stills(dataset: Dataset, clips_per_image: int) -> int:
    """Return how many clips ``jobs_from_stills`` plans."""
    return len(dataset.train) * clips_per_image + len(dataset.held_back) * _of_held_back(clips_per_image)


def _of_held_back(clips_per_image: int) -> int:
    return max(1, clips_per_image // 3)
