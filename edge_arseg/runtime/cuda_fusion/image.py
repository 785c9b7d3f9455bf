"""Finding the compiled kernel of a bundle that fits the GPU."""

from edge_arseg.errors import BuildError
from edge_arseg.runtime.bundle import Bundle
from edge_arseg.runtime.cuda_fusion.source_files import source_digest


def image_from_bundle(bundle: Bundle, compute_capability: tuple[int, int]) -> bytes:
    """Return the cubin for a GPU; ``read_bundle`` has checked its digest.

    A cubin runs on its own compute capability and on later ones of the same major version.

    Raises:
        BuildError: there is none that fits, or it was compiled from another version of the kernel.
    """
    major, minor = compute_capability
    compile_again = f"edge-arseg compile {bundle.path} --target TARGET (`edge-arseg targets detect` names it)"
    fitting = [entry for entry in bundle.manifest.kernels if entry.sm // 10 == major and entry.sm % 10 <= minor]
    if not fitting:
        seen = ", ".join(f"sm_{entry.sm}" for entry in bundle.manifest.kernels) or "none"
        raise BuildError(
            f"{bundle.path}: no fusion kernel for this GPU, sm_{major}{minor} (there are: {seen}); "
            f"type: {compile_again}, or run with --fusion graph"
        )
    best = max(fitting, key=lambda entry: entry.sm)
    if best.source != (own := source_digest()):
        raise BuildError(
            f"{bundle.path}: {best.file} was compiled from another version of the kernel ({best.source[:16]}... seen, "
            f"{own[:16]}... is installed); type: {compile_again}"
        )
    return (bundle.path / best.file).read_bytes()
