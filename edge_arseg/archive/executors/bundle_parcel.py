"""A bundle on its way to another machine: its files in one block of bytes, kept there by its digest."""

import io
import shutil
import zipfile
from pathlib import Path

from edge_arseg.errors import BundleError, SinkError
from edge_arseg.runtime.bundles.reading import SUFFIX, Bundle, read_bundle
from edge_arseg.storage.scratch import temporary_folder
from edge_arseg.storage.user_folders import user_cache


def parcel_from_bundle(bundle: Path) -> bytes:
    """Return all files of a bundle.

    Raises:
        BundleError: a file cannot be read.
    """
    held = io.BytesIO()
    try:
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as parcel:
            for file in sorted(bundle.rglob("*")):
                if file.is_file():
                    parcel.write(file, file.relative_to(bundle))
    except OSError as error:
        raise BundleError(f"{bundle}: {error.strerror or error}") from error
    return held.getvalue()


def bundle_from_parcel(parcel: bytes, digest: str, *, cache: Path | None = None) -> Bundle:
    """Return the bundle of a digest, from this machine's cache or out of the parcel, every file checked.

    Args:
        parcel: see ``parcel_from_bundle``.
        digest: see ``Bundle.digest``.
        cache: instead of the user's.

    Raises:
        BundleError: the parcel holds another bundle.
        SinkError: the cache cannot be written.
    """
    folder = (user_cache() if cache is None else cache) / "bundles"
    place = folder / f"{digest}{SUFFIX}"
    if (found := _sound(place, digest)) is not None:
        return found
    try:
        _unpack(parcel, place, digest)
    except OSError as error:
        raise SinkError(
            f"{folder}: cannot be written ({error.strerror or error}); name a folder: export XDG_CACHE_HOME=FOLDER"
        ) from error
    bundle = read_bundle(place)
    if bundle.digest != digest:
        raise BundleError(f"{place}: the digest {bundle.digest[:16]}... seen, {digest[:16]}... expected")
    return bundle


def _unpack(parcel: bytes, place: Path, digest: str) -> None:
    """Write the files beside their place, and give them their name when they are whole."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(place.parent, ".part-") as made:
        with zipfile.ZipFile(io.BytesIO(parcel)) as held:
            held.extractall(made)
        try:
            made.rename(place)
        except OSError:  # another process was quicker, or what is there is damaged
            if _sound(place, digest) is None:
                shutil.rmtree(place, ignore_errors=True)
                made.rename(place)


def _sound(place: Path, digest: str) -> Bundle | None:
    try:
        bundle = read_bundle(place)
    except BundleError:
        return None
    return bundle if bundle.digest == digest else None
