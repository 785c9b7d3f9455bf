"""Object stores, through fsspec: ``s3://bucket/name`` and others."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.installation import install_packages
from edge_arseg.storage.url import label_of, login_of, text_without_logins

PACKAGES = {
    "s3": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "memory": "fsspec",
}
"""Schemes of stores, and the packages that fsspec needs for them; ``memory://`` is a store of one process."""


_AWS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
_ADVICE = {"NoCredentialsError": f"no keys for this store were found; {_AWS}"}
"""What to do, by the name of a library's error that leaves it open."""


_KEYS = {
    "s3": _AWS,
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS",
    "gcs": "set GOOGLE_APPLICATION_CREDENTIALS",
    "az": "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
    "abfs": "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}
"""What to do instead of writing a login into the URL, by scheme."""


_ACCOUNTS = ("az", "abfs")
"""Schemes with what is no login before an ``@``: ``abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/name``."""


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
        OSError: the store cannot be used, with what it said; or the URL holds a login, which no store takes from there,
            and which some would show.
    """
    scheme = url.partition("://")[0].lower()
    login = login_of(url)
    if ":" in login or (login and scheme not in _ACCOUNTS):
        raise StoreError(f"a login in the URL is not used; {_KEYS.get(scheme, 'leave it out')}")
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
        raise StoreError(_ADVICE.get(kind) or f"{kind}: {text_without_logins(' '.join(str(error).split()))}") from None


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
