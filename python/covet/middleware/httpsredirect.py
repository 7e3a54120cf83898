"""Redirects plain HTTP and WebSocket requests to their secure forms."""

from __future__ import annotations

from covet.datastructures.url import URL
from covet.middleware.isolation import passes_through
from covet.responses.base import PlainTextResponse, RedirectResponse
from covet.types import ASGIApp, Receive, Scope, Send

__all__ = ["HTTPSRedirectMiddleware"]

_SECURE = {"http": "https", "ws": "wss"}


@passes_through
class HTTPSRedirectMiddleware:
    """Answer every request that did not come over TLS with 307."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["scheme"] not in _SECURE:
            await self.app(scope, receive, send)
            return
        url = URL(scope=scope)
        if not url.netloc:
            await PlainTextResponse("Invalid host header", status_code=400)(scope, receive, send)
            return
        # The usual ports are those of the insecure scheme: leave them out.
        netloc = url.hostname if url.port in (80, 443) else url.netloc
        secure = url.replace(scheme=_SECURE[url.scheme], netloc=netloc)
        await RedirectResponse(secure, status_code=307)(scope, receive, send)
