"""Whether there is memory enough for a build, asked before it starts: the kernel kills a build that runs out of it."""

from dataclasses import dataclass, replace

from edge_arseg.errors import MemoryExhaustedError
from edge_arseg.runtime.device.host_memory import HostMemory
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import GraphEntry, Precision

LIBRARY_BYTES = 1_200_000_000
"""TensorRT, its kernels and a CUDA context in the process that builds. General knowledge, not measured on a board."""
WEIGHT_COPIES = 4
"""Parsed, converted, tried by a tactic, serialised."""
TENSOR_COPIES = 12
"""Inputs and outputs stand for what is alive between them, of which a network with skips keeps several at once."""


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """A rule of thumb for the memory that building one graph takes, bytes."""

    library: int
    graph: int
    workspace: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.library + self.graph + self.workspace


def need_from_graph(entry: GraphEntry, file_bytes: int, workspace_bytes: int) -> MemoryNeed:
    """Estimate what building a graph takes. An estimate: nothing of it was measured on a board."""
    tensors = sum(spec.nbytes for spec in (*entry.inputs.values(), *entry.outputs.values()))
    return MemoryNeed(LIBRARY_BYTES, WEIGHT_COPIES * file_bytes + TENSOR_COPIES * tensors, workspace_bytes)


def need_of_build(
    entry: GraphEntry, file_bytes: int, precision: Precision, *, fuse: Precision | None, workspace_bytes: int
) -> MemoryNeed:
    """Estimate what building a graph takes, converted or yet to be converted.

    Args:
        entry, file_bytes, precision, fuse: see ``entry_in_precision``.
        workspace_bytes: scratch memory.
    """
    entry, file_bytes = entry_in_precision(entry, file_bytes, precision, fuse=fuse)
    return need_from_graph(entry, file_bytes, workspace_bytes)


def entry_in_precision(
    entry: GraphEntry, file_bytes: int, precision: Precision, *, fuse: Precision | None
) -> tuple[GraphEntry, int]:
    """Return what a float32 graph and the size of its file come to once it is converted, so that a build can be judged
    before the conversion.

    Args:
        entry: of the graph as it is.
        file_bytes: of the graph as it is.
        precision: that it is converted to.
        fuse: precision of the fusion, which decides the type of the features; ``None``: there is none.
    """
    if entry.precision is not Precision.FP32:
        return entry, file_bytes
    if fuse is Precision.FP16:
        halved = {
            name: replace(spec, dtype="float16")
            for name, spec in (*entry.inputs.items(), *entry.outputs.items())
            if name in names.FEATURES_OF_GRAPHS
        }
        inputs, outputs = ({n: halved.get(n, s) for n, s in specs.items()} for specs in (entry.inputs, entry.outputs))
        entry = replace(entry, inputs=inputs, outputs=outputs)
    return entry, file_bytes // 2 if precision is Precision.FP16 else file_bytes


def workspace_from_memory(memory: HostMemory) -> int:
    """Return the scratch memory to allow: an eighth of the machine's, a power of two from 256 MiB to 2 GiB.

    It depends on the size of the memory, not on what is free, so that the same machine always builds the same.
    """
    size = 256 << 20
    while size < 2 << 30 and 2 * size <= memory.total // 8:
        size *= 2
    return size


def check_memory(name: str, need: MemoryNeed, memory: HostMemory) -> None:
    """Refuse a build that there is not enough memory for.

    Args:
        name: of the graph.
        need: see ``need_from_graph``.
        memory: of the machine; where it cannot be read, nothing is refused.

    Raises:
        MemoryExhaustedError: with what to do about it.
    """
    if not memory.total or need.total <= memory.available:
        return
    advice = ["stop the desktop: sudo systemctl isolate multi-user.target", "end other programs"]
    anyway = "with --no-memory-check"
    smallest = 256 << 20
    if need.workspace > smallest:
        advice.append(f"allow less scratch memory: --workspace {smallest >> 20}")
    if memory.swap_free < 2 << 30:
        # what is free does not grow with it: it is where other programs are moved to when the build needs room
        anyway = (
            "with swap and --no-memory-check: sudo fallocate -l 8G /swap; sudo chmod 600 /swap; sudo mkswap /swap; "
            "sudo swapon /swap"
        )
    raise MemoryExhaustedError(
        f"building {name} takes about {_gb(need.total)} (estimated: TensorRT {_gb(need.library)}, graph "
        f"{_gb(need.graph)}, scratch {_gb(need.workspace)}), {_gb(memory.available)} of {_gb(memory.total)} are free. "
        f"Then type the same again: {'; '.join(advice)}. Or build nevertheless {anyway}"
    )


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
