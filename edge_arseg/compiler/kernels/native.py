"""The libraries of compiled kernels that are shipped, one for each instruction set.

usage: python -m edge_arseg.compiler.kernels.native [NAME]...

Numba compiles the kernels for the instruction set in a process of its own, whatever CPU this is; LLVM writes an object
file of what it made, and a linker a shared library. Nothing of Numba or Python is in it. Needs GNU's linker: ``ld`` for
this machine, ``MACHINE-linux-gnu-ld`` (Debian's ``binutils-aarch64-linux-gnu``) for another.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge_arseg.errors import BuildError, EnvironmentUnfitError
from edge_arseg.native.library import FOLDER, INSTRUCTION_SETS, STAMP, TILES, InstructionSet, digest_of_sources
from edge_arseg.storage.files.whole import write_whole
from edge_arseg.storage.scratch import scratch_folder

_COUNTING = re.compile(r"^define [^\n]*@(NRT_(?:incref|decref))\([^\n]*\{\n.*?^\}\n", re.DOTALL | re.MULTILINE)
"""Numba counts references to memory that arrays own, with this machine's instructions; those of a table own nothing."""
MODULE = "edge_arseg.compiler.kernels.native"
_FIRST_FEATURES = {"x86_64": (), "aarch64": ("sse2",)}
"""Features that Numba is given beside those of the library: another machine's code is made from that of this one, with
registers as wide; what that machine has of its own, it gets from LLVM."""


def built_library(wanted: InstructionSet) -> Path:
    """Build one library in a process of its own and return its path; it appears complete or not at all.

    Raises:
        EnvironmentUnfitError: no linker for the machine.
        BuildError: compiler or linker failed.
    """
    linker = _linker(wanted.machine)
    with scratch_folder("kernels") as scratch:
        compiled, linked = scratch / "kernels.o", scratch / "kernels.so"
        names = _FIRST_FEATURES[wanted.machine] or wanted.features
        environment = {
            **os.environ,
            "NUMBA_CPU_NAME": "x86-64",
            "NUMBA_CPU_FEATURES": ",".join(f"+{name}" for name in names),
        }
        _run([sys.executable, "-m", MODULE, "--object", wanted.name, str(compiled)], environment)
        # no library is linked to it, and an undefined symbol ends the build: it needs nothing but itself
        _run([linker, "-shared", "-z", "defs", "-z", "noexecstack", "--gc-sections", "-s", "-o", linked, compiled])
        return write_whole(FOLDER / f"{wanted.name}.so", linked.read_bytes())


def object_from_kernels(wanted: InstructionSet) -> bytes:
    """Compile all kernels as this process's Numba is set, and return an object file for the instruction set."""
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    triple = f"{wanted.machine}-unknown-linux-gnu"
    features = ",".join(f"+{name}" for name in wanted.features)
    machine = llvm.Target.from_triple(triple).create_target_machine(
        wanted.cpu, features, opt=3, reloc="pic", codemodel="small"
    )
    whole = llvm.parse_assembly(f"@{STAMP} = constant i32 {digest_of_sources()}\n")
    whole.triple, whole.data_layout = triple, str(machine.target_data)
    for name, compiled in _compiled_kernels(wanted):
        (result,) = compiled.overloads.values()
        part = llvm.parse_assembly(
            _COUNTING.sub(r"define void @\1(ptr %memory) { ret void }\n", result.library.get_llvm_str())
        )
        part.triple, part.data_layout = triple, str(machine.target_data)
        part.get_function(result.fndesc.llvm_func_name).name = name
        for value in (*part.functions, *part.global_variables):
            if not value.is_declaration and value.name != name:
                value.linkage = "internal"  # each kernel has its own copy of what it calls
        whole.link_in(part)
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options())
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(whole, builder)
    return machine.emit_object(whole)


def _compiled_kernels(wanted: InstructionSet) -> Iterator[tuple[str, Any]]:
    from edge_arseg.motion import loops
    from edge_arseg.runtime.kernels.numba_fuse import launch as fusing
    from edge_arseg.runtime.kernels.numba_head import launch as decoding
    from edge_arseg.video.overlay import loops as painting

    yield from loops._compile(False).items()
    yield "paint_picture", painting._compile(False)
    yield "decode_strips", decoding._compile(False)
    yield "fuse_strips", fusing._compile(False)
    if set(TILES) <= set(wanted.features):
        from edge_arseg.runtime.kernels.numba_tiles import launch as tiling

        yield "segment_frame", tiling._compile(False)


def _linker(machine: str) -> str:
    name = "ld" if machine == platform.machine() else f"{machine}-linux-gnu-ld"
    found = shutil.which(name)
    if found is None:
        raise EnvironmentUnfitError(
            f"the linker {name} is missing; on Debian: apt install binutils-{machine}-linux-gnu"
        )
    return found


def _run(command: list[Any], environment: dict[str, str] | None = None) -> None:
    done = subprocess.run([str(part) for part in command], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise BuildError(f"{command[0]} failed while the kernels were built:\n{done.stderr[-2000:]}")


def main() -> None:
    """Build the libraries that are named, or all."""
    by_name = {known.name: known for known in INSTRUCTION_SETS}
    if sys.argv[1:2] == ["--object"]:
        wanted = by_name[sys.argv[2]]
        platform.machine = lambda: wanted.machine  # the kernels ask for the number of registers
        Path(sys.argv[3]).write_bytes(object_from_kernels(wanted))
        return
    for name in sys.argv[1:] or by_name:
        path = built_library(by_name[name])
        print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
