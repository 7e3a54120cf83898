"""`cancel_on_disconnect`: a handler is cancelled when its client leaves; clean-up and background tasks still
run.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import anyio

from covet.requests import Request
from covet.responses import Response

__all__ = ["unless_disconnected"]

# nginx's word for it; nobody is there to read it, but logs and middleware see it.
_CLIENT_CLOSED_REQUEST = 499


async def unless_disconnected(request: Request, run: Coroutine[Any, Any, Any]) -> Any:
    """Await a handler, or give it up when the client leaves; then the result is an empty response.

    The body is read first: whoever watches for the end of a connection takes what comes before it.
    """
    await request.body()
    outcome: list[Any] = []
    errors: list[Exception] = []
    async with anyio.create_task_group() as tasks:

        async def watch() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            tasks.cancel_scope.cancel()

        tasks.start_soon(watch)
        try:
            outcome.append(await run)
        except Exception as error:
            # Raised below, outside the group, which would wrap it.
            errors.append(error)
        tasks.cancel_scope.cancel()
    if errors:
        raise errors[0]
    return outcome[0] if outcome else Response(status_code=_CLIENT_CLOSED_REQUEST)
