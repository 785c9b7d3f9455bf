"""The five graphs of a bundle at chosen precisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import onnx

from edge_arseg.compiler.quantize.calibrate.flow import Calibration
from edge_arseg.compiler.quantize.dialects import ONNX_RUNTIME, Dialect
from edge_arseg.compiler.quantize.half import fp16_from_fp32, with_feature_type
from edge_arseg.compiler.quantize.qdq import qdq_from_ranges
from edge_arseg.errors import OptionError
from edge_arseg.spec.manifest import Precision, Role

CHOICES = (Precision.FP32, Precision.FP16, Precision.INT8)


@dataclass(frozen=True, slots=True)
class PrecisionChoice:
    """What each graph shall compute in.

    Attributes:
        branches: precision of ``hr``, ``lr`` and ``fuse``; ``head`` and ``lr_head`` follow ``fuse``. In an HR-only
            bundle of ``hr`` alone.
        dialect: of int8 graphs.
        keep_float: names of the layers of int8 graphs that stay in float, by role.

    Raises:
        OptionError: no such precision, or not one for each branch.
    """

    branches: Mapping[Role, Precision]
    dialect: Dialect = ONNX_RUNTIME
    keep_float: Mapping[Role, frozenset[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wrong = [value.value for value in self.branches.values() if value not in CHOICES]
        if wrong or set(self.branches) not in ({Role.HR, Role.LR, Role.FUSE}, {Role.HR}):
            raise OptionError(f"precisions {dict(self.branches)} seen, expected fp32, fp16 or int8 for hr, lr and fuse")

    @property
    def features(self) -> str:
        """Type of the features between the graphs: float16 where the fusion computes in it."""
        fuse = self.branches.get(Role.FUSE)
        computes_in = self.dialect.float_precision if fuse is Precision.INT8 else fuse
        return "float16" if computes_in is Precision.FP16 else "float32"

    def stated(self, role: Role) -> Precision:
        """Return the precision that the manifest states of a graph: ``mixed`` where int8 layers stayed in float."""
        if role not in self.branches:
            return Precision.FP16 if self.features == "float16" else Precision.FP32
        precision = self.branches[role]
        kept = precision is Precision.INT8 and bool(self.keep_float.get(role))
        return Precision.MIXED if kept else precision


def graphs_from_choice(
    originals: Mapping[Role, onnx.ModelProto],
    choice: PrecisionChoice,
    calibration: Calibration | None = None,
) -> dict[Role, onnx.ModelProto]:
    """Return all graphs of a bundle.

    Args:
        originals: the float32 graphs.
        choice: see ``PrecisionChoice``.
        calibration: of the branches that become int8; ``None``: none does.
    """
    features = choice.features
    graphs = {}
    for role, original in originals.items():
        precision = choice.branches.get(role, choice.stated(role))
        if precision is Precision.FP16:
            graphs[role] = fp16_from_fp32(original, features=features)
        elif precision is Precision.INT8:
            assert calibration is not None
            graphs[role] = _int8(calibration, choice, role)
        else:
            graphs[role] = with_feature_type(original, features)
    return graphs


def _int8(calibration: Calibration, choice: PrecisionChoice, role: Role) -> onnx.ModelProto:
    dialect, branch = choice.dialect, calibration.branches[role]
    model = branch.model
    if dialect.float_precision is Precision.FP16:
        model = fp16_from_fp32(model, features=choice.features)
    quantized = qdq_from_ranges(
        model,
        branch.layers,
        calibration.ranges[role],
        calibration.means[role],
        dialect=dialect,
        keep_float=choice.keep_float.get(role, frozenset()),
    )
    return with_feature_type(quantized, choice.features)
