"""The AR-Seg authors' processed CamVid folder as pairs.

::

    ROOT/                                        e.g. 3M-GOP12
      decoded_GOP12_dist_D/train/0001TP_006690.png                 the frame, decoded
      decoded_GOP12_dist_D/train_labels_with_ignored/*.png         12 classes, 255 ignored
      MVmap_GOP12_dist_D/0001TP/0001TP_006690.bin                  int16 [H, W, 2], quarter pixels, x then y
      frames/0001TP/0001TP_000020.png                              all frames, under the numbers of the stream

Frame ``t`` of the stream is frame ``t + 6659`` of sequence 0001TP, and ``t - 2`` of the others. The vectors lead from a
frame to the keyframe ``D`` frames before it; they are whole pixels, accumulated by the authors.
"""

import re
from pathlib import Path

import numpy as np

from edge_arseg.errors import DataError
from edge_arseg.evaluation.labels.pairing import image_paths, label_paths, pairs_by_stem
from edge_arseg.spec.model import CAMVID_12
from edge_arseg.training.datasets.dataset import Dataset, LabelledImage, faults_told, split_images
from edge_arseg.training.datasets.labels import IndexCoding
from edge_arseg.training.datasets.picture import read_rgb
from edge_arseg.training.pairs.decoded_clip import DecodedClip, KeptFrame, records_from_frames
from edge_arseg.training.pairs.jobs import Job, digest_of_files
from edge_arseg.training.pairs.pair import BLOCK

_OFFSETS = {"0001TP": -6659}
_OTHER_OFFSET = 2
_REVISION = 1
_CODING = IndexCoding((*range(12), *([-1] * 243), 255))


def jobs_from_authors(root: str | Path, *, size: tuple[int, int], part: str = "train") -> tuple[Dataset, list[Job]]:
    """Plan one stored clip for each frame and distance of the authors' data; the content is theirs, as it is.

    Args:
        root: the folder with ``frames``.
        size: rows and columns of its frames.
        part: ``train``, ``val`` or ``test``, as the authors divide.

    Returns:
        The frames as a data set, of which a tenth is held back, and the jobs.

    Raises:
        DataError: no such folder, or missing and unusable files, all of them in one message.
    """
    root = Path(root)
    folders = sorted(
        (int(match[1]), path)
        for path in root.glob("decoded_GOP12_dist_*")
        if (match := re.fullmatch(r"decoded_GOP12_dist_(\d+)", path.name)) and int(match[1]) and (path / part).is_dir()
    )
    if not folders or not (root / "frames").is_dir():
        raise DataError(
            f"{root}: not the authors' processed CamVid; expected frames/, decoded_GOP12_dist_11/{part} and "
            "MVmap_GOP12_dist_11"
        )
    faults: list[str] = []
    jobs: list[Job] = []
    images: dict[str, LabelledImage] = {}
    rows, columns = size
    found: list[tuple[int, list[LabelledImage]]] = []
    for distance, decoded in folders:
        pairs, unpaired = pairs_by_stem(
            image_paths(decoded / part), label_paths(decoded / f"{part}_labels_with_ignored")
        )
        faults += [f"{decoded.name}: {fault}" for fault in unpaired]
        found.append((distance, [LabelledImage(image, label, _CODING) for image, label in pairs]))
    every = {image.name: image for _, labelled in found for image in labelled}
    held_back = {image.name for image in split_images(list(every.values()))[1]}  # at every distance, or at none
    for distance, labelled in found:
        for image in labelled:
            vectors = root / f"MVmap_GOP12_dist_{distance}" / image.name.partition("_")[0] / f"{image.name}.bin"
            keyframe = keyframe_path(root, image.name, distance)
            missing = [path for path in (vectors, keyframe) if not path.is_file()]
            faults += [f"{image.name}: no {path.relative_to(root)}" for path in missing]
            if missing:
                continue
            if vectors.stat().st_size != rows * columns * 4:
                faults.append(
                    f"{vectors.relative_to(root)}: {vectors.stat().st_size} bytes, expected {rows * columns * 4} for "
                    f"int16 [{rows}, {columns}, 2]"
                )
                continue
            images[image.name] = image

            def make(
                image: LabelledImage = image,
                vectors: Path = vectors,
                keyframe: Path = keyframe,
                distance: int = distance,
            ) -> DecodedClip:
                rgb, label = image.read()
                flow = flow_from_vectors(np.fromfile(vectors, "<i2").reshape(rows, columns, 2))
                frames = [KeptFrame(read_rgb(keyframe), None, None, 0), KeptFrame(rgb, label, flow, distance)]
                return DecodedClip(records_from_frames(frames), "hevc")

            made_from = {
                "kind": "authors",
                "revision": _REVISION,
                "image": image.image.name,
                "distance": distance,
                "digest": digest_of_files(image.image, image.label, vectors, keyframe),
            }
            where = "held_back" if image.name in held_back else "train"
            jobs.append(
                Job(f"authors-{image.name}-{distance:02d}", where, made_from, make, encoding="x265 by the authors")
            )
    if faults:
        raise DataError(faults_told(root, faults))
    train = tuple(image for name, image in sorted(images.items()) if name not in held_back)
    return Dataset("camvid-12", CAMVID_12, train, tuple(images[name] for name in sorted(held_back))), jobs


def keyframe_path(root: Path, name: str, distance: int) -> Path:
    """Where the keyframe ``distance`` frames before frame ``name`` is, such as ``0001TP_006690`` or ``0006R0_f00930``.

    Raises:
        DataError: the name ends in no number.
    """
    match = re.fullmatch(r"([^_]+)_f?(\d+)", name)
    if not match:
        raise DataError(f"{name}: expected SEQUENCE_NUMBER, like 0001TP_006690")
    sequence = match[1]
    number = int(match[2]) + _OFFSETS.get(sequence, _OTHER_OFFSET) - distance
    return root / "frames" / sequence / f"{sequence}_{number:06d}.png"


def flow_from_vectors(vectors: np.ndarray) -> np.ndarray:
    """Quarter pixels for each pixel to pixels for each cell: the mean over a cell's pixels.

    Args:
        vectors: ``[H, W, 2] int16``.

    Returns:
        ``[ceil(H / 4), ceil(W / 4), 2] float32``.
    """
    rows, columns = vectors.shape[:2]
    padded = np.pad(vectors, [(0, -rows % BLOCK), (0, -columns % BLOCK), (0, 0)], mode="edge").astype(np.float32)
    cells = padded.reshape(padded.shape[0] // BLOCK, BLOCK, padded.shape[1] // BLOCK, BLOCK, 2)
    return cells.mean(axis=(1, 3), dtype=np.float32) / 4
