"""The body of a request as the handler's parameters need it: a form, JSON by its content type, or bytes.

Called by the request handler before dependencies run; what cannot be read becomes a 4xx here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from covet import params
from covet.exceptions import EndpointContext, HTTPException, RequestValidationError, StarletteHTTPException
from covet.requests import Request
from covet.routing.body_limit import body_limit_error, is_limited
from covet.routing.form_limits import FormLimits, resolve_form_limits
from covet.validation.fields import ModelField, Undefined

__all__ = ["read_body"]


def _is_json(content_type: str) -> bool:
    main_type, _, subtype = content_type.partition(";")[0].strip().lower().partition("/")
    return main_type == "application" and (
        subtype == "json" or (subtype.endswith("+json") and "/" not in subtype)
    )


async def _read_form(request: Request, limits: FormLimits | None) -> Any:
    form = await request.form(**resolve_form_limits(request.scope.get("fastapi", {}), limits))
    # Uploads live until the outermost stack is closed: background tasks may still read them.
    file_stack: AsyncExitStack = request.scope["fastapi_middleware_astack"]
    file_stack.push_async_callback(form.close)
    return form


async def _read_content(request: Request, strict_content_type: bool) -> Any:
    content = await request.body()
    if not content:
        return Undefined
    content_type = request.headers.get("content-type")
    as_json = _is_json(content_type) if content_type else not strict_content_type
    return await request.json() if as_json else content


async def read_body(
    request: Request,
    body_field: ModelField | None,
    *,
    strict_content_type: bool,
    form_limits: FormLimits | None,
    context: Callable[[], EndpointContext],
) -> Any:
    """Return the body, `Undefined` when there is none or nobody asked for it."""
    if body_field is None:
        return Undefined
    try:
        if isinstance(body_field.field_info, params.Form):
            return await _read_form(request, form_limits)
        return await _read_content(request, strict_content_type)
    except json.JSONDecodeError as broken:
        error = {
            "type": "json_invalid",
            "loc": ("body", broken.pos),
            "msg": "JSON decode error",
            "input": {},
            "ctx": {"error": broken.msg},
        }
        raise RequestValidationError([error], body=broken.doc, endpoint_ctx=context()) from broken
    except StarletteHTTPException:
        raise
    except Exception as unreadable:
        refusal = body_limit_error(unreadable) if is_limited(request.scope) else None
        if refusal is not None:
            raise refusal from unreadable
        raise HTTPException(status_code=400, detail="There was an error parsing the body") from unreadable
