"""Object stores, through fsspec: ``s3://bucket/name`` and others."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.installation import install_packages
from edge_arseg.storage.url import label_of, text_without_logins

PACKAGES = {
    "s3": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "memory": "fsspec",
}
"""Schemes of stores, and the packages that fsspec needs for them; ``memory://`` is a store of one process."""


_ADVICE = {
    "NoCredentialsError": "no keys for this store were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
    "AWS_PROFILE"
}
"""What to do, by the name of a library's error that leaves it open."""


class StoreError(OSError):
    """What a store said, in words."""


def is_object(text: str) -> bool:
    """Whether a name is one in an object store."""
    scheme, separator, _ = text.partition("://")
    return bool(separator) and scheme.lower() in PACKAGES


def names_object(sink: str) -> bool:
    """Whether a sink writes to an object store: ``s3://bucket/a.mp4``, ``jsonl://s3://bucket/a.jsonl``."""
    return is_object(sink) or is_object(sink.partition("://")[2])


def opened_store(url: str) -> tuple[Any, str]:
    """Return the store of a URL, and the path in it. Keys and logins come from where each store's own tools find them.

    Raises:
        EnvironmentUnfitError: a package is not installed.
        OSError: the store cannot be used, with what it said.
    """
    scheme = url.partition("://")[0].lower()
    try:
        import fsspec

        with store_errors():
            store, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise EnvironmentUnfitError(
            f"{label_of(url)}: {scheme}:// needs {PACKAGES[scheme]}, which is not installed; type: "
            + install_packages("fsspec", PACKAGES[scheme])
        ) from error
    return store, path


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn what stores raise into ``OSError``; each has errors of its own, and some show keys."""
    try:
        yield
    except (OSError, ImportError):
        raise
    except Exception as error:  # the border of libraries that name no common error
        kind = type(error).__name__
        raise StoreError(_ADVICE.get(kind) or f"{kind}: {text_without_logins(str(error))}") from None


def objects_from_pattern(url: str) -> list[str]:
    """Return the URLs that a pattern in a store stands for, in order of their names; a name is no pattern.

    Raises:
        EnvironmentUnfitError, OSError: see ``opened_store``.
    """
    if not any(letter in url for letter in "*?"):
        return []
    store, path = opened_store(url)
    with store_errors():
        names = sorted(store.glob(path))
    scheme = url.partition("://")[0]
    return [f"{scheme}://{name.lstrip('/')}" for name in names]
