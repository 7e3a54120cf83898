"""The outermost middleware: an exception that nobody handled becomes a 500, and is raised on.

Servers log it, test clients raise it. The response tells nothing unless `debug` is set.
"""

from __future__ import annotations

import importlib
import inspect
import traceback
from typing import Any

from covet.callables import is_async_callable
from covet.concurrency import run_in_threadpool
from covet.http_exceptions import BodyTooLarge
from covet.requests import Request
from covet.responses.base import HTMLResponse, PlainTextResponse, Response
from covet.types import ASGIApp, ExceptionHandler, Message, Receive, Scope, Send

__all__ = ["ServerErrorMiddleware"]


class ServerErrorMiddleware:
    """Answer unhandled exceptions with 500: by `handler`, by a traceback if `debug`, or plainly."""

    def __init__(self, app: ASGIApp, handler: ExceptionHandler | None = None, debug: bool = False) -> None:
        self.app = app
        self.handler = handler
        self.debug = debug

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        response_started = False

        async def watched_send(message: Message) -> None:
            nonlocal response_started
            if message["type"] == "http.response.start":
                response_started = True
            await send(message)

        try:
            await self.app(scope, receive, watched_send)
        except BodyTooLarge as refusal:
            # From a middleware that read the body, where no handler of HTTPException is around it.
            if response_started:
                raise
            await PlainTextResponse(refusal.detail, refusal.status_code)(scope, receive, send)
        except Exception as exc:
            response = await self._answer(Request(scope), exc)
            if not response_started:
                await response(scope, receive, send)
            raise

    async def _answer(self, request: Request, exc: Exception) -> Response:
        handler: Any = self.handler
        if self.debug:
            return await run_in_threadpool(self.debug_response, request, exc)
        if handler is None:
            return self.error_response(request, exc)
        response: Response
        if is_async_callable(handler):
            response = await handler(request, exc)
        else:
            response = await run_in_threadpool(handler, request, exc)
        return response

    def generate_frame_html(self, frame: inspect.FrameInfo, is_collapsed: bool) -> str:
        """Return one frame of the traceback page."""
        rendered: str = _page().render_frame(frame, is_collapsed)
        return rendered

    def generate_html(self, exc: Exception, limit: int = 7) -> str:
        """Return the traceback page: the innermost frames, the last one opened."""
        frames = inspect.getinnerframes(exc.__traceback__, limit) if exc.__traceback__ is not None else []
        shown = "".join(
            self.generate_frame_html(frame, place > 0) for place, frame in enumerate(reversed(frames))
        )
        rendered: str = _page().render_page(exc, shown)
        return rendered

    def generate_plain_text(self, exc: Exception) -> str:
        """Return the traceback as Python prints it."""
        return "".join(traceback.format_exception(exc))

    def debug_response(self, request: Request, exc: Exception) -> Response:
        """Return the traceback, as a page for browsers and as text for others."""
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(self.generate_html(exc), status_code=500)
        return PlainTextResponse(self.generate_plain_text(exc), status_code=500)

    def error_response(self, request: Request, exc: Exception) -> Response:
        """Return the answer that tells nothing."""
        return PlainTextResponse("Internal Server Error", status_code=500)


def _page() -> Any:
    # Loaded with the first error of an application under development.
    return importlib.import_module("covet.middleware.traceback_page")
