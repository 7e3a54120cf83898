"""What an error says when somebody who should have answered a request did not."""

from __future__ import annotations

from typing import Any

from covet.callables import described
from covet.types import ASGIApp, Scope

__all__ = ["must_answer", "no_response"]


def must_answer(returned: Any, call: Any) -> None:
    """Raise TypeError where a function that has to return a response returned something else."""
    if callable(returned):
        return
    value = "None" if returned is None else f"{returned!r:.80}"
    raise TypeError(
        f"{described(call)} returned {value}, which is no response. Return a Response; in a middleware, "
        "what `await call_next(request)` gave"
    )


def no_response(app: ASGIApp, scope: Scope) -> RuntimeError:
    """Return the error for an application below a middleware that ended without an answer."""
    who = scope.get("endpoint") or app
    return RuntimeError(
        f"No response returned. {described(who)} was called for {scope.get('method')} {scope.get('path')} "
        "and ended without sending a response, or gave up because the client had left"
    )
