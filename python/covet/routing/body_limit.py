"""`max_body_size` on applications, routers, inclusions and routes: the innermost one that is set counts.

Wraps `covet.middleware.body_limit` so that a refusal comes out as itself even where a task group has
wrapped it.
"""

from __future__ import annotations

from covet.exception_handlers import http_exception_handler
from covet.http_exceptions import HTTPException
from covet.middleware.body_limit import (
    MAX_BODY_SIZE_SCOPE_KEY,
    RequestBodyLimitMiddleware,
    _RefusalSent,
    _RequestBodyTooLarge,
)
from covet.middleware.isolation import passes_through
from covet.requests import Request
from covet.types import ASGIApp, Message, Receive, Scope, Send

__all__ = [
    "AppBodyLimitMiddleware",
    "body_limit_error",
    "first_limit",
    "is_limited",
    "validate_max_body_size",
    "wrap_app_with_body_limit",
]


def validate_max_body_size(max_body_size: int | None) -> None:
    """Raise ValueError for a size that is no size."""
    if max_body_size is None:
        return
    if isinstance(max_body_size, bool) or not isinstance(max_body_size, int) or max_body_size < 0:
        raise ValueError("max_body_size must be a non-negative integer or None")


def first_limit(*limits: int | None) -> int | None:
    """Return the first limit that is set; zero is a limit."""
    return next((limit for limit in limits if limit is not None), None)


def is_limited(scope: Scope) -> bool:
    """Say whether the request is under a limit on its body."""
    return MAX_BODY_SIZE_SCOPE_KEY in scope


def body_limit_error(exc: Exception) -> Exception | None:
    """Return the refusal that an exception is, or that is all a group holds."""
    refusals = (_RequestBodyTooLarge, _RefusalSent)
    if isinstance(exc, ExceptionGroup):
        if exc.split(refusals)[1] is not None:
            return None
        exc = exc.subgroup(_RefusalSent) or exc
        while isinstance(exc, ExceptionGroup):
            exc = exc.exceptions[0]
    return exc if isinstance(exc, refusals) else None


@passes_through
class _Ungrouped:
    """Lets a refusal out of the exception group that some middleware wrapped it in."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except ExceptionGroup as group:
            error = body_limit_error(group) if scope["type"] == "http" else None
            if error is None:
                raise
            raise error from group


def wrap_app_with_body_limit(app: ASGIApp, max_body_size: int | None) -> ASGIApp:
    """Return the application under a limit, or itself without one."""
    if max_body_size is None:
        return app
    return RequestBodyLimitMiddleware(_Ungrouped(app), max_body_size=max_body_size)


@passes_through
class AppBodyLimitMiddleware:
    """The application's own limit, and the last place where a refusal becomes an answer."""

    def __init__(self, app: ASGIApp, max_body_size: int | None) -> None:
        self.app = wrap_app_with_body_limit(app, max_body_size)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_limited(scope):
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as exc:
            error = body_limit_error(exc)
            if started or not isinstance(error, HTTPException):
                raise
            response = await http_exception_handler(Request(scope, receive), error)
            await response(scope, receive, send)
