"""The kernel's source: where it is, and what names it."""

import hashlib
from pathlib import Path

SOURCE = Path(__file__).parent / "source"
MAIN = SOURCE / "fusion.cu"


def source_digest() -> str:
    """Return the SHA-256 over all source files, in hexadecimal."""
    digest = hashlib.sha256()
    for file in sorted(SOURCE.glob("*.cu*")):
        digest.update(f"{file.name}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()
