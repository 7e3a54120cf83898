"""A JSON body whose values are made right before the handler is called: when validating runs code of the
user's, and when the body holds several parameters.

The engine parses the JSON, runs the dependencies, then calls the function made here: the order of the Python
path, whose own code makes the values and the errors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from covet.dependencies.extract import request_body_to_args
from covet.dependencies.source import endpoint_context
from covet.exceptions import RequestValidationError
from covet.validation.fields import ModelField

__all__ = ["body_taker"]


Taken = tuple[tuple[Any, ...], list[Any]]
Take = Callable[[Any], Taken]
Refuse = Callable[[list[Any], Any, Any], None]


def body_taker(route: Any, fields: Sequence[ModelField]) -> tuple[Take, Refuse]:
    """Return what gives the fields' values and errors for a parsed body, and what raises the errors."""
    taken = list(fields)
    embedded = bool(route._embed_body_fields)

    def take(body: Any) -> Taken:
        try:
            # Only forms are awaited for: with anything else the coroutine ends at its first step.
            request_body_to_args(taken, body, embedded).send(None)
        except StopIteration as done:
            values, errors = done.value
            return tuple(values.get(field.name) for field in taken), errors
        raise AssertionError("a JSON body never waits")

    def refuse(errors: list[Any], body: Any, request: Any) -> None:
        context = endpoint_context(route.dependant, request.method, request.scope.get("root_path", ""))
        raise RequestValidationError(errors, body=body, endpoint_ctx=context)

    return take, refuse
