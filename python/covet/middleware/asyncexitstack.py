"""The outermost exit stack of a request: uploaded files are closed when it is."""

from __future__ import annotations

from contextlib import AsyncExitStack

from covet.middleware.isolation import passes_through
from covet.types import ASGIApp, Receive, Scope, Send

__all__ = ["AsyncExitStackMiddleware"]


@passes_through
class AsyncExitStackMiddleware:
    """Keep an exit stack in the scope for as long as the application runs."""

    def __init__(self, app: ASGIApp, context_name: str = "fastapi_middleware_astack") -> None:
        self.app = app
        self.context_name = context_name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            scope[self.context_name] = stack
            await self.app(scope, receive, send)
