"""What to type where a bundle does not give the right class maps on this machine."""

from collections.abc import Sequence

from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.bundles.zoo import ZOO, bundle_of_digest, typed_name
from edge_arseg.runtime.choice.trial import Trial


def refusal(figure: str, bundle: Bundle, passing: Sequence[Trial]) -> str:
    """Return the message: what was seen, and the ways out.

    Args:
        figure: agreement seen and required.
        bundle: that does not pass.
        passing: trials of the same bundle that do.
    """
    ways = [f"--backend {trial.backend}: {trial.agreement:.2%} of the pixels agree there" for trial in passing]
    if source := _source_digest(bundle):
        path = bundle_of_digest(source, [bundle.path.parent, ZOO])
        name = f"-b {typed_name(path)}" if path else f"-b with the bundle of digest {source[:12]}"
        ways.append(f"{name}: the bundle that this one was made from")
    ways.append("--unchecked: runs it anyway (unchecked=True in Python)")
    return figure + "; ways out:\n" + "\n".join(f"  {way}" for way in ways)


def _source_digest(bundle: Bundle) -> str | None:
    """Return the digest of the bundle that this one was compiled or quantized from."""
    manifest = bundle.manifest
    return manifest.compiled_from or (manifest.quantization.source if manifest.quantization else None)
