"""A bound on the size of an HTTP request's body, by its declared length and by what is received.

Nested limits share one count: the innermost one that was entered last is in force. Over the limit the
answer is 413, even if the application has begun to answer something else without reading.
"""

from __future__ import annotations

from covet.datastructures.headers import Headers
from covet.http_exceptions import BodyTooLarge
from covet.middleware.isolation import passes_through
from covet.responses.base import PlainTextResponse
from covet.scope_keys import GIVEN_BODY_LIMIT
from covet.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["MAX_BODY_SIZE_SCOPE_KEY", "RequestBodyLimitMiddleware", "RequestBodyLimitResponder"]

MAX_BODY_SIZE_SCOPE_KEY = GIVEN_BODY_LIMIT
_BODY_LIMIT_RESPONDER_SCOPE_KEY = "starlette._body_limit_responder"
_MISSING = object()
_REFUSAL = "Content Too Large"
_RequestBodyTooLarge = BodyTooLarge  # under Starlette's name


class _RefusalSent(Exception):
    """Stop an application whose answer was replaced by the refusal."""


@passes_through
class RequestBodyLimitMiddleware:
    """Limit the body of each HTTP request to `max_body_size` bytes."""

    def __init__(self, app: ASGIApp, max_body_size: int) -> None:
        self.app = app
        self.max_body_size = max_body_size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await RequestBodyLimitResponder(self.app, self.max_body_size)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class RequestBodyLimitResponder:
    """The count of one request."""

    scope: Scope
    receive: Receive
    send: Send

    def __init__(self, app: ASGIApp, max_body_size: int) -> None:
        self.app = app
        self.max_body_size = max_body_size
        self.content_length: int | None = None
        self.total_size = 0
        self.response_started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        outer_limit = scope.get(MAX_BODY_SIZE_SCOPE_KEY, _MISSING)
        scope[MAX_BODY_SIZE_SCOPE_KEY] = self.max_body_size
        active: RequestBodyLimitResponder | None = scope.get(_BODY_LIMIT_RESPONDER_SCOPE_KEY)
        if active is not None:
            active.max_body_size = self.max_body_size
            if active.total_size > self.max_body_size:
                raise _RequestBodyTooLarge
            await self.app(scope, receive, send)
            return
        scope[_BODY_LIMIT_RESPONDER_SCOPE_KEY] = self
        try:
            await self._limit(scope, receive, send)
        finally:
            scope.pop(_BODY_LIMIT_RESPONDER_SCOPE_KEY, None)
            if outer_limit is _MISSING:
                scope.pop(MAX_BODY_SIZE_SCOPE_KEY, None)
            else:
                scope[MAX_BODY_SIZE_SCOPE_KEY] = outer_limit

    async def _limit(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope, self.receive, self.send = scope, receive, send
        self.content_length = _content_length(scope)
        try:
            await self.app(scope, self.receive_with_limit, self.send_with_limit)
        except _RequestBodyTooLarge:
            if self.response_started:
                raise
            await self._refuse()
        except _RefusalSent:
            pass

    async def _refuse(self) -> None:
        await PlainTextResponse(_REFUSAL, status_code=413)(self.scope, self.receive, self.send)

    @property
    def _declares_too_much(self) -> bool:
        return self.content_length is not None and self.content_length > self.max_body_size

    async def receive_with_limit(self) -> Message:
        """Receive and count; raise at the first byte too much."""
        if self._declares_too_much:
            raise _RequestBodyTooLarge
        message = await self.receive()
        if message["type"] == "http.request":
            self.total_size += len(message.get("body", b""))
            if self.total_size > self.max_body_size:
                raise _RequestBodyTooLarge
        return message

    async def send_with_limit(self, message: Message) -> None:
        """Send, unless the declared length already forbids the request."""
        if message["type"] == "http.response.start":
            self.response_started = True
            if self._declares_too_much:
                await self._refuse()
                raise _RefusalSent
        await self.send(message)


def _content_length(scope: Scope) -> int | None:
    value = Headers(scope=scope).get("content-length")
    try:
        return None if value is None else int(value)
    except ValueError:
        return None
