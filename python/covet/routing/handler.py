"""The Python path of a route: from a Request to a Response, and the same for WebSockets.

`APIRoute.get_route_handler` calls `get_request_handler`. What monitoring tools replace (`solve_dependencies`,
`run_endpoint_function`, `serialize_response`) is looked up in this module for each request; replacing them in
`covet.routing` replaces them here.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from covet.datastructures.default import Default, DefaultPlaceholder
from covet.dependencies.kinds import CallKind, call_kind
from covet.dependencies.models import Dependant
from covet.dependencies.refusal import explain_in_debug, refused_response
from covet.dependencies.resolve import SolvedDependency, solve_dependencies
from covet.dependencies.source import endpoint_context
from covet.exceptions import (
    EndpointContext,
    RequestValidationError,
    ResponseValidationError,
    WebSocketRequestValidationError,
)
from covet.requests import Request
from covet.responses import EventSourceResponse, JSONResponse, Response, StreamingResponse
from covet.responses.bodyless import is_body_allowed_for_status_code
from covet.routing.disconnect import unless_disconnected
from covet.routing.endpoint import response_arguments, run_endpoint_function, serialize_response
from covet.routing.form_limits import FormLimits
from covet.routing.request_body import read_body
from covet.routing.streaming import dump_finite, event_stream, iterate, json_lines, raw_chunks
from covet.types import IncEx, Scope
from covet.validation.annotations import lenient_issubclass
from covet.validation.fields import ModelField, Undefined
from covet.websockets import WebSocket

__all__ = ["get_request_handler", "get_websocket_app"]


@dataclass
class _Handling:
    """What is known of a route before a request comes, and the steps from request to response."""

    dependant: Dependant
    body_field: ModelField | None
    status_code: int | None
    response_class: type[Response] | DefaultPlaceholder
    response_field: ModelField | None
    dump_options: dict[str, Any]
    dependency_overrides_provider: Any | None
    embed_body_fields: bool
    strict_content_type: bool
    stream_item_field: ModelField | None
    is_json_stream: bool
    form_limits: FormLimits | None
    inline: bool
    cancel_on_disconnect: bool

    def __post_init__(self) -> None:
        assert self.dependant.call is not None, "dependant.call must be a function"
        chosen = self.response_class
        self.has_default_class = isinstance(chosen, DefaultPlaceholder)
        self.actual_class: type[Response] = chosen.value if isinstance(chosen, DefaultPlaceholder) else chosen
        self.is_coroutine = call_kind(self.dependant.call) is CallKind.COROUTINE
        self.is_event_stream = lenient_issubclass(self.actual_class, EventSourceResponse)

    async def respond(self, request: Request) -> Response:
        """Return the response to one request; raise what the exception handlers answer."""

        def context() -> EndpointContext:
            return endpoint_context(self.dependant, request.method, request.scope.get("root_path", ""))

        scope = request.scope
        file_stack = scope.get("fastapi_middleware_astack")
        assert isinstance(file_stack, AsyncExitStack), "fastapi_middleware_astack not found in request scope"
        body = await read_body(
            request,
            self.body_field,
            strict_content_type=self.strict_content_type,
            form_limits=self.form_limits,
            context=context,
        )
        stack = scope.get("fastapi_inner_astack")
        assert isinstance(stack, AsyncExitStack), "fastapi_inner_astack not found in request scope"
        solved: SolvedDependency = await solve_dependencies(
            request=request,
            dependant=self.dependant,
            body=body,
            dependency_overrides_provider=self.dependency_overrides_provider,
            async_exit_stack=stack,
            embed_body_fields=self.embed_body_fields,
        )
        if solved.errors:
            shown = None if body is Undefined else body
            raise RequestValidationError(solved.errors, body=shown, endpoint_ctx=context())
        if self._streams():
            response = await self._stream(request.scope, solved, stack, context)
        else:
            response = await self._call(request, solved, context)
        return response

    def _streams(self) -> bool:
        if self.is_event_stream or self.is_json_stream:
            return True
        return call_kind(self.dependant.call) in (CallKind.GENERATOR, CallKind.ASYNC_GENERATOR)

    async def _run(self, request: Request, solved: SolvedDependency) -> Any:
        call: Any = self.dependant.call
        if self.inline and not self.is_coroutine:
            return call(**solved.values)
        run = run_endpoint_function(
            dependant=self.dependant, values=solved.values, is_coroutine=self.is_coroutine
        )
        return await (unless_disconnected(request, run) if self.cancel_on_disconnect else run)

    async def _call(
        self, request: Request, solved: SolvedDependency, context: Callable[[], EndpointContext]
    ) -> Response:
        value = await self._run(request, solved)
        if isinstance(value, Response):
            if value.background is None:
                value.background = solved.background_tasks
            return value
        arguments = response_arguments(self.status_code, solved)
        dump_json = self.response_field is not None and self.has_default_class
        try:
            content = await serialize_response(
                field=self.response_field,
                response_content=value,
                **self.dump_options,
                is_coroutine=self.is_coroutine or self.inline,
                endpoint_ctx=context() if self.response_field is not None else None,
                dump_json=dump_json,
            )
        except ResponseValidationError as refused:
            explain_in_debug(refused, request.scope)
            raise
        if dump_json:
            response = Response(content=content, media_type="application/json", **arguments)
        else:
            response = self.actual_class(content, **arguments)
        if not is_body_allowed_for_status_code(response.status_code):
            response.body = b""
        response.headers.raw.extend(solved.response.headers.raw)
        return response

    async def _stream(
        self,
        scope: Scope,
        solved: SolvedDependency,
        stack: AsyncExitStack,
        context: Callable[[], EndpointContext],
    ) -> Response:
        call: Any = self.dependant.call
        generator = call(**solved.values)
        arguments = response_arguments(self.status_code, solved)

        def serialize(item: Any) -> bytes:
            return self._serialize_item(item, context, scope)

        response: Response
        if self.is_event_stream:
            events = await event_stream(iterate(call, generator), serialize, stack)
            response = StreamingResponse(events, media_type="text/event-stream", **arguments)
            response.headers["Cache-Control"] = "no-cache"
            # For nginx, which would otherwise hold events back.
            response.headers["X-Accel-Buffering"] = "no"
        elif self.is_json_stream:
            lines = json_lines(call, generator, serialize)
            response = StreamingResponse(lines, media_type="application/jsonl", **arguments)
        else:
            response = self.actual_class(content=raw_chunks(call, generator), **arguments)
        response.headers.raw.extend(solved.response.headers.raw)
        return response

    def _serialize_item(self, item: Any, context: Callable[[], EndpointContext], scope: Scope) -> bytes:
        field = self.stream_item_field
        if field is None:
            return dump_finite(item).encode()
        value, errors = field.validate(item, {}, loc=("response",))
        if errors:
            raise refused_response(errors, item, context(), scope)
        return field.serialize_json(value, **self.dump_options)


def get_request_handler(
    dependant: Dependant,
    body_field: ModelField | None = None,
    status_code: int | None = None,
    response_class: type[Response] | DefaultPlaceholder = Default(JSONResponse),
    response_field: ModelField | None = None,
    response_model_include: IncEx | None = None,
    response_model_exclude: IncEx | None = None,
    response_model_by_alias: bool = True,
    response_model_exclude_unset: bool = False,
    response_model_exclude_defaults: bool = False,
    response_model_exclude_none: bool = False,
    dependency_overrides_provider: Any | None = None,
    embed_body_fields: bool = False,
    strict_content_type: bool | DefaultPlaceholder = Default(True),
    stream_item_field: ModelField | None = None,
    is_json_stream: bool = False,
    form_limits: FormLimits | None = None,
    inline: bool = False,
    cancel_on_disconnect: bool = False,
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """Return the coroutine function that answers a request to a route."""
    handling = _Handling(
        dependant=dependant,
        body_field=body_field,
        status_code=status_code,
        response_class=response_class,
        response_field=response_field,
        dump_options={
            "include": response_model_include,
            "exclude": response_model_exclude,
            "by_alias": response_model_by_alias,
            "exclude_unset": response_model_exclude_unset,
            "exclude_defaults": response_model_exclude_defaults,
            "exclude_none": response_model_exclude_none,
        },
        dependency_overrides_provider=dependency_overrides_provider,
        embed_body_fields=embed_body_fields,
        strict_content_type=bool(strict_content_type),
        stream_item_field=stream_item_field,
        is_json_stream=is_json_stream,
        form_limits=form_limits,
        inline=inline,
        cancel_on_disconnect=cancel_on_disconnect,
    )

    async def app(request: Request) -> Response:
        return await handling.respond(request)

    return app


def get_websocket_app(
    dependant: Dependant,
    dependency_overrides_provider: Any | None = None,
    embed_body_fields: bool = False,
) -> Callable[[WebSocket], Coroutine[Any, Any, Any]]:
    """Return the coroutine function that runs a WebSocket session of a route."""

    async def app(websocket: WebSocket) -> None:
        stack = websocket.scope.get("fastapi_inner_astack")
        assert isinstance(stack, AsyncExitStack), "fastapi_inner_astack not found in request scope"
        solved: SolvedDependency = await solve_dependencies(
            request=websocket,
            dependant=dependant,
            dependency_overrides_provider=dependency_overrides_provider,
            async_exit_stack=stack,
            embed_body_fields=embed_body_fields,
        )
        if solved.errors:
            context = endpoint_context(dependant, "WS", websocket.scope.get("root_path", ""))
            raise WebSocketRequestValidationError(solved.errors, endpoint_ctx=context)
        assert dependant.call is not None, "dependant.call must be a function"
        await dependant.call(**solved.values)

    return app
