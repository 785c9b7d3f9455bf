"""Who may look: holders of the token; without one, this machine's own browser on this machine's own page."""

import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from edge_arseg.errors import OptionError
from edge_arseg.quantity import counted
from edge_arseg.serve.address import is_loopback

SHORTEST = 16
"""Characters of a token: whoever guesses shall take years."""


def checked_token(token: str) -> str:
    """Return a token that is good enough.

    Raises:
        OptionError: it is short, or holds characters that a cookie cannot.
    """
    if len(token) < SHORTEST or not token.isascii() or not all(c.isalnum() or c in "-_.~" for c in token):
        raise OptionError(
            f"--serve-token: {counted(len(token), 'character')} seen, expected {SHORTEST} or more: letters, digits, "
            "-_.~; without the option one is made"
        )
    return token


class Access:
    """Says whether a request may see the run.

    Args:
        token: that is asked for; ``None`` on loopback: none is.
        port: of the page. Cookies are shared by all ports of a host, so its name holds it.
    """

    def __init__(self, token: str | None, port: int) -> None:
        self.token = token
        self.cookie = f"edge_arseg_{port}"

    @staticmethod
    def new_token() -> str:
        """Make a token that nobody guesses."""
        return secrets.token_urlsafe(18)

    def fits(self, given: str) -> bool:
        """Whether this is the token; takes equally long for every wrong one."""
        return self.token is not None and hmac.compare_digest(given.encode(), self.token.encode())

    def admits(self, headers: Headers) -> bool:
        """Whether a request may see the run.

        Without a token the page must be asked for under a name of this machine, so that no page of another site can
        have its own name lead here. A request that another page makes is refused with and without a token.
        """
        origin = headers.get("origin")
        if origin is not None and _place_of(origin) != headers.get("host"):
            return False
        if self.token is None:
            return _is_of_this_machine(headers.get("host", ""))
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.fits(bearer.strip()):
            return True
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return False
        return morsel is not None and self.fits(morsel.value)


def _place_of(origin: str) -> str:
    """Host and port of a page; empty where it is no address."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _is_of_this_machine(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name == "localhost" or name.endswith(".localhost") or is_loopback(name)
