"""A real server inside a test: the engine on a loopback port, in a thread with an event loop of its own.

For what only a socket shows. Tests call `serve`; everything of the server's lives on its thread, and leaving
the context drains it, runs the application's shutdown and raises what either raised. Nothing of it waits for
ever: a server that does not stop is an error that says where it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import Any

from covet._engine import Server
from covet.testing.lifespan import LifespanRun
from covet.types import ASGIApp

__all__ = ["serve"]

LoopFactory = Callable[[], asyncio.AbstractEventLoop]

_START_WITHIN = 30.0  # seconds
_PAST_DRAIN = 1.0  # seconds: a test must end whatever the server does
_STOP_WITHIN = 10.0  # seconds for the application's shutdown and for what requests have left behind


@contextlib.contextmanager
def serve(
    app: ASGIApp, *, loop_factory: LoopFactory | None = None, drain: float = 5.0, **options: Any
) -> Generator[str, None, None]:
    """Serve an application while the context is entered; give the base URL.

        with serve(app, max_body=1000) as url, httpx2.Client(base_url=url) as client:
            assert client.get("/").status_code == 200

    Args:
        app: any ASGI 3 application that speaks the lifespan protocol, or returns from it.
        loop_factory: makes the event loop; asyncio's own by default.
        drain: seconds that requests in progress get at the end.
        options: what the engine's `Server` takes: limits by name, `root_path`, `threads` …

    Raises:
        Exception: what the application raised when it started or stopped.
        TimeoutError: it did not start within 30 seconds, or not stop within 10 after the drain.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()[:2]
        live = _LiveServer(app, listener, drain, options)
        thread = threading.Thread(
            target=live.run, args=(loop_factory,), name="covet live server", daemon=True
        )
        thread.start()
        try:
            live.started.result(_START_WITHIN)
            yield f"http://{host}:{port}"
        finally:
            live.stop()
            thread.join(drain + _PAST_DRAIN + _STOP_WITHIN)
            if thread.is_alive():
                raise TimeoutError(f"the live server does not stop\n{live.whereabouts(thread)}")
    if live.error is not None:
        raise live.error


class _LiveServer:
    """One server and the lifespan of its application; `run` is the life of its thread."""

    def __init__(self, app: ASGIApp, listener: socket.socket, drain: float, options: dict[str, Any]) -> None:
        self.started: Future[None] = Future()
        self.error: BaseException | None = None
        self._app, self._listener, self._drain, self._options = app, listener, drain, options
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._main_task: asyncio.Task[None] | None = None

    def run(self, loop_factory: LoopFactory | None) -> None:
        """Serve until stopped; an error goes to whoever waits, at the start or at the end."""
        try:
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                runner.run(self._main())
        except BaseException as error:
            if self.started.done():
                self.error = error
            else:
                self.started.set_exception(error)

    def stop(self) -> None:
        """Ask the server to stop, from any thread."""
        if self._loop is None or self._stopping is None or self._main_task is None:
            return
        stop: Callable[[], object] = self._stopping.set if self.started.done() else self._main_task.cancel
        with contextlib.suppress(RuntimeError):  # its loop is closed: it has stopped by itself
            self._loop.call_soon_threadsafe(stop)

    def whereabouts(self, thread: threading.Thread) -> str:
        """Say where the thread is, and what its tasks wait for."""
        frame = sys._current_frames().get(thread.ident or 0)
        lines = traceback.format_stack(frame) if frame is not None else []
        tasks = asyncio.all_tasks(self._loop) if self._loop is not None else ()
        return "".join([*lines, *(f"waits: {task!r}\n" for task in tasks)])

    async def _main(self) -> None:
        self._main_task = asyncio.current_task()
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        state: dict[str, Any] = {}
        lifespan = LifespanRun(self._app, state)
        running = asyncio.create_task(lifespan.run_quietly())
        try:
            await lifespan.startup()
            await self._serve(self._loop, self._stopping, state)
            await lifespan.shutdown()
        finally:
            running.cancel()
            await asyncio.wait({running})
            await lifespan.close()

    async def _serve(
        self, loop: asyncio.AbstractEventLoop, stopping: asyncio.Event, state: dict[str, Any]
    ) -> None:
        drained = asyncio.Event()
        server = Server(
            self._app,
            [self._listener.fileno()],
            loop,
            {"state": state} | self._options,
            {"drained": drained.set},
        )
        server.start()
        try:
            self.started.set_result(None)
            await stopping.wait()
            server.drain(self._drain)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(drained.wait(), self._drain + _PAST_DRAIN)
        finally:
            server.close()
