"""The manifest of a bundle: what ``manifest.json`` may say, checked by the validation library.

Revisions of the format:

1. (2026) first;
2. (2026) the gate of quantized bundles is absolute, and a lower one has words; bits of quantized weights; bundles of
   the HR branch alone; how pictures of another shape enter;
3. (2026) the side of the attention's window.

Anything that an older reader would misunderstand raises it. A reader refuses every revision it does not know and reads
the older ones, whose missing fields mean what was true then. ``docs/bundle_format.md`` describes the fields for other
programs.
"""

import functools
import json
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, ClassVar

from edge_arseg.errors import BundleError
from edge_arseg.installation import reinstall
from edge_arseg.quantity import counted
from edge_arseg.spec.entries import (
    BundlePath,
    DecoderEntry,
    FileEntry,
    GoldenEntry,
    KernelEntry,
    Provenance,
    QuantizationEntry,
    Sha256,
)
from edge_arseg.spec.frame import Branch
from edge_arseg.spec.geometry.placement import FitKind
from edge_arseg.spec.model import WINDOWS, Cost, Model, lr_size, model_faults, name_faults
from edge_arseg.spec.plain import Field, NotPlainError, faults_from_error, value_of
from edge_arseg.spec.tensor import TensorSpec

REVISION = 3
READABLE = (1, 2, 3)
"""Revisions that this version reads; it writes the newest."""


class Role(str, Enum):
    """What a graph of a bundle is for."""

    HR = "hr"  # frame to feature and class map
    LR = "lr"  # frame to LR feature
    FUSE = "fuse"  # keyframe feature, flow and LR feature to fused feature and class map
    HEAD = "head"  # fused feature to class map, behind a fusion kernel
    LR_HEAD = "lr_head"  # LR feature to class map, to measure the LR branch alone


CHOSEN_ROLES = (Role.HR, Role.LR, Role.FUSE)
"""Graphs whose precision is chosen; ``head`` and ``lr_head`` follow ``fuse``, whose features they read."""


class Precision(str, Enum):
    """Arithmetic of a graph."""

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"
    MIXED = "mixed"


INTEGERS = (Precision.INT8, Precision.MIXED)
"""Precisions of graphs with integers in them."""

Size = Annotated[int, Field(ge=1, le=65535)]


@dataclass(frozen=True, slots=True)
class GraphEntry:
    """One graph: its file, its arithmetic, its inputs and outputs by name."""

    file: BundlePath
    precision: Precision
    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything the device half needs to know of a bundle.

    Attributes:
        revision: of this format.
        name: of the bundle, as in ``NAME.arseg``.
        model: classes, colours, normalisation, backbone.
        height, width: of the frames, pixels.
        lr_scale: size of the LR image over that of the frame.
        lr_height, lr_width: of the LR image, pixels.
        gop: frames from one keyframe to the next at most, the paper's L.
        flow_block: side of a cell of the flow input, luma pixels.
        graphs: by role: ``hr``, ``lr``, ``fuse``, ``head`` and ``lr_head``; of an HR-only bundle ``hr`` alone.
        cost: MACs per frame of each kind; of an HR-only bundle too, for the branch that it could get.
        fusion_weights: an ``.npz`` with the arrays of ``FusionWeights``, for a fusion kernel; ``None``: HR-only.
        decoder: the classifier, for a decode kernel.
        golden: frames to check engines with.
        provenance: what it was made from.
        files: every file of the bundle but the manifest and the engine cache.
        target: ``id`` of the target it was compiled for; ``None``: for none in particular.
        kernels: compiled kernels that travel along.
        quantization: how graphs of less than float32 were made; ``None`` where there are none.
        branches: that were trained and are there: both, or the HR branch alone.
        fit: how a picture of another shape enters a frame, where nobody says otherwise.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid", "strict": False}

    revision: int
    name: Annotated[str, Field(min_length=1)]
    model: Model
    height: Size
    width: Size
    lr_scale: Annotated[float, Field(gt=0.0, le=1.0)]
    lr_height: Size
    lr_width: Size
    gop: Annotated[int, Field(ge=1)]
    flow_block: Annotated[int, Field(ge=1)]
    graphs: dict[Role, GraphEntry]
    cost: Cost
    fusion_weights: BundlePath | None
    decoder: DecoderEntry
    golden: GoldenEntry
    provenance: Provenance
    files: dict[BundlePath, FileEntry]
    target: str | None = None
    compiled_from: Sha256 | None = None
    kernels: tuple[KernelEntry, ...] = ()
    quantization: QuantizationEntry | None = None
    branches: tuple[Branch, ...] = (Branch.HR, Branch.LR)
    fit: FitKind = FitKind.LETTERBOX

    @property
    def hr_only(self) -> bool:
        """Whether there is nothing but the HR branch: every frame is a keyframe."""
        return Branch.LR not in self.branches

    @property
    def chosen_roles(self) -> tuple[Role, ...]:
        """The graphs whose precision is chosen: those of ``CHOSEN_ROLES`` that the bundle has."""
        return tuple(role for role in CHOSEN_ROLES if role in self.graphs)

    @property
    def is_float32(self) -> bool:
        """Whether it is as it was exported: float32 throughout."""
        return all(entry.precision is Precision.FP32 for entry in self.graphs.values())

    @property
    def integer_roles(self) -> tuple[Role, ...]:
        """The graphs that compute in integers, in whole or in part."""
        return tuple(role for role, entry in self.graphs.items() if entry.precision in INTEGERS)

    @property
    def rounded_bits(self) -> int | None:
        """Bits of the weights, where the quantization can be taken off; ``None`` where it cannot or there is none.

        It can where all that is not in integers is float32, as in bundles for ONNX Runtime. Those for TensorRT have
        float16 around their integers.
        """
        entry = self.quantization
        floats = {graph.precision for graph in self.graphs.values()} - {*INTEGERS}
        if entry is None or not self.integer_roles or entry.activations != "uint8" or floats - {Precision.FP32}:
            return None
        return entry.weight_bits

    def why_not_chosen(self, role: Role) -> str:
        """Return why the precision of a role that is not among ``chosen_roles`` cannot be chosen, in words."""
        return "the bundle has the HR branch alone" if self.hr_only else f"{role.value} follows fuse"


@functools.cache
def _adapter() -> Any:
    """The validation library's view of a manifest; a run whose manifest is plainly right does without it."""
    from pydantic import TypeAdapter

    return TypeAdapter(Manifest)


def manifest_from_json(text: str | bytes, *, where: str = "manifest.json") -> Manifest:
    """Parse and check a manifest.

    Args:
        text: the JSON.
        where: name of the file, for messages.

    Raises:
        BundleError: not JSON, of an unknown revision, or with wrong fields: all of them in one message.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{where}: not JSON ({error}); is the bundle complete? Copy or export it again") from error
    revision = data.get("revision") if isinstance(data, dict) else None
    if isinstance(revision, bool) or not isinstance(revision, int) or revision not in READABLE:
        raise BundleError(_revision_message(revision, where))
    try:
        manifest = value_of(Manifest, data)
    except NotPlainError:
        manifest = _validated(data, where)
    faults_found = _faults(manifest)
    if faults_found:
        lines = "\n".join(f"  {fault}" for fault in faults_found)
        raise BundleError(f"{where}: contradicts itself\n{lines}")
    return manifest


def json_from_manifest(manifest: Manifest) -> str:
    """Return the manifest as indented JSON."""
    return _adapter().dump_json(manifest, indent=2).decode() + "\n"


def manifest_schema() -> dict[str, Any]:
    """Return the JSON Schema of the manifest, for other programs."""
    return _adapter().json_schema()


def _validated(data: Any, where: str) -> Manifest:
    """What the validation library makes of ``data``; it says all that is wrong."""
    from pydantic import ValidationError

    try:
        return _adapter().validate_python(data)
    except ValidationError as error:
        faults = "\n".join(f"  {fault}" for fault in faults_from_error(error, "manifest"))
        raise BundleError(f"{where}: {counted(error.error_count(), 'wrong entry')}\n{faults}") from error


def _revision_message(revision: object, where: str) -> str:
    if not isinstance(revision, int) or isinstance(revision, bool):
        return f"{where}: no revision number seen, expected {REVISION}; this is no bundle of edge_arseg"
    seen = f"{where}: revision {revision} seen, this version reads {READABLE[0]} to {READABLE[-1]}"
    if revision > REVISION:
        return f"{seen}; a version that knows revision {revision} is needed: {reinstall()}"
    return f"{seen}; export the checkpoint again"


def _faults(manifest: Manifest) -> list[str]:
    """Return what is well formed but cannot be meant."""
    if manifest.branches not in ((Branch.HR, Branch.LR), (Branch.HR,)):
        return [f"branches: {', '.join(manifest.branches) or 'none'} seen, expected hr and lr, or hr alone"]
    wanted = (Role.HR,) if manifest.hr_only else tuple(Role)
    faults = [f"no graph with the role {role.value!r}" for role in wanted if role not in manifest.graphs]
    faults += [
        f"graphs.{role.value}: the bundle has the HR branch alone" for role in manifest.graphs if role not in wanted
    ]
    if (manifest.fusion_weights is None) is not manifest.hr_only:
        faults.append("fusion_weights: null means the HR branch alone; bundles of both branches need weights")
    if manifest.golden.because is not None and manifest.golden.min_agreement is None:
        faults.append("golden: because is there, min_agreement is not")
    if manifest.model.window not in WINDOWS:
        known = ", ".join(map(str, WINDOWS))
        faults.append(f"model.window: {manifest.model.window} seen, expected one of {known}")
    faults += [f"name: {fault}" for fault in name_faults(manifest.name)]
    faults += [f"target: {fault}" for fault in name_faults(manifest.target or "none")]
    faults += [f"model.{fault}" for fault in model_faults(manifest.model)]
    size, whole = (manifest.lr_height, manifest.lr_width), (manifest.height, manifest.width)
    if size != (meant := lr_size(*whole, manifest.lr_scale)):
        faults.append(
            f"lr_height, lr_width: {size[0]}x{size[1]} seen, {meant[0]}x{meant[1]} is {manifest.lr_scale:g} of "
            f"{whole[0]}x{whole[1]}"
        )
    cost = manifest.cost
    if cost.hr_macs < 1 or min(cost.lr_macs, cost.fuse_macs) < 0:
        faults.append(f"cost: {cost.hr_macs}, {cost.lr_macs} and {cost.fuse_macs} MACs seen, expected counts")
    for role, entry in manifest.graphs.items():
        if entry.file not in manifest.files:
            faults.append(f"graphs.{role.value}: {entry.file} is not among the files")
    for field, file in (
        *(("kernels", kernel.file) for kernel in manifest.kernels),
        ("golden", manifest.golden.file),
        *([] if manifest.fusion_weights is None else [("fusion_weights", manifest.fusion_weights)]),
        ("decoder", manifest.decoder.file),
        *((f"quantization.{name}", path) for name, path in _quantization_files(manifest)),
    ):
        if file not in manifest.files:
            faults.append(f"{field}: {file} is not among the files")
    return faults


def _quantization_files(manifest: Manifest) -> list[tuple[str, str]]:
    entry = manifest.quantization
    return [] if entry is None else [("calibration", entry.calibration), ("sensitivity", entry.sensitivity)]
