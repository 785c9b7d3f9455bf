"""Compiling the fusion kernel for a GPU architecture, once per source and compiler."""

import contextlib
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_arseg.compiler.kernels.compilers import CudaCompiler, compiler_from_sm, cuda_compilers
from edge_arseg.errors import BuildError
from edge_arseg.runtime.kernels.cuda.image import MAIN, source_digest
from edge_arseg.spec.entries import KernelEntry
from edge_arseg.storage.files.whole import write_whole
from edge_arseg.storage.user_folders import user_cache


@dataclass(frozen=True, slots=True)
class EntryResources:
    """What one entry of a cubin takes, as the assembler counts it.

    Attributes:
        registers: per thread.
        spill_bytes: stores and loads of registers that did not fit, per thread.
        stack_bytes: per thread.
    """

    registers: int
    spill_bytes: int
    stack_bytes: int


@dataclass(frozen=True, slots=True)
class KernelImage:
    """The kernel compiled for one architecture.

    Attributes:
        sm: 87 for compute capability 8.7.
        cubin: what the driver loads.
        source: ``source_digest`` of what it was compiled from.
        compiler: name and version.
        resources: of each entry.
    """

    sm: int
    cubin: bytes
    source: str
    compiler: str
    resources: Mapping[str, EntryResources]


def image_from_source(sm: int, *, compiler: CudaCompiler | None = None, cache: Path | None = None) -> KernelImage:
    """Compile the kernel, or take it from the cache.

    Args:
        sm: 87 for compute capability 8.7.
        compiler: that knows it; by default the first of this machine, see ``compiler_from_sm``.
        cache: folder; by default ``edge-arseg/kernels`` in the user's cache. Where it cannot be written, compiling is
            repeated, nothing else.

    Raises:
        EnvironmentUnfitError: there is no compiler.
        BuildError: no compiler knows the architecture, or the kernel does not compile.
    """
    compiler = compiler or compiler_from_sm(sm)
    source = source_digest()
    folder = cache or user_cache() / "kernels"
    name = hashlib.sha256(f"{source} sm_{sm} {compiler.name}".encode()).hexdigest()[:16]
    cubin_file, record_file = folder / f"{name}.cubin", folder / f"{name}.json"
    if (cubin := _cached(cubin_file, record_file)) is None:
        data, said = compiler.cubin_from_source(MAIN, sm)
        resources = resources_from_log(said)
        if not resources:
            raise BuildError(f"{compiler.name} names no entry of {MAIN.name}; it says:\n{said[-1000:]}")
        record = {
            "sha256": hashlib.sha256(data).hexdigest(),
            "resources": {entry: [r.registers, r.spill_bytes, r.stack_bytes] for entry, r in resources.items()},
        }
        with contextlib.suppress(OSError):
            write_whole(cubin_file, data)
            write_whole(record_file, json.dumps(record).encode())  # last: without it the cubin is not used
        cubin = data, resources
    return KernelImage(sm, cubin[0], source, compiler.name, cubin[1])


def kernels_from_compilers(
    compilers: Mapping[int, CudaCompiler], *, cache: Path | None = None
) -> dict[KernelEntry, bytes]:
    """Compile for several architectures; returns what a bundle says of each, and the cubin.

    Args:
        compilers: architecture to the compiler for it; where that fails, the other ones of this machine are tried.
        cache: see ``image_from_source``.

    Raises:
        BuildError: the kernel does not compile; what the first compiler says.
        SinkError: no folder for temporary files has room.
    """
    images = [_image(sm, compiler, cache) for sm, compiler in compilers.items()]
    return {
        KernelEntry(f"kernels/fusion_sm{image.sm}.cubin", image.sm, image.source, image.compiler): image.cubin
        for image in images
    }


def _image(sm: int, first: CudaCompiler, cache: Path | None) -> KernelImage:
    try:
        return image_from_source(sm, compiler=first, cache=cache)
    except BuildError:
        for other in cuda_compilers():
            if other.name != first.name and sm in other.sms:
                with contextlib.suppress(BuildError):
                    return image_from_source(sm, compiler=other, cache=cache)
        raise


def resources_from_log(said: str) -> dict[str, EntryResources]:
    """Read what ``ptxas -v`` says: entry name to what it takes."""
    found = {}
    for part in said.split("Compiling entry function '")[1:]:
        name = part.partition("'")[0]
        # the first numbers are the entry's own; what it calls is inlined
        stack = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", part)
        registers = re.search(r"Used (\d+) registers", part)
        if stack and registers:
            found[name] = EntryResources(int(registers[1]), int(stack[2]) + int(stack[3]), int(stack[1]))
    return found


def _cached(cubin_file: Path, record_file: Path) -> tuple[bytes, dict[str, EntryResources]] | None:
    """Return a cubin and what it takes, or ``None`` where it is missing or not as it was written."""
    try:
        record = json.loads(record_file.read_bytes())
        data = cubin_file.read_bytes()
        if hashlib.sha256(data).hexdigest() != record["sha256"]:
            return None
        return data, {entry: EntryResources(*numbers) for entry, numbers in record["resources"].items()}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
