"""Under `covet dev`: the first validation error of a request on its line in the console."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from covet.exceptions import RequestValidationError
from covet.server.console import note

__all__ = ["first_error", "note_validation_errors"]


def note_validation_errors(app: Any) -> None:
    """Have an application's handler of validation errors note the first one; its answer stays the same."""
    handlers = getattr(app, "exception_handlers", None)
    inner = handlers.get(RequestValidationError) if isinstance(handlers, Mapping) else None
    if inner is not None:
        app.exception_handlers[RequestValidationError] = _noting(inner)


def first_error(error: RequestValidationError) -> str:
    """Return `body.email: field required`, and how many more there are."""
    errors = error.errors()
    if not errors:
        return ""
    place = ".".join(str(part) for part in errors[0].get("loc", ()))
    message = str(errors[0].get("msg", ""))
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{place}: {message[:1].lower()}{message[1:]}{more}"


def _noting(inner: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(inner):

        @functools.wraps(inner)
        async def noting(request: Any, error: RequestValidationError) -> Any:
            note(request.client, first_error(error))
            return await inner(request, error)

        return noting

    @functools.wraps(inner)
    def noting_in_a_thread(request: Any, error: RequestValidationError) -> Any:
        note(request.client, first_error(error))
        return inner(request, error)

    return noting_in_a_thread
