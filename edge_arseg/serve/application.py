"""The page, its stream, its health and its metrics as an ASGI application."""

from collections.abc import Callable
from importlib.resources import files
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from edge_arseg.serve.access import Access
from edge_arseg.serve.figures import Figures
from edge_arseg.serve.metrics import CONTENT_TYPE
from edge_arseg.serve.viewers import Viewers

REFUSED = 4401
"""Code of WebSocket, of those that applications may choose: no token, or another site's page."""

_KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data: blob:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_OPEN = {"page.css": "css"}
"""What is served to everybody: the page that asks for the token needs it."""

_WRONG = b"That is not the token of this run. A run that begins again makes a new one."


def application(
    access: Access, viewers: Viewers, figures: Figures, metrics: Callable[[], bytes], fault: Callable[[], str | None]
) -> Starlette:
    """Return the application.

    ============  ==========================================================================================
    ``/``         the page; ``/?token=TOKEN`` once, which a cookie then remembers
    ``/watch``    WebSocket: pictures, class maps and figures, see ``docs/watching.md``
    ``/healthz``  200 while results come, 503 while none do; asks for no token, and tells no detail of the run
    ``/metrics``  for Prometheus
    ============  ==========================================================================================

    Args:
        access: who may look.
        viewers: who look.
        figures: of the run.
        metrics: makes the text of ``/metrics``.
        fault: why there is no picture any more; ``None``: there is.
    """
    page = files("edge_arseg.serve") / "page"
    texts = {name: (page / name).read_bytes() for name in ("page.html", "door.html", "page.css", "page.js")}

    def sent(name: str) -> Response:
        return Response(texts[name], 200, _HEADERS, f"{_KINDS[name.rpartition('.')[2]]}; charset=utf-8")

    async def root(request: Request) -> Response:
        given = request.query_params.get("token")
        if given is not None and access.fits(given):
            rest = [(key, value) for key, value in request.query_params.multi_items() if key != "token"]
            answer = RedirectResponse("/" + ("?" + urlencode(rest) if rest else ""), 303, _HEADERS)
            answer.set_cookie(access.cookie, given, httponly=True, samesite="lax", max_age=30 * 86400)
            return answer
        if access.admits(request.headers):
            return sent("page.html")
        if access.token is None:
            return Response("This page is for this machine alone; ask for it as localhost.\n", 403, _HEADERS)
        said = _WRONG if given else b""
        return Response(texts["door.html"].replace(b"<!--said-->", said), 401, _HEADERS, "text/html; charset=utf-8")

    async def file(request: Request) -> Response:
        name = request.url.path[1:]
        return sent(name) if name in _OPEN or access.admits(request.headers) else _refused()

    async def health(_: Request) -> Response:
        state = "failed" if fault() else figures.state()
        return JSONResponse({"status": state}, 200 if state == "running" else 503, _HEADERS)

    async def numbers(request: Request) -> Response:
        if not access.admits(request.headers):
            return _refused()
        return Response(await run_in_threadpool(metrics), 200, _HEADERS, CONTENT_TYPE)

    async def watch(socket: WebSocket) -> None:
        if access.admits(socket.headers):
            await viewers.serve(socket)
        else:
            await socket.accept()  # else a browser says nothing but that it failed
            await socket.close(REFUSED, "no token, or not that of this run")

    return Starlette(
        routes=[
            Route("/", root),
            *(Route(f"/{name}", file) for name in ("page.css", "page.js")),
            Route("/healthz", health),
            Route("/metrics", numbers),
            WebSocketRoute("/watch", watch),
        ]
    )


def _refused() -> Response:
    return Response(
        "This needs the token of the run: Authorization: Bearer TOKEN\n", 401, _HEADERS | {"WWW-Authenticate": "Bearer"}
    )
