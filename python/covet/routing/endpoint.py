"""The user's function and what it returns: called here, its value made plain or JSON here.

`run_endpoint_function` and `serialize_response` are looked up for each call, because monitoring tools
replace them.
"""

from __future__ import annotations

from typing import Any

from covet.concurrency import run_in_threadpool
from covet.dependencies.models import Dependant
from covet.dependencies.resolve import SolvedDependency
from covet.encoders import jsonable_encoder
from covet.exceptions import EndpointContext, ResponseValidationError
from covet.types import IncEx
from covet.validation.fields import ModelField

__all__ = ["response_arguments", "run_endpoint_function", "serialize_response"]


async def run_endpoint_function(*, dependant: Dependant, values: dict[str, Any], is_coroutine: bool) -> Any:
    """Call the handler with its arguments, in a worker thread unless it is a coroutine function."""
    assert dependant.call is not None, "dependant.call must be a function"
    if is_coroutine:
        return await dependant.call(**values)
    return await run_in_threadpool(dependant.call, **values)


async def serialize_response(
    *,
    field: ModelField | None = None,
    response_content: Any,
    include: IncEx | None = None,
    exclude: IncEx | None = None,
    by_alias: bool = True,
    exclude_unset: bool = False,
    exclude_defaults: bool = False,
    exclude_none: bool = False,
    is_coroutine: bool = True,
    endpoint_ctx: EndpointContext | None = None,
    dump_json: bool = False,
) -> Any:
    """Return a handler's value as plain data, or with `dump_json` as JSON bytes.

    With a response model the value is validated and filtered by it; a value it refuses is the handler's
    mistake and raises ResponseValidationError.
    """
    if field is None:
        return jsonable_encoder(response_content)
    if is_coroutine:
        value, errors = field.validate(response_content, {}, loc=("response",))
    else:
        value, errors = await run_in_threadpool(field.validate, response_content, {}, loc=("response",))
    if errors:
        raise ResponseValidationError(errors=errors, body=response_content, endpoint_ctx=endpoint_ctx or {})
    serialize = field.serialize_json if dump_json else field.serialize
    return serialize(
        value,
        include=include,
        exclude=exclude,
        by_alias=by_alias,
        exclude_unset=exclude_unset,
        exclude_defaults=exclude_defaults,
        exclude_none=exclude_none,
    )


def response_arguments(status_code: int | None, solved: SolvedDependency) -> dict[str, Any]:
    """Return how a response is made: what the injected response says goes before what the route says."""
    arguments: dict[str, Any] = {"background": solved.background_tasks}
    status = solved.response.status_code or status_code
    if status is not None:
        arguments["status_code"] = status
    return arguments
