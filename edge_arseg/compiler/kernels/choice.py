"""Which GPU architectures the fusion kernel is compiled for, and whether there is a compiler for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edge_arseg.compiler.kernels.build import kernels_from_compilers
from edge_arseg.compiler.kernels.compilers import CudaCompiler, compiler_from_sm
from edge_arseg.errors import ArsegError, BuildError
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.device.cuda import DeviceFacts
from edge_arseg.runtime.kernels.cuda.image import kernel_for_gpu
from edge_arseg.spec.entries import KernelEntry
from edge_arseg.spec.targets.target import Kind, Target

DESKTOP_SMS = (75, 80, 86, 89, 90)
"""For a GPU that is not known: Turing to Hopper."""


@dataclass(frozen=True, slots=True)
class KernelChoice:
    """What to compile the kernel for, and the compilers that were found for it.

    Attributes:
        compilers: architecture, as the compilers write it (87 for 8.7), to the compiler for it.
        why: in words, for people.
        missing: why those that the target wants cannot be compiled for here, with what to type; nothing otherwise.
    """

    compilers: Mapping[int, CudaCompiler]
    why: str
    missing: str = ""

    def compiled(self) -> dict[KernelEntry, bytes]:
        """Compile for all of them; see ``kernels_from_compilers``.

        Raises:
            BuildError, SinkError: see there.
        """
        return kernels_from_compilers(self.compilers)

    def lacking(self, bundle: Bundle) -> tuple[int, ...]:
        """Return the architectures on which a bundle would run without a kernel: it has none, or an outdated one."""
        lacking = []
        for sm in self.compilers:
            try:
                kernel_for_gpu(bundle, divmod(sm, 10))
            except BuildError:
                lacking.append(sm)
        return tuple(lacking)

    def renewable(self, bundle: Bundle) -> tuple[int, ...]:
        """Return the architectures whose kernel would be another one: lacking, or made by another compiler.

        A driver refuses what a CUDA newer than its own has made; the board's compiler makes what it takes.
        """
        made = {kernel.sm: kernel.compiler for kernel in bundle.manifest.kernels}
        other = {sm for sm, compiler in self.compilers.items() if made.get(sm, compiler.name) != compiler.name}
        return tuple(sorted({*self.lacking(bundle), *other}))


def choice_from_target(
    target: Target, facts: DeviceFacts | None, *, find: Callable[[int], CudaCompiler] = compiler_from_sm
) -> KernelChoice:
    """Choose the architectures: a board's own; on a desktop the GPU that is there, or the usual ones.

    A bundle without a kernel runs too, with the ``fuse`` graph, so that a missing compiler is no error.

    Args:
        target: compiled for.
        facts: of this machine's GPU.
        find: the compiler for an architecture.
    """
    if target.kind is Kind.CPU:
        return KernelChoice({}, "the CPU's kernels come with the package")
    if target.tier == 3:
        return KernelChoice({}, "none: this package does not run there, TensorRT builds the fuse graph")
    if target.gpu is not None:
        wanted: tuple[int, ...] = (target.gpu.sm,)
    elif facts is not None:
        wanted = (10 * facts.compute_capability[0] + facts.compute_capability[1],)
    else:
        wanted = DESKTOP_SMS
    able, missing = {}, ""
    for sm in wanted:
        try:
            able[sm] = find(sm)
        except ArsegError as error:
            missing = missing or str(error)
    if not able:
        return KernelChoice({}, f"none: the fuse graph is used instead. {missing}", missing)
    named = ", ".join(f"sm_{sm}" for sm in able)
    names = sorted({compiler.name for compiler in able.values()})
    return KernelChoice(able, f"fusion kernel for {named} with {', '.join(names)}", missing)
