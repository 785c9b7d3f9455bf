"""The graphs of a network in each precision, as the gate builds them: types matter there, ranges do not."""

from edge_arseg.compiler.quantize.calibrate.flow import Calibration, PreparedBranch
from edge_arseg.compiler.quantize.calibrate.ranges import Range
from edge_arseg.compiler.quantize.dialects import TENSORRT
from edge_arseg.compiler.quantize.precision import PrecisionChoice, graphs_from_choice
from edge_arseg.compiler.quantize.rules.layers import layers_from_graph, observed_tensors
from edge_arseg.compiler.quantize.rules.preparation import prepared_graph
from edge_arseg.spec.manifest import Precision, Role

BRANCHES = (Role.HR, Role.LR, Role.FUSE)
PRECISIONS = (Precision.FP32, Precision.FP16, Precision.INT8)


def in_precision(graphs, precision, *, keep_float=None):
    """All graphs in one precision, serialised, with what the manifest would state. Every activation is in -1 to 1."""
    branches = {}
    if precision is Precision.INT8:
        for role in BRANCHES:
            model = prepared_graph(graphs[role])
            branches[role] = PreparedBranch(model, layers_from_graph(model, role))
    ranges = {
        role: dict.fromkeys(observed_tensors(branch.model, branch.layers), Range(-1.0, 1.0))
        for role, branch in branches.items()
    }
    choice = PrecisionChoice(dict.fromkeys(BRANCHES, precision), dialect=TENSORRT, keep_float=keep_float or {})
    calibration = Calibration(branches, ranges, {role: {} for role in branches}, (), ())
    made = graphs_from_choice(graphs, choice, calibration)
    return {role: (model.SerializeToString(), choice.stated(role)) for role, model in made.items()}
