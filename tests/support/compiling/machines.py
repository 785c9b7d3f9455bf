"""A host and a board to compile on, and how to look at what came of it."""

from support.compiling.builders import GOOD

from edge_arseg.compiler.machine import Machine
from edge_arseg.compiler.target.options import CompileOptions
from edge_arseg.runtime.device.board import Board
from edge_arseg.runtime.device.cuda import DeviceFacts
from edge_arseg.runtime.device.host_memory import HostMemory
from edge_arseg.spec.manifest import Precision, Role
from edge_arseg.spec.targets.target import Configuration

GB = 10**9
PLENTY = HostMemory(8 * GB, 7 * GB, 8 * GB)
NANO = "jetson-orin-nano-8gb"
FACTS = DeviceFacts("p3767-0005", (8, 7), 8, 8 * GB)
HOST = Machine(Board("cpu", "no Jetson", memory=PLENTY), None, "x86_64", lambda: PLENTY)
BOARD = Machine(
    Board(NANO, "module p3767-0005 in the device tree", configuration=Configuration.SUPER, memory=PLENTY),
    FACTS,
    "aarch64",
    lambda: PLENTY,
)
FP32 = dict.fromkeys((Role.HR, Role.LR, Role.FUSE), Precision.FP32)
OPTIONS = CompileOptions(FP32, builder=GOOD)


def states(found):
    return {step.name: step.state for step in found.steps}


def tree(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


ENGINES = {f"engine {role.value}" for role in Role}
