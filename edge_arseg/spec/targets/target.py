"""Targets: what a board is, as declared in ``targets/*.toml``. Declarations, never code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from edge_arseg.spec.manifest import Precision
from edge_arseg.spec.targets.jetpack import JetPack

LOCAL = "local"
"""Stands for the target that this machine is; no file may be called so."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Kind(str, Enum):
    """What sort of machine a target is."""

    JETSON = "jetson"
    CUDA = "cuda"
    CPU = "cpu"


class Configuration(str, Enum):
    """Which of NVIDIA's two sets of power modes a module runs; the device tree of the second ends in ``-super``."""

    NORMAL = "normal"
    SUPER = "super"


class Activations(str, Enum):
    """Type of quantized activations: TensorRT wants symmetric int8, ONNX Runtime on x86 is fastest with uint8."""

    INT8 = "int8"
    UINT8 = "uint8"


@dataclass(frozen=True, slots=True)
class TargetPrecision:
    """What the graphs of a bundle are made of for a target.

    Attributes:
        choices: precisions the target can run.
        hr, lr, fuse: what ``compile`` makes of each graph that is still float32. INT8 is chosen by measurement with
            ``quantize``, so it is no target's default.
        activations: type of quantized activations.
        recipe: calibration recipe of ``quantize``, a name in ``calibration/``.
    """

    choices: tuple[Precision, ...]
    hr: Precision
    lr: Precision
    fuse: Precision
    activations: Activations
    recipe: Annotated[str, Field(min_length=1)] = "street"

    @property
    def runnable(self) -> tuple[Precision, ...]:
        """What a graph may be: one of ``choices``, and with INT8 among them mixed, of INT8 and float layers."""
        return (*self.choices, Precision.MIXED) if Precision.INT8 in self.choices else self.choices


@dataclass(frozen=True, slots=True)
class Gpu:
    """The GPU of a board.

    Attributes:
        architecture: NVIDIA's name.
        compute_capability: like ``8.7``.
        sms: multiprocessors with nothing gated.
        cores_per_sm: FP32 lanes of a multiprocessor.
        max_mhz: highest clock of each configuration.
        fp16_ops_per_sm_clock, int8_ops_per_sm_clock: dense operations, a multiply-accumulate counting as two; 0 where
            the hardware has none.
        sparsity: 2:4 sparse tensor cores, which double the sticker numbers and nothing of ours.
    """

    architecture: str
    compute_capability: Annotated[str, Field(pattern=r"^\d+\.\d$")]
    sms: Annotated[int, Field(ge=1)]
    cores_per_sm: Annotated[int, Field(ge=1)]
    max_mhz: Annotated[dict[Configuration, Positive], Field(min_length=1)]
    fp16_ops_per_sm_clock: Annotated[int, Field(ge=0)]
    int8_ops_per_sm_clock: Annotated[int, Field(ge=0)]
    sparsity: bool

    @property
    def sm(self) -> int:
        """Compute capability as the compilers write it: 87 for 8.7."""
        return int(self.compute_capability.replace(".", ""))


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory that CPU and GPU share: sizes sold, 10^9 bytes; bus width; peak bandwidth by configuration, 10^9 B/s."""

    gb: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
    bus_bits: Annotated[int, Field(ge=1)]
    bandwidth_gbs: Annotated[dict[Configuration, Positive], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Dla:
    """Deep-learning accelerators. Listed because they explain the sticker numbers; nothing here uses them."""

    count: Annotated[int, Field(ge=1)]
    version: Annotated[int, Field(ge=1)]


@dataclass(frozen=True, slots=True)
class Rails:
    """Power rails: driver, the labels whose sum is the total, and the label of the rail that the GPU hangs on."""

    driver: str
    total: Annotated[tuple[str, ...], Field(min_length=1)]
    gpu: str


@dataclass(frozen=True, slots=True)
class VideoUnits:
    """Video hardware: encoder, decoder, optical flow; ``None`` where it is not known."""

    nvenc: bool
    nvdec: bool
    ofa: bool | None = None


@dataclass(frozen=True, slots=True)
class PowerMode:
    """One mode of ``nvpmodel``.

    A mode caps clocks; its name is not a measured power. Ids are not stable between the configurations, so a mode is
    matched by name and configuration.

    Attributes:
        configuration: set of modes it belongs to.
        id, name: as ``nvpmodel -q`` prints them.
        default: of its configuration.
        watts: the budget in its name or documentation.
        sms: multiprocessors left on; ``gpu_mhz``, ``emc_mhz``, ``dla_mhz``: caps. ``None``: not known or not capped.
    """

    configuration: Configuration
    id: Annotated[int, Field(ge=0)]
    name: str
    default: bool = False
    watts: Positive | None = None
    sms: Annotated[int, Field(ge=1)] | None = None
    gpu_mhz: Positive | None = None
    emc_mhz: Positive | None = None
    dla_mhz: Positive | None = None


@dataclass(frozen=True, slots=True)
class Peaks:
    """Dense peaks of a GPU at one clock: TFLOPS, TFLOPS, TOPS (0: the hardware has none)."""

    fp32_tflops: float
    fp16_tflops: float
    int8_tops: float


@dataclass(frozen=True, slots=True)
class Target:
    """A board, or a kind of machine.

    Attributes:
        id: name of its file, and what ``--target`` takes: small letters, digits, ``.``, ``_`` and ``-``.
        name: for people.
        kind: ``jetson``, ``cuda`` or ``cpu``.
        tier: 1: built for; 2: expected to work; 3: graphs only; 0: not supported.
        reason: why the tier is not 1.
        parts: NVIDIA part numbers of its modules.
        compatible: strings of the device tree that name it without a part number.
        models: what the lower-cased model string holds, where that alone names it.
        boot_specs: what ``/etc/nv_boot_control.conf`` holds, where the device tree is generic.
        chip, chip_id: of the SoC.
        jetpacks: releases that run on it.
        precision: of the graphs made for it; absent where the tier is 0.
        gpu, memory, dla, rails, video, modes: hardware; absent on ``cpu`` and ``cuda``.
        sources: field, or table of fields, to where its values come from.
        unverified: field, or table of fields, to what is not certain about it.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    name: str
    kind: Kind
    tier: Annotated[int, Field(ge=0, le=3)]
    reason: str = ""
    parts: tuple[Annotated[str, Field(pattern=r"^p\d{4}-\d{4}$")], ...] = ()
    compatible: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    models: tuple[Annotated[str, Field(pattern=r"^[^A-Z]+$")], ...] = ()
    boot_specs: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    chip: str | None = None
    chip_id: int | None = None
    jetpacks: tuple[JetPack, ...] = ()
    precision: TargetPrecision | None = None
    gpu: Gpu | None = None
    memory: Memory | None = None
    dla: Dla | None = None
    rails: Rails | None = None
    video: VideoUnits | None = None
    modes: tuple[PowerMode, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    unverified: Mapping[str, str] = field(default_factory=dict)

    def mode(self, name: str, configuration: Configuration) -> PowerMode | None:
        """Return a power mode, or ``None`` where it is not declared."""
        return next((m for m in self.modes if m.name == name and m.configuration is configuration), None)

    def configurations(self) -> tuple[Configuration, ...]:
        """Return the sets of power modes the module has."""
        return tuple(self.gpu.max_mhz) if self.gpu else ()

    def peaks(self, *, mhz: float, sms: int) -> Peaks:
        """Return the dense peaks of the GPU. Formula: SMs x clock x operations per SM and clock.

        Args:
            mhz: GPU clock.
            sms: multiprocessors on.

        Raises:
            ValueError: the target declares no GPU.
        """
        if self.gpu is None:
            raise ValueError(f"target {self.id} declares no GPU")
        tera = sms * mhz * 1e-6
        return Peaks(
            2 * self.gpu.cores_per_sm * tera,
            self.gpu.fp16_ops_per_sm_clock * tera,
            self.gpu.int8_ops_per_sm_clock * tera,
        )

    def doubt(self, path: str) -> str:
        """Return what is not certain about a field like ``gpu.sms``, or nothing."""
        return longest_prefix(self.unverified, path) or ""


def longest_prefix(table: Mapping[str, Any], path: str) -> Any | None:
    """Return the entry of the longest prefix of a path in a table: of ``gpu.sms``, else of ``gpu``; else ``None``."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        if (found := table.get(".".join(parts[:length]))) is not None:
            return found
    return None
