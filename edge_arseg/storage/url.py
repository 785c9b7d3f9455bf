"""URLs as they may be shown: without the logins in them."""

import re
from collections.abc import Iterable
from os import PathLike, fspath
from urllib.parse import quote, urlsplit

HIDDEN = "***"
"""Stands for a login, or for the value of a secret."""

EXAMPLE = "USER:PASSWORD@"
"""A login in messages that say what to type."""

STORES = ("s3", "gs", "gcs", "az", "abfs")
"""Schemes of object stores."""

NETWORK = ("rtsp", "rtsps", "rtmp", "rtmps", "udp", "tcp", "srt", "http", "https")
"""Schemes of sources on a network."""

PORTS = {"rtsp": 554, "rtsps": 322, "rtmp": 1935, "rtmps": 443, "mqtt": 1883, "mqtts": 8883}
"""Ports that need not be named."""

_LOCAL = ("file", "replay", "images", "masks", "jsonl", "raw", "v4l2", "pipe")
"""Schemes with a path behind them; what only looks like one (``csi://u:p@host``) is treated as a URL."""

_URL = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://(.*)", re.DOTALL)
_SLASHLESS = re.compile(rf"({'|'.join(NETWORK)}):/?(?!/)(.*@.*)", re.DOTALL | re.IGNORECASE)
_BARE = re.compile(  # a URL whose scheme was forgotten or mistyped
    rf"(?:(?:{'|'.join(NETWORK)})?[:;]?//)?[\w.+-]+:.*@"
    r"(?:(?:[\w.-]+|\[[0-9a-fA-F:]+\])(?::\d+(?:/.*)?|/.*)|\d+\.\d+\.\d+\.\d+|localhost|"
    r"[\w.-]+\.(?:local|lan|com|net|org))",
    re.DOTALL | re.IGNORECASE,
)
_WITHIN = re.compile(rf"(.+?)((?:{'|'.join((*NETWORK, *STORES))})://.*)", re.DOTALL | re.IGNORECASE)
_HANDED_ON = re.compile(rf"((?:{'|'.join(NETWORK)}):/{{1,2}})[^/\s&]*@", re.IGNORECASE)  # one URL within another
_ENCODED = re.compile(r"(%3A%2F%2F)[^&/]*?(%40)", re.IGNORECASE)
_AUTHORITY = re.compile(r"[\w.+-]+:[^/]*@[\w.-]+(:\d+)?(?:[/?].*)?", re.DOTALL)
_IN_TEXT = re.compile(rf"\b(?:[a-zA-Z][a-zA-Z0-9+.-]*://|(?:{'|'.join(NETWORK)}):/?(?=[^/\s]*@))\S+", re.IGNORECASE)
_HOST_AND_PORT = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[^:@\[\]\s]+)(:\d*)?")
_SURE_HOST = re.compile(
    r"(\d+\.\d+\.\d+\.\d+|\[[0-9a-fA-F:]+\]|localhost|[\w-]+(\.[\w-]+)+(?=[:/])|[\w-]+(?=:\d))(:\d+)?(?=[/?#]|$)"
)
_SECRET = re.compile(
    r"((?:[\w.~%-]*(?:pass|pwd|psw|token|secret|signature|auth(?!or(?!i))|key(?!frame|int)|cred|login|user|usr|account|"
    r"sess|jwt|policy|code(?!c)|ticket|bearer|streamid|access(?!or)|nonce)[\w.~%-]*)"
    r"|(?<=[?&;])(?:u|p|pw|sig|sid|hash|h|st|pin|otp|psk|md5|hmac|hdnea|hdnts|hdntl|__gda__))=[^&]*((?:&[^=&]+(?=&|$))*)",
    re.IGNORECASE,
)
_IN_PATH = re.compile(r"(?<=/)(?!(?:mp4|mp3|flv|smil|ngrp|amlst):)[\w.+-]+:[^/:?#]+(?=/)")
"""A login between two slashes, as some cameras want it; what media servers write there is none."""
_KEY = re.compile(r"([^/?\s]*/[^/?\s]+/(?:[^/?\s]+/)*)[^/?\s]+")
"""The end of an RTMP path is the key of the stream: whoever has it may send in one's name."""
_typed: dict[str, str] = {}
"""URLs with blanks in them that were typed, and how they are shown; the longest first."""
_BAD_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")


def label_from_url(url: str) -> str:
    """Return a URL with its login and the secrets of its query replaced; host, port and path stay.

    A login may hold any character, also those that belong percent-encoded (``#``, ``@``, ``/``, ``?``). Where it is
    not certain what is the login, more is hidden, not less.
    """
    match = _URL.fullmatch(url)
    if match is None or match[1].lower() in _LOCAL:
        if within := _WITHIN.fullmatch(url):
            return within[1] + label_from_url(within[2])
        if match is not None and _AUTHORITY.fullmatch(match[2]):
            return f"{match[1]}://{HIDDEN}@{match[2].rpartition('@')[2]}"
        if slashless := _SLASHLESS.fullmatch(url):
            return f"{slashless[1]}:{HIDDEN}@{slashless[2].rpartition('@')[2]}"
        return f"{HIDDEN}@{url.rpartition('@')[2]}" if match is None and _BARE.fullmatch(url) else url
    scheme, rest = match.groups()
    end = _end_of_login(scheme, rest)
    shown, tail = (f"{HIDDEN}@", rest[end + 1 :]) if end > 0 else ("", rest)
    if scheme.lower() in ("rtsp", "rtsps"):
        tail = _IN_PATH.sub(HIDDEN, tail)
    if scheme.lower() in ("rtmp", "rtmps"):
        tail = _KEY.sub(rf"\1{HIDDEN}", tail, count=1)
    tail = _ENCODED.sub(rf"\1{HIDDEN}\2", _SECRET.sub(rf"\1={HIDDEN}", tail))
    return f"{scheme}://{shown}" + _HANDED_ON.sub(rf"\1{HIDDEN}@", tail)


def label_of(source: str | PathLike[str]) -> str:
    """Return how a source, a sink or a path is shown in messages, logs and records: no login, and printable."""
    return printable(label_from_url(fspath(source)))


def part_of_label(label: str, part: str) -> str:
    """Return how a part of what was typed is shown beside its label: not at all, where the label hides a login.

    Args:
        label: see ``label_of``.
        part: a folder, a name or an ending out of what was typed; the login may be in it.
    """
    return HIDDEN if HIDDEN in label else printable(part)


def login_of(url: str) -> str:
    """Return the login in a URL, without the ``@`` behind it; empty where there is none."""
    match = _URL.fullmatch(url)
    return match[2][: max(0, _end_of_login(*match.groups()))] if match else ""


def _end_of_login(scheme: str, rest: str) -> int:
    """As ``_login_end`` for what may be one. A bucket has no port: what looks like one is a key, and its secret."""
    bucket = rest.partition("/")[0]
    if scheme.lower() in STORES:
        has_key = ":" in bucket and not bucket.startswith("arn:")
        return rest.rfind("@", 0, len(rest if has_key else bucket))
    return _login_end(rest, suspicious=True)


def keep_typed(texts: Iterable[str]) -> None:
    """Take notice of what was typed: a blank ends a URL in a sentence, but none of these.

    Args:
        texts: arguments and variables, as they are; ``--option=URL`` too.
    """
    parts = {part for text in texts for part in (text, text.partition("=")[2]) if "://" in part}
    shown = {part: label_from_url(part) for part in parts if any(map(str.isspace, part))}
    _typed.clear()
    _typed.update((part, shown[part]) for part in sorted(shown, key=len, reverse=True) if shown[part] != part)


def text_without_logins(text: str) -> str:
    """Return a message with every URL in it as ``label_from_url`` shows it; see also ``keep_typed``."""
    for typed, label in _typed.items():
        text = text.replace(typed, label)

    def shown(match: re.Match[str]) -> str:
        url = match[0].rstrip(":,;")  # what follows a URL in a sentence
        return match[0] if EXAMPLE in url else label_from_url(url) + match[0][len(url) :]

    return _IN_TEXT.sub(shown, text)


def url_with_encoded_login(url: str) -> str:
    """Return a URL whose scheme is in lower case and whose login is percent-encoded where it has to be.

    ``RTSP://admin:a#b%c@host/x`` becomes ``rtsp://admin:a%23b%25c@host/x``; what is encoded already stays.
    """
    match = _URL.fullmatch(url)
    if match is None:
        return url
    scheme, rest = match[1].lower(), match[2]
    end = _login_end(rest, suspicious=False)
    if end <= 0:
        return f"{scheme}://{rest}"
    login = quote(_BAD_PERCENT.sub("%25", rest[:end]), safe="%:!$&'()*+,;=-._~")
    return f"{scheme}://{login}@{rest[end + 1 :]}"


def address_of(url: str) -> tuple[object, ...]:
    """Return what two spellings of one address on a network share: scheme, host, port and path.

    Logins make no difference, nor do upper case before the path, a port that goes without saying and a slash at the
    end; behind ``?`` of UDP and TCP are settings.
    """
    try:
        parts = urlsplit(url_with_encoded_login(url))
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return (url,)
    query = "" if parts.scheme in ("udp", "tcp") else parts.query
    return (parts.scheme, parts.hostname or "", port, parts.path.rstrip("/"), query)


def printable(text: str) -> str:
    """Return a name with what cannot be printed written as ``\\xNN``: bytes that are not UTF-8, control characters."""
    if not may_be_a_name(text):  # bytes that no name has
        text = text.encode("utf-8", "backslashreplace").decode()
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def may_be_a_name(text: str) -> bool:
    """Whether a file could be called that; no system takes a name that holds a null character or half a pair."""
    try:
        return b"\0" not in text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False


def _login_end(rest: str, *, suspicious: bool) -> int:
    """Return where the ``@`` behind the login is in what follows ``://``, or -1.

    By the standard that is the last one before the first of ``/?#``; a login that is not percent-encoded may hold these
    itself. ``suspicious`` takes for a login what might be one (a password may begin like a port).
    """
    border = next((at for at, c in enumerate(rest) if c in "/?#"), len(rest))
    end = rest.rfind("@", 0, border)
    last = rest.rfind("@")
    if last < border:
        return end
    host = _HOST_AND_PORT.fullmatch(rest, end + 1, border)
    if host is None or rest[border] == "#":
        return last
    if suspicious and (end >= 0 or host[2]) and rest[last - 1] != "/" and "=" not in rest[border:last]:
        return last if _SURE_HOST.match(rest, last + 1) else end
    return end
