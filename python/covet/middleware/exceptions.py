"""Handled exceptions become responses: the innermost middleware, and the wrapper around every endpoint.

Handlers are found through the dicts of the middleware at run time. A handler runs inside the `except`
block, so that `sys.exc_info()` and loggers see the exception.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from covet.callables import is_async_callable
from covet.concurrency import run_in_threadpool
from covet.http_exceptions import HTTPException, WebSocketException
from covet.middleware.isolation import passes_through, send_response
from covet.requests import Request
from covet.responses.base import PlainTextResponse, Response
from covet.scope_keys import FROM_ROUTE, HANDLERS, REQUEST
from covet.types import ASGIApp, ExceptionHandler, Message, Receive, Scope, Send
from covet.unanswered import must_answer
from covet.websockets import WebSocket

__all__ = [
    "ExceptionHandlers",
    "ExceptionMiddleware",
    "StatusHandlers",
    "response_to",
    "wrap_app_handling_exceptions",
]

ExceptionHandlers = dict[Any, ExceptionHandler]
StatusHandlers = dict[int, ExceptionHandler]
Connection = Request[Any] | WebSocket[Any]

_NO_HANDLERS: tuple[ExceptionHandlers, StatusHandlers] = ({}, {})


def _lookup_exception_handler(exc_handlers: ExceptionHandlers, exc: Exception) -> ExceptionHandler | None:
    for cls in type(exc).__mro__:
        handler = exc_handlers.get(cls)
        if handler is not None:
            return handler
    return None


def _find_handler(
    handlers: tuple[ExceptionHandlers, StatusHandlers], exc: Exception
) -> ExceptionHandler | None:
    by_class, by_status = handlers
    if isinstance(exc, HTTPException):
        handler: ExceptionHandler | None = by_status.get(exc.status_code)
        if handler is not None:
            return handler
    return _lookup_exception_handler(by_class, exc)


def wrap_app_handling_exceptions(app: ASGIApp, conn: Connection) -> ASGIApp:
    """Return an application that answers the handled exceptions of `app` and raises the others."""

    async def wrapped_app(scope: Scope, receive: Receive, send: Send) -> None:
        await _run_handling(app, lambda: conn, conn.scope, scope, receive, send)

    return wrapped_app


async def _run_handling(
    app: ASGIApp, connect: Callable[[], Connection], known: Scope, scope: Scope, receive: Receive, send: Send
) -> None:
    """Run `app`; on an exception that a handler in the scope `known` takes, let it answer."""
    response_started = False

    async def sender(message: Message) -> None:
        nonlocal response_started
        if message["type"] == "http.response.start":
            response_started = True
        await send(message)

    try:
        await app(scope, receive, sender)
    except Exception as exc:
        handler = _find_handler(known.get(HANDLERS, _NO_HANDLERS), exc)
        if handler is None:
            raise
        try:
            response = await response_to(exc, handler, connect, has_begun=response_started)
        except Exception as raised:
            # A plan has no handlers around it; those around the router are asked twice instead.
            second = _find_handler(known[HANDLERS], raised) if scope.pop(FROM_ROUTE, False) else None
            if second is None:
                raise
            response = await response_to(raised, second, connect, has_begun=response_started)
        if response is not None:
            await send_response(response, scope, receive, sender)
        # An exception object that is raised again and again would keep every request's frames.
        exc.__traceback__ = None


async def response_to(
    exc: Exception, handler: Any, connect: Callable[[], Connection], *, has_begun: bool
) -> Response | None:
    """Return what a handler answers to an exception; call it while the exception is handled."""
    if has_begun:
        raise RuntimeError(
            "Caught handled exception, but response already started. "
            f"{type(exc).__name__} was raised by the code that sends the response: {exc}"
        ) from exc
    response: Response | None
    if is_async_callable(handler):
        response = await handler(connect(), exc)
    else:
        response = await run_in_threadpool(handler, connect(), exc)
    if response is not None:
        must_answer(response, handler)
    return response


@passes_through
class ExceptionMiddleware:
    """Answer handled exceptions; handlers are registered by class or by status code."""

    def __init__(
        self, app: ASGIApp, handlers: Mapping[Any, ExceptionHandler] | None = None, debug: bool = False
    ) -> None:
        self.app = app
        self.debug = debug
        self._status_handlers: StatusHandlers = {}
        self._exception_handlers: ExceptionHandlers = {
            HTTPException: self.http_exception,
            WebSocketException: self.websocket_exception,
        }
        for key, handler in (handlers or {}).items():
            self.add_exception_handler(key, handler)

    def add_exception_handler(
        self, exc_class_or_status_code: int | type[Exception], handler: ExceptionHandler
    ) -> None:
        """Register a handler for a status code or an exception class with its subclasses."""
        if isinstance(exc_class_or_status_code, int):
            self._status_handlers[exc_class_or_status_code] = handler
        else:
            assert issubclass(exc_class_or_status_code, Exception)
            self._exception_handlers[exc_class_or_status_code] = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        scope[HANDLERS] = (self._exception_handlers, self._status_handlers)

        def connect() -> Connection:
            if kind == "websocket":
                return WebSocket(scope, receive, send)
            request: Request | None = scope.pop(REQUEST, None)
            return request or Request(scope, receive, send)

        await _run_handling(self.app, connect, scope, scope, receive, send)

    def handler_of(self, exc: Exception) -> ExceptionHandler | None:
        """Return what answers an exception, None if nothing does."""
        return _find_handler((self._exception_handlers, self._status_handlers), exc)

    async def http_exception(self, request: Request, exc: Exception) -> Response:
        """Answer an HTTPException with its detail as plain text."""
        assert isinstance(exc, HTTPException)
        if exc.status_code in (204, 304):
            return Response(status_code=exc.status_code, headers=exc.headers)
        return PlainTextResponse(exc.detail, status_code=exc.status_code, headers=exc.headers)

    async def websocket_exception(self, websocket: WebSocket, exc: Exception) -> None:
        """Close the session with the exception's code and reason."""
        assert isinstance(exc, WebSocketException)
        await websocket.close(code=exc.code, reason=exc.reason)
