"""The test client: httpx's client over an application in process.

Entered as a context manager it runs the lifespan and keeps one loop for all its requests; otherwise each
request has a loop of its own.
"""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Literal, Self, TypeGuard
from urllib.parse import urljoin

import anyio.from_thread

from covet.callables import is_async_callable
from covet.http_exceptions import StarletteDeprecationWarning
from covet.testing.httpx_library import httpx
from covet.testing.lifespan import LifespanRun
from covet.testing.loops import AsyncBackend, asyncio_loop
from covet.testing.transport import BUFFERED, InProcessTransport
from covet.testing.websocket import Upgrade, WebSocketTestSession
from covet.types import ASGIApp, Receive, Scope, Send

__all__ = ["TestClient"]

ASGIInstance = Callable[[Receive, Send], Awaitable[None]]
ASGI2App = Callable[[Scope], ASGIInstance]
ASGI3App = Callable[[Scope, Receive, Send], Awaitable[None]]
_RequestData = Mapping[str, str | Iterable[str] | bytes]

_DEFAULT: Any = httpx.USE_CLIENT_DEFAULT


def _is_asgi3(app: ASGI2App | ASGI3App) -> TypeGuard[ASGI3App]:
    if inspect.isclass(app):
        return hasattr(app, "__await__")
    return is_async_callable(app)


class _WrapASGI2:
    """An ASGI 2 application in the shape of ASGI 3."""

    def __init__(self, app: ASGI2App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope)(receive, send)


class TestClient(httpx.Client):
    """A client for an ASGI application, used like any httpx client.

    Exceptions that the application does not handle are raised in the test, unless
    `raise_server_exceptions` is false; then they are 500 responses.

        with TestClient(app) as client:
            assert client.get("/").status_code == 200
    """

    __test__ = False
    task: Future[None]

    def __init__(
        self,
        app: ASGIApp,
        base_url: str = "http://testserver",
        raise_server_exceptions: bool = True,
        root_path: str = "",
        backend: Literal["asyncio", "trio"] = "asyncio",
        backend_options: dict[str, Any] | None = None,
        cookies: Any = None,
        headers: dict[str, str] | None = None,
        follow_redirects: bool = True,
        client: tuple[str, int] = ("testclient", 50000),
    ) -> None:
        self.async_backend = AsyncBackend(backend=backend, backend_options=backend_options or {})
        self.app: ASGIApp = app if _is_asgi3(app) else _WrapASGI2(app)  # type: ignore[arg-type]
        self.app_state: dict[str, Any] = {}
        self._in_process = InProcessTransport(
            self.app,
            self.async_backend,
            raise_server_exceptions,
            root_path,
            client=client,
            app_state=self.app_state,
        )
        headers = {} if headers is None else headers
        headers.setdefault("user-agent", "testclient")
        super().__init__(
            base_url=base_url,
            headers=headers,
            transport=self._in_process,
            follow_redirects=follow_redirects,
            cookies=cookies,
        )

    @property
    def portal(self) -> anyio.from_thread.BlockingPortal | None:
        """Return the way into the client's loop while it is entered."""
        return self._in_process.portal

    @portal.setter
    def portal(self, portal: anyio.from_thread.BlockingPortal | None) -> None:
        self._in_process.portal = portal

    def request(
        self,
        method: str,
        url: Any,
        *,
        content: Any = None,
        data: _RequestData | None = None,
        files: Any = None,
        json: Any = None,
        params: Any = None,
        headers: Any = None,
        cookies: Any = None,
        auth: Any = _DEFAULT,
        follow_redirects: Any = _DEFAULT,
        timeout: Any = _DEFAULT,
        extensions: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        """Send a request and return its response."""
        if timeout is not _DEFAULT:
            warnings.warn(
                "You should not use the 'timeout' argument with the TestClient. "
                "See https://github.com/Kludex/starlette/issues/1108 for more information.",
                StarletteDeprecationWarning,
                stacklevel=2,
            )
        return super().request(
            method,
            self._merge_url(url),
            content=content,
            data=data,
            files=files,
            json=json,
            params=params,
            headers=headers,
            cookies=cookies,
            auth=auth,
            follow_redirects=follow_redirects,
            timeout=timeout,
            extensions=extensions,
        )

    def send(
        self,
        request: httpx.Request,
        *,
        stream: bool = False,
        auth: Any = _DEFAULT,
        follow_redirects: Any = _DEFAULT,
    ) -> httpx.Response:
        """Send a request that was built; a response that is not streamed is read whole."""
        if not stream:
            request.extensions = {**request.extensions, BUFFERED: True}
        return super().send(request, stream=stream, auth=auth, follow_redirects=follow_redirects)

    def websocket_connect(
        self, url: str, subprotocols: Sequence[str] | None = None, **kwargs: Any
    ) -> WebSocketTestSession:
        """Return a session with a WebSocket route; enter it to connect."""
        headers = kwargs.setdefault("headers", {})
        headers.setdefault("connection", "upgrade")
        headers.setdefault("sec-websocket-key", "testserver==")
        headers.setdefault("sec-websocket-version", "13")
        if subprotocols is not None:
            headers.setdefault("sec-websocket-protocol", ", ".join(subprotocols))
        try:
            super().request("GET", urljoin("ws://testserver", url), **kwargs)
        except Upgrade as exc:
            return exc.session
        raise RuntimeError("Expected WebSocket upgrade")

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            portal = stack.enter_context(anyio.from_thread.start_blocking_portal(**self.async_backend))
            self.portal = portal
            self._in_process.loop = portal.call(asyncio_loop)
            stack.callback(setattr, self, "portal", None)
            lifespan = portal.call(LifespanRun, self.app, self.app_state)
            stack.callback(portal.call, lifespan.close)
            self.task = portal.start_task_soon(lifespan.run)
            portal.call(lifespan.startup)
            stack.callback(portal.call, lifespan.shutdown)
            stack.callback(self._in_process.close)
            self.exit_stack = stack.pop_all()
        return self

    def __exit__(self, *args: Any) -> None:
        self.exit_stack.close()
