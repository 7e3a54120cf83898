"""A request handler or WebSocket session as an ASGI application, with the exit stacks of its dependencies.

The stacks are in the scope, where `solve_dependencies` and other frameworks find them: the function stack is
closed when the handler has returned, the request stack after the response was sent.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

from covet.callables import is_async_callable
from covet.concurrency import run_in_threadpool
from covet.dependencies.exits import NOT_AWAITED
from covet.exceptions import FastAPIError
from covet.middleware.exceptions import wrap_app_handling_exceptions
from covet.middleware.isolation import send_response
from covet.requests import Request
from covet.responses import Response
from covet.types import ASGIApp, Receive, Scope, Send
from covet.unanswered import must_answer
from covet.websockets import WebSocket

__all__ = ["request_response", "websocket_session"]


def request_response(func: Callable[[Request], Awaitable[Response] | Response]) -> ASGIApp:
    """Make an ASGI application of `func(request) -> response`; a blocking one runs in a worker thread."""
    call: Callable[[Request], Any] = func
    if not is_async_callable(func):
        hop: Any = run_in_threadpool
        call = functools.partial(hop, func)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)

        async def respond(scope: Scope, receive: Receive, send: Send) -> None:
            sent = False
            async with AsyncExitStack() as request_stack:
                scope["fastapi_inner_astack"] = request_stack
                async with AsyncExitStack() as function_stack:
                    scope["fastapi_function_astack"] = function_stack
                    response = await call(request)
                    must_answer(response, func)
                await send_response(response, scope, receive, send)
                sent = True
            if not sent:
                # A dependency swallowed the error that kept the response from being made.
                raise FastAPIError(NOT_AWAITED)

        await wrap_app_handling_exceptions(respond, request)(scope, receive, send)

    return app


def websocket_session(func: Callable[[WebSocket], Awaitable[None]]) -> ASGIApp:
    """Make an ASGI application of the coroutine function `func(websocket)`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        session = WebSocket(scope, receive=receive, send=send)

        async def converse(scope: Scope, receive: Receive, send: Send) -> None:
            async with AsyncExitStack() as request_stack:
                scope["fastapi_inner_astack"] = request_stack
                async with AsyncExitStack() as function_stack:
                    scope["fastapi_function_astack"] = function_stack
                    await func(session)

        await wrap_app_handling_exceptions(converse, session)(scope, receive, send)

    return app
