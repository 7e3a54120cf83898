"""The transport between the HTTP client and an application: a request becomes a scope and runs.

A request that is read whole runs in one go; a streamed one runs beside the test until its response is
closed. A WebSocket URL leaves as an `Upgrade`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Generator
from concurrent.futures import Future
from concurrent.futures import wait as wait_futures
from typing import Any
from urllib.parse import unquote

import anyio.from_thread

from covet.testing.exchange import BufferedExchange, Exchange, StreamedExchange
from covet.testing.httpx_library import httpx
from covet.testing.loops import AsyncBackend, open_portal, run_alone, run_in_portal
from covet.testing.websocket import Upgrade, WebSocketTestSession
from covet.types import ASGIApp, Scope

__all__ = ["BUFFERED", "InProcessTransport", "answer", "scope_of"]

# The extension of a request whose response will be read as a whole.
BUFFERED = "covet.buffered"

_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_NO_RESPONSE = "TestClient did not receive any response."


class _ResponseStream(httpx.SyncByteStream):
    """The body of a streamed response; closing it ends the request."""

    def __init__(self, body: Generator[bytes, None, None], exit_stack: contextlib.ExitStack) -> None:
        self._body = body
        self._exit_stack = exit_stack

    def __iter__(self) -> Generator[bytes, None, None]:
        return self._body

    def close(self) -> None:
        self._exit_stack.close()


class InProcessTransport(httpx.BaseTransport):
    """Runs requests against one application."""

    def __init__(
        self,
        app: ASGIApp,
        backend: AsyncBackend,
        raise_server_exceptions: bool = True,
        root_path: str = "",
        *,
        client: tuple[str, int],
        app_state: dict[str, Any],
    ) -> None:
        self.app = app
        self.backend = backend
        self.raise_server_exceptions = raise_server_exceptions
        self.root_path = root_path
        self.client = client
        self.app_state = app_state
        self.portal: anyio.from_thread.BlockingPortal | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self._open_requests: set[Callable[[], None]] = set()

    def close(self) -> None:
        """Cancel every streamed request that was left open."""
        with contextlib.ExitStack() as stack:
            while self._open_requests:
                stack.callback(self._open_requests.pop())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Run the request; raise `Upgrade` for a WebSocket."""
        scope = scope_of(request, root_path=self.root_path, client=self.client, state=self.app_state.copy())
        if scope["type"] == "websocket":
            raise Upgrade(
                WebSocketTestSession(self.app, scope, lambda: open_portal(self.portal, self.backend))
            )
        if BUFFERED in request.extensions:
            return self._run_buffered(request, scope)
        return self._run_streamed(request, scope)

    def _run_buffered(self, request: httpx.Request, scope: Scope) -> httpx.Response:
        exchange = BufferedExchange(self.app, scope, request.read())
        if self.portal is not None:
            run_in_portal(exchange.run, self.portal, self.loop)
        else:
            run_alone(exchange.run, self.backend)
        return answer(request, exchange, raise_server_exceptions=self.raise_server_exceptions)

    def _run_streamed(self, request: httpx.Request, scope: Scope) -> httpx.Response:
        body = request.read()
        with contextlib.ExitStack() as stack:
            portal = stack.enter_context(open_portal(self.portal, self.backend))
            exchange = portal.call(StreamedExchange, self.app, scope, body)
            stack.callback(portal.call, exchange.close)
            run = _StreamedRun(portal, exchange, self.raise_server_exceptions)
            stack.push(run.leave)
            run.task = portal.start_task_soon(exchange.run)
            portal.call(exchange.available.wait)
            if not exchange.started:
                stack.close()
                if self.raise_server_exceptions:
                    raise AssertionError(_NO_RESPONSE)
                return _response(request, exchange, httpx.ByteStream(b""))
            opened = stack.pop_all()

        def abort() -> None:
            portal.call(exchange.cancel)
            opened.close()

        self._open_requests.add(abort)
        opened.callback(self._open_requests.discard, abort)
        pieces = run.pieces(opened, skip=request.method == "HEAD")
        return _response(request, exchange, _ResponseStream(pieces, opened))


def scope_of(
    request: httpx.Request, *, root_path: str, client: tuple[str, int], state: dict[str, Any]
) -> Scope:
    """Return the ASGI scope of a request."""
    url = request.url
    scheme = url.scheme
    raw_path = url.raw_path.partition(b"?")[0]
    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "path": unquote(url.path),
        "raw_path": raw_path,
        "root_path": root_path,
        "scheme": scheme,
        "query_string": url.query,
        "headers": _header_pairs(request),
        "client": client,
        "server": [url.raw_host.decode("ascii"), url.port or _DEFAULT_PORTS[scheme]],
        "extensions": {"http.response.debug": {}, "http.response.trailers": {}},
        "state": state,
    }
    if scheme in ("ws", "wss"):
        offered = request.headers.get("sec-websocket-protocol")
        del scope["http_version"], scope["method"]
        scope["type"] = "websocket"
        scope["subprotocols"] = [] if offered is None else [name.strip() for name in offered.split(",")]
        scope["extensions"] = {"websocket.http.response": {}}
    return scope


def answer(
    request: httpx.Request, exchange: BufferedExchange, *, raise_server_exceptions: bool
) -> httpx.Response:
    """Return the response of an application that has run to its end, or raise its error."""
    if raise_server_exceptions:
        if exchange.error is not None:
            raise exchange.error
        if not exchange.started:
            raise AssertionError(_NO_RESPONSE)
    body = b"" if request.method == "HEAD" else b"".join(exchange.chunks)
    return _response(request, exchange, httpx.ByteStream(body))


class _StreamedRun:
    """An application that runs beside the test until its response was read or closed."""

    task: Future[None] | None = None

    def __init__(
        self,
        portal: anyio.from_thread.BlockingPortal,
        exchange: StreamedExchange,
        raise_server_exceptions: bool,
    ) -> None:
        self.portal = portal
        self.exchange = exchange
        self.raise_server_exceptions = raise_server_exceptions

    def pieces(self, opened: contextlib.ExitStack, *, skip: bool) -> Generator[bytes, None, None]:
        """Yield the body; after the last piece wait for the application to end."""
        while (piece := self.portal.call(self.exchange.read)) is not None:
            if piece and not skip:
                yield piece
        opened.close()

    def leave(self, exc_type: type[BaseException] | None, *_: Any) -> None:
        """Cancel the application if its response is incomplete, wait for it, raise its error."""
        if self.task is None:
            return
        if not self.task.done():
            self.portal.call(self.exchange.cancel_if_incomplete)
        wait_futures([self.task])
        if exc_type is None and self.raise_server_exceptions and (error := self.task.exception()):
            raise error


def _header_pairs(request: httpx.Request) -> list[tuple[bytes, bytes]]:
    pairs = [(name.lower(), value) for name, value in request.headers.raw]
    if not all(value.isascii() for _, value in pairs):
        pairs = [(name.lower().encode(), value.encode()) for name, value in request.headers.multi_items()]
    if "host" not in request.headers:
        pairs.insert(0, (b"host", request.url.netloc))
    return pairs


def _response(
    request: httpx.Request, exchange: Exchange, stream: httpx.SyncByteStream | httpx.ByteStream
) -> httpx.Response:
    headers = [(name.decode(), value.decode()) for name, value in exchange.headers]
    response = httpx.Response(exchange.status, headers=headers, stream=stream, request=request)
    if exchange.trailers_expected:
        response.extensions["http.response.trailers"] = exchange.trailers
    info = exchange.debug_info
    if info is not None:
        response.extensions["http.response.debug"] = info
        for name in ("template", "context"):
            if name in info:
                setattr(response, name, info[name])
    return response
