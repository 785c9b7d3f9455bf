"""Entries of a manifest: each names files of the bundle with what a reader has to know of them."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated

from edge_arseg.spec.plain import AfterValidator, Field

LONGEST = 200
"""Characters of a path in a bundle, at most: no file system refuses such a name."""


def _inside(path: str) -> str:
    """Refuse paths that leave the bundle."""
    parts = PurePosixPath(path).parts
    plain = path.isprintable() and len(path) <= LONGEST and path == "/".join(parts)
    if not plain or not parts or path.startswith("/") or ".." in parts or "\\" in path or ":" in path:
        raise ValueError(
            f"path {path[:LONGEST]!r} leads out of the bundle or is not in plain form; expected one like onnx/hr.onnx"
        )
    return path


BundlePath = Annotated[str, AfterValidator(_inside)]
"""Path relative to the bundle, with forward slashes, that cannot leave it."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True)
class FileEntry:
    """Digest and length of one file, so that a damaged or edited one is noticed."""

    sha256: Sha256
    bytes: Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class DecoderEntry:
    """How features become class maps, for a decode kernel in place of ``head`` and ``lr_head``.

    Attributes:
        file: an ``.npz`` with the arrays of ``DecoderWeights``.
        upscale: factor by which scores grow first, with half-pixel centres; 1 for none.
    """

    file: BundlePath
    upscale: Annotated[int, Field(ge=1)]


@dataclass(frozen=True, slots=True)
class GoldenEntry:
    """Frames that travel along, with the class maps that the torch network made of them.

    Attributes:
        file: an ``.npz`` with the arrays of ``GoldenFrames``.
        source: where the frames come from.
        distances: of each frame from its keyframe; the first is 0.
        min_agreement: share of the pixels, 0 to 1, that must get the expected class; ``None``: the one that ``verify``
            asks of float32 graphs. Graphs of less precision differ from torch; this says how much they may.
        because: the user's words for a gate that is not the usual one; ``None``: it is.
    """

    file: BundlePath
    source: str
    distances: tuple[int, ...]
    min_agreement: Annotated[float | None, Field(ge=0.0, le=1.0)] = None
    because: Annotated[str | None, Field(min_length=1)] = None


@dataclass(frozen=True, slots=True)
class QuantizationEntry:
    """Where the precision of the graphs comes from.

    Attributes:
        activations: integers of activations in int8 graphs: ``uint8`` for ONNX Runtime on x86, ``int8`` for TensorRT.
        source: digest of the bundle that was quantized, in float32 or with a quantization that was taken off first.
        recipe: name of the calibration recipe; ``None`` where no graph is int8.
        recipe_sha256: of the recipe's file.
        calibration: path of what calibration saw and found (JSON).
        sensitivity: path of what each layer costs in accuracy, and of the scores (JSON).
        weight_bits: of the weights in int8 graphs: 7 where no sum of two products can pass 16 bits, else 8, as always
            in revision 1; ``None`` where no graph is int8.
    """

    activations: Annotated[str, Field(pattern="^(uint8|int8)$")]
    source: Sha256
    recipe: str | None
    recipe_sha256: Sha256 | None
    calibration: BundlePath
    sensitivity: BundlePath
    weight_bits: Annotated[int | None, Field(ge=7, le=8)] = 8


@dataclass(frozen=True, slots=True)
class KernelEntry:
    """A kernel that was compiled for one GPU architecture.

    Attributes:
        file: the cubin.
        sm: architecture, as the compilers write it: 87 for compute capability 8.7.
        source: SHA-256 over the source it was compiled from; with another version of the package it is another one.
        compiler: name and version of what compiled it.
    """

    file: BundlePath
    sm: Annotated[int, Field(ge=50)]
    source: Sha256
    compiler: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the bundle was made from and with.

    Attributes:
        checkpoints: file name to SHA-256.
        versions: package name to version, of everything that took part.
    """

    checkpoints: dict[str, Sha256]
    versions: dict[str, str]
