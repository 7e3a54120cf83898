"""An application's lifespan in a test: started when the client is entered, stopped when it is left."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import anyio

from covet.types import ASGIApp, Message

__all__ = ["LifespanRun"]


class LifespanRun:
    """One lifespan; its methods run on the client's loop, `run` beside the two others."""

    def __init__(self, app: ASGIApp, state: dict[str, Any]) -> None:
        self.app = app
        self.state = state
        self.error: BaseException | None = None
        self.ended = False
        self.to_app, self.for_app = anyio.create_memory_object_stream[Message](math.inf)
        self.from_app, self.answers = anyio.create_memory_object_stream[Message | None](math.inf)

    async def run(self) -> None:
        """Run the application's lifespan; its error is given to whoever waits for an answer."""
        scope = {"type": "lifespan", "state": self.state}
        try:
            await self.app(scope, self.for_app.receive, self.from_app.send)
        except BaseException as exc:
            self.error = exc
            raise
        finally:
            self.ended = True
            await self.from_app.send(None)

    async def run_quietly(self) -> None:
        """Run the lifespan where its error must not end the task group that it runs in."""
        with contextlib.suppress(Exception):
            await self.run()

    async def startup(self) -> None:
        """Start the application; raise what it raises."""
        await self._phase("startup")

    async def shutdown(self) -> None:
        """Stop the application; raise what it raises."""
        await self._phase("shutdown")

    async def _phase(self, name: str) -> None:
        if self.ended:
            return
        await self.to_app.send({"type": f"lifespan.{name}"})
        message = await self._answer()
        if message is None:
            # An application without a lifespan may just return.
            return
        kinds = f"lifespan.{name}.complete", f"lifespan.{name}.failed"
        assert message["type"] in kinds
        if message["type"] == kinds[1]:
            # The application raises next, which tells more than the text of its message.
            await self._answer()

    async def _answer(self) -> Message | None:
        message = await self.answers.receive()
        if message is None and self.error is not None:
            raise self.error
        return message

    async def close(self) -> None:
        """Close the channels."""
        for channel in (self.to_app, self.for_app, self.from_app, self.answers):
            channel.close()
