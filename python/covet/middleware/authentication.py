"""Finds out who sends a request, by a backend of the application, before anything else runs."""

from __future__ import annotations

from collections.abc import Callable

from covet.authentication import (
    AuthCredentials,
    AuthenticationBackend,
    AuthenticationError,
    UnauthenticatedUser,
)
from covet.middleware.isolation import passes_through
from covet.requests import HTTPConnection
from covet.responses.base import PlainTextResponse, Response
from covet.types import ASGIApp, Receive, Scope, Send

__all__ = ["AuthenticationMiddleware"]

OnError = Callable[[HTTPConnection, AuthenticationError], Response]


@passes_through
class AuthenticationMiddleware:
    """Set `auth` and `user` of every connection; `on_error` answers what the backend refuses."""

    def __init__(self, app: ASGIApp, backend: AuthenticationBackend, on_error: OnError | None = None) -> None:
        self.app = app
        self.backend = backend
        self.on_error: OnError = self.default_on_error if on_error is None else on_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        conn = HTTPConnection(scope)
        try:
            found = await self.backend.authenticate(conn)
        except AuthenticationError as exc:
            response = self.on_error(conn, exc)
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1000})
            else:
                await response(scope, receive, send)
            return
        scope["auth"], scope["user"] = found or (AuthCredentials(), UnauthenticatedUser())
        await self.app(scope, receive, send)

    @staticmethod
    def default_on_error(conn: HTTPConnection, exc: Exception) -> Response:
        """Answer 400 with the text of the error."""
        return PlainTextResponse(str(exc), status_code=400)
