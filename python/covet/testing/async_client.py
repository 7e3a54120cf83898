"""The test client for async tests: httpx's async client over an application in the caller's own loop.

Entered as a context manager it runs the lifespan. Responses are read whole before they are given.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any, Self

from covet.concurrency import create_collapsing_task_group
from covet.testing.exchange import BufferedExchange
from covet.testing.httpx_library import httpx
from covet.testing.lifespan import LifespanRun
from covet.testing.transport import answer, scope_of
from covet.types import ASGIApp

__all__ = ["AsyncTestClient"]


class AsyncTestClient(httpx.AsyncClient):
    """An async client for an ASGI application; works under asyncio and trio.

    async with AsyncTestClient(app) as client:
        assert (await client.get("/")).status_code == 200
    """

    __test__ = False

    def __init__(
        self,
        app: ASGIApp,
        base_url: str = "http://testserver",
        raise_server_exceptions: bool = True,
        root_path: str = "",
        cookies: Any = None,
        headers: dict[str, str] | None = None,
        follow_redirects: bool = True,
        client: tuple[str, int] = ("testclient", 50000),
    ) -> None:
        self.app = app
        self.app_state: dict[str, Any] = {}
        transport = _AsyncTransport(app, raise_server_exceptions, root_path, client, self.app_state)
        super().__init__(
            base_url=base_url,
            headers={"user-agent": "testclient", **(headers or {})},
            transport=transport,
            follow_redirects=follow_redirects,
            cookies=cookies,
        )

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            lifespan = LifespanRun(self.app, self.app_state)
            stack.push_async_callback(lifespan.close)
            group = await stack.enter_async_context(create_collapsing_task_group())
            group.start_soon(lifespan.run_quietly)
            await lifespan.startup()
            stack.push_async_callback(lifespan.shutdown)
            await super().__aenter__()
            self._lifespan_stack = stack.pop_all()
        return self

    async def __aexit__(self, *args: Any) -> None:
        await super().__aexit__(*args)
        await self._lifespan_stack.aclose()


class _AsyncTransport(httpx.AsyncBaseTransport):
    """Runs requests against one application, each to its end."""

    def __init__(
        self,
        app: ASGIApp,
        raise_server_exceptions: bool,
        root_path: str,
        client: tuple[str, int],
        app_state: dict[str, Any],
    ) -> None:
        self.app = app
        self.raise_server_exceptions = raise_server_exceptions
        self.root_path = root_path
        self.client = client
        self.app_state = app_state

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Run the request."""
        scope = scope_of(request, root_path=self.root_path, client=self.client, state=self.app_state.copy())
        exchange = BufferedExchange(self.app, scope, await request.aread())
        await exchange.run()
        return answer(request, exchange, raise_server_exceptions=self.raise_server_exceptions)
