"""A handler's value that its response model refuses: the error, and in development what to do about it.

The error's own text is FastAPI's. The explanation is a note on it (`add_note`), so it stands in tracebacks
and never in an answer of a production application.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from covet.exceptions import EndpointContext, ResponseValidationError
from covet.types import Scope

__all__ = ["explain", "explain_in_debug", "refused_response"]

_EXPLAINED = 10
_SHOWN = 80


def refused_response(
    errors: Sequence[Any], value: Any, context: EndpointContext | None, scope: Scope
) -> ResponseValidationError:
    """Return the error of a value that was returned to a request, explained where the application debugs."""
    error = ResponseValidationError(errors=errors, body=value, endpoint_ctx=context or {})
    explain_in_debug(error, scope)
    return error


def explain_in_debug(error: ResponseValidationError, scope: Scope) -> None:
    """Explain the error if the application of this scope has `debug` set."""
    if getattr(scope.get("app"), "debug", False):
        explain(error)


def explain(error: ResponseValidationError) -> None:
    """Note on the error which fields were refused, what came instead, and what would help."""
    function = error.endpoint_function or "the function"
    where = f" ({error.endpoint_file}:{error.endpoint_line})" if error.endpoint_file else ""
    errors = error.errors()
    lines = [f"{function}{where} returned what its response model refuses:"]
    lines += [f"  {_field(each)}" for each in errors[:_EXPLAINED]]
    if len(errors) > _EXPLAINED:
        lines.append(f"  and {len(errors) - _EXPLAINED} more")
    lines.append(
        f"Fix: return what the model accepts, or declare what {function} returns (its return annotation or "
        "response_model); response_model=None turns the check off."
    )
    error.add_note("\n".join(lines))


def _field(error: Mapping[str, Any]) -> str:
    path = ".".join(str(part) for part in error["loc"])
    if error["type"] == "missing":
        return f"{path}: is missing"
    value = error.get("input")
    return f"{path}: {error['msg']}; {_short(value)} came ({type(value).__name__})"


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:  # a broken repr must not hide the error
        return "a value"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
