"""The server's half of the ASGI lifespan protocol: start the application, keep its state, shut it down.

The whole lifespan is one task, because what an application enters at start-up it must leave in the same
task.
"""

import asyncio
from collections.abc import MutableMapping
from typing import Any

from .settings import ASGIApp

__all__ = ["Lifespan", "LifespanError"]


class LifespanError(Exception):
    """Start-up or shutdown failed. `text` is what the application said; the cause, if any, what it raised."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Lifespan:
    """One run of an application's lifespan. `mode` is auto, on or off, as in uvicorn."""

    def __init__(self, app: ASGIApp, mode: str) -> None:
        self.state: dict[str, Any] = {}
        self.started = False
        self._app = app
        self._mode = mode
        self._task: asyncio.Task[None] | None = None
        self._inbox: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._answers: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()

    async def startup(self) -> None:
        """Run the application up to `lifespan.startup.complete`.

        Raises:
            LifespanError: it answered `lifespan.startup.failed`, or raised although `mode` is on.
        """
        if self._mode == "off":
            return
        self._task = asyncio.create_task(self._run(), name="covet lifespan")
        answer = await self._ask("lifespan.startup")
        if answer is None:
            error = None if self._task.cancelled() else self._task.exception()
            self._task = None
            if self._mode == "on":
                raise LifespanError("the application does not speak the ASGI lifespan protocol") from error
        elif answer["type"] == "lifespan.startup.failed":
            raise LifespanError(str(answer.get("message", ""))) from await self._raised()

    def abandon(self) -> None:
        """Cancel a start-up that is not complete; then `startup` ends soon, unless the application clings."""
        if self._task is not None and not self.started:
            self._task.cancel()

    async def shutdown(self) -> None:
        """Run the application's shutdown.

        Raises:
            LifespanError: it answered `lifespan.shutdown.failed`, or raised.
        """
        if self._task is None or self._task.done():
            return
        answer = await self._ask("lifespan.shutdown")
        error = await self._raised()
        failed = answer is not None and answer["type"] == "lifespan.shutdown.failed"
        if failed or error is not None:
            raise LifespanError(str(answer.get("message", "")) if answer is not None else "") from error

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        await self._app(scope, self._inbox.get, self._answer)

    async def _answer(self, message: MutableMapping[str, Any]) -> None:
        # Noted when it is said, not when it is heard: a stop in between must not skip the shutdown.
        self.started |= message["type"] == "lifespan.startup.complete"
        await self._answers.put(message)

    async def _ask(self, kind: str) -> MutableMapping[str, Any] | None:
        """Send one message; return the answer, or None when the application ended without one."""
        if self._task is None:
            return None
        await self._inbox.put({"type": kind})
        answer = asyncio.ensure_future(self._answers.get())
        await asyncio.wait({answer, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        answer.cancel()
        return None

    async def _raised(self) -> BaseException | None:
        """The exception that the application raised after its last answer, if it raises soon."""
        if self._task is None:
            return None
        await asyncio.wait({self._task}, timeout=1)
        if not self._task.done() or self._task.cancelled():
            return None
        return self._task.exception()
