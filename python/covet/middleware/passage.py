"""One request on its way through function middleware, as the engine shows it (`door/passage.rs`).

`covet.middleware.function_step` and `plan_task` ask it for what lies behind a step.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Protocol

from covet.responses.base import Response
from covet.types import Receive, Scope, Send

__all__ = ["Deliver", "Passage", "PlanRun"]

Deliver = Callable[[Response], Awaitable[None]]


class PlanRun(Protocol):
    """A plan in progress."""

    def __await__(self) -> Generator[Any, Any, Response | None]:
        """Run the calls of the plan."""

    def close(self) -> None:
        """Give up a plan that was not awaited."""


class Passage(Protocol):
    """One request on its way, as the engine shows it."""

    # Has an answer gone out, wholly or in part?
    has_begun: bool
    # Do dependencies of the route's plan have exits?
    has_exits: bool

    def open(self) -> tuple[Scope, Receive, Send]:
        """Return the ASGI channel of the request; made at the first call."""

    def is_unchanged(self) -> bool:
        """Say whether routes and parameters would still be found as the client sent them."""

    def original(self) -> Scope:
        """Return the scope; a copy of it with what the client sent where that was changed."""

    def enter(self, segment: int) -> Response | None:
        """Go inwards through native middleware; return its early answer."""

    def plan(self, segment: int | None, deliver: Deliver | None = None) -> PlanRun | None:
        """Return what runs the route's plan and takes its answer through native middleware; None when only
        Python can answer. A response of another class has not been through it.

        A plan whose dependencies have exits needs `deliver`: it awaits that with the response, lets the
        exits run when it returns, and comes to None itself.
        """

    def start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Start a coroutine in a task of its own; None when it has ended already. Raises what it raised."""

    def leave(self, segment: int | None, response: Response) -> Response | None:
        """Go outwards through native middleware; None when only the response knows what it sends."""

    def send(self, response: Response) -> bool:
        """Answer; False when only the response knows what it sends."""

    def background(self) -> list[Callable[[], Awaitable[None]]]:
        """Return what runs after the answer."""

    def step_outside(self) -> None:
        """Leave all middleware of the user's: what answers now is not seen by it."""
