"""The compiled kernel: the source it is made of, and the one in a bundle that fits a GPU."""

import hashlib
from pathlib import Path
from shlex import quote

from edge_arseg.errors import BuildError
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.spec.entries import KernelEntry

SOURCE = Path(__file__).parent / "source"
MAIN = SOURCE / "fusion.cu"


def source_digest() -> str:
    """Return the SHA-256 over all source files, in hexadecimal."""
    digest = hashlib.sha256()
    for file in sorted(SOURCE.glob("*.cu*")):
        digest.update(f"{file.name}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


def kernel_for_gpu(bundle: Bundle, compute_capability: tuple[int, int]) -> KernelEntry:
    """Return the compiled kernel for a GPU.

    A cubin runs on its own compute capability and on later ones of the same major version.

    Raises:
        BuildError: there is none that fits, or it was compiled from another version of the kernel; with what to type.
    """
    major, minor = compute_capability
    fitting = [entry for entry in bundle.manifest.kernels if entry.sm // 10 == major and entry.sm % 10 <= minor]
    if not fitting:
        seen = ", ".join(f"sm_{entry.sm}" for entry in bundle.manifest.kernels) or "none"
        raise BuildError(
            f"{bundle.path}: no fusion kernel for this GPU, sm_{major}{minor} (there are: {seen}); "
            f"type: {_compile_again(bundle)}; or run with --fusion graph"
        )
    best = max(fitting, key=lambda entry: entry.sm)
    if best.source != (own := source_digest()):
        raise BuildError(
            f"{bundle.path}: {best.file} was compiled from another version of the kernel ({best.source[:16]}... seen, "
            f"{own[:16]}... is installed); type: {_compile_again(bundle)}; or run with --fusion graph"
        )
    return best


def _compile_again(bundle: Bundle) -> str:
    """Return the command that puts a kernel of this version in; a bundle that was compiled is written again, with the
    engines that it has.
    """
    target, path = bundle.manifest.target, quote(str(bundle.path))
    if target is None:
        return f"edge-arseg compile {path} --target TARGET (`edge-arseg targets detect` names it)"
    return f"edge-arseg compile {path} --target {target} --force --no-engines, where nvcc or NVRTC is"
