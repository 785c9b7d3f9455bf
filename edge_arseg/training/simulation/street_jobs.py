"""Clips of the street drive rendered in code, whose labels are exact."""

from collections.abc import Mapping

import numpy as np

from edge_arseg.errors import OptionError
from edge_arseg.spec.model import CAMVID_11, ClassInfo
from edge_arseg.street.painter import Painter
from edge_arseg.street.traffic import objects_at, pose_at
from edge_arseg.training.pairs.decoded_clip import DecodedClip
from edge_arseg.training.pairs.jobs import Job, chosen_distances
from edge_arseg.training.pairs.mix import motion_from_mix, text_from_mix
from edge_arseg.training.simulation.clip import RATE, LabelledFrame
from edge_arseg.training.simulation.encoded import Encoding, clip_from_frames, encoding_from_seed

_REVISION = 1
_CLIPS_PER_STREET = 12  # painting the surfaces of a street takes about a second
_LONGEST_S = 60.0


def jobs_from_street(
    classes: tuple[ClassInfo, ...],
    count: int,
    *,
    seed: int,
    size: tuple[int, int],
    gop: int,
    mix: Mapping[str, float],
) -> list[Job]:
    """Plan ``count`` clips out of drives; all of them are for training, none is held back.

    Raises:
        OptionError: the classes are not CamVid's 11, the only ones that the street has labels of.
    """
    if count and classes != CAMVID_11:
        raise OptionError(
            f"the street has labels of CamVid's 11 classes, not of these {len(classes)}; leave --street out"
        )
    jobs = []
    for number in range(count):
        rng = np.random.default_rng([seed, number, 2])
        street = 1000 + 100 * seed + number // _CLIPS_PER_STREET
        start = float(rng.uniform(0, _LONGEST_S))
        # The street's car is fast for a town: most clips watch it in slow motion.
        pace = float(rng.uniform(0.25, 1.0))
        encoding = encoding_from_seed(rng, *size)
        motion, distances = motion_from_mix(mix, rng), chosen_distances(rng, gop)
        made_from = {
            "kind": "street",
            "revision": _REVISION,
            "street": street,
            "start_s": start,
            "pace": pace,
            "seed": seed,
            "mix": text_from_mix(mix),
        }

        def make(
            street: int = street,
            start: float = start,
            pace: float = pace,
            encoding: Encoding = encoding,
            motion: str = motion,
            distances: tuple[int, ...] = distances,
        ) -> DecodedClip:
            painter = Painter(size, street)
            frames = []
            for index in range(gop):
                time_s = start + pace * index / RATE
                frames.append(LabelledFrame(*painter.paint(pose_at(street, time_s), *objects_at(street, time_s))))
            return clip_from_frames(frames, encoding, motion=motion, distances=distances)

        jobs.append(Job(f"street-{seed}-{number:04d}", "train", made_from, make, encoding=str(encoding)))
    return jobs
