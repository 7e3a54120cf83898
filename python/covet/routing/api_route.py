"""`APIRoute` and `APIWebSocketRoute`: a handler with typed parameters at a path.

Subclassed by users (`route_class`), read by monitoring tools, changed by other libraries after it was made.
`get_request_handler`, `request_response`, `websocket_session` and `get_websocket_app` are looked up here
when a route is made.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack, cast

from covet import params
from covet._engine import generation
from covet.datastructures.url import URLPath
from covet.dependencies.plan import compile_plan
from covet.http_exceptions import HTTPException
from covet.middleware.isolation import run_isolated
from covet.requests import Request
from covet.responses import PlainTextResponse, Response
from covet.route_path import get_route_path
from covet.routing.body_limit import wrap_app_with_body_limit
from covet.routing.declaration import Declared, dependant_of, populate
from covet.routing.fastapi_scope import effective_context, effective_route_context_var
from covet.routing.form_limits import validate_form_limits
from covet.routing.handler import get_request_handler, get_websocket_app
from covet.routing.hooks import foreign_hook
from covet.routing.in_task import stays_in_task
from covet.routing.matching import Match, compile_path, get_name
from covet.routing.options import ROUTE_DEFAULTS, ApiRouteOptions, check_options
from covet.routing.paths import convertor_clash, match_path, url_path
from covet.routing.route import Route, WebSocketRoute
from covet.routing.sessions import request_response, websocket_session
from covet.scope_keys import IN_TASK
from covet.types import Receive, Scope, Send

if TYPE_CHECKING:
    from covet.routing.plan import RoutePlan

__all__ = ["APIRoute", "APIWebSocketRoute", "handler_for", "match_api_route"]

_OWN_OPTIONS = {
    *ROUTE_DEFAULTS,
    "methods",
    "dependency_overrides_provider",
    "strict_content_type",
    "inline",
    "cancel_on_disconnect",
    "auto_head",
    "auto_options",
}


def answers_method(route: Any, method: str) -> bool:
    """Say whether a route answers a method, the switches for HEAD and OPTIONS considered."""
    if not route.methods or method in route.methods:
        return True
    return (method == "HEAD" and route.auto_head and "GET" in route.methods) or (
        method == "OPTIONS" and route.auto_options
    )


def match_api_route(route: Any, scope: Scope) -> tuple[Match, Scope]:
    """Tell how a route, or a route in its place, fits a scope."""
    if scope["type"] != "http":
        return Match.NONE, {}
    found = match_path(route.path_regex, route.param_convertors, get_route_path(scope))
    if found is None:
        return Match.NONE, {}
    child_scope = {"endpoint": route.endpoint, "path_params": {**scope.get("path_params", {}), **found}}
    # HEAD and OPTIONS that the switches make come after what was written for them (`automatic.py`).
    full = not route.methods or scope["method"] in route.methods
    return (Match.FULL if full else Match.PARTIAL), child_scope


async def handle_api_route(route: Any, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a route's application, or 405 with the methods it has."""
    method = scope["method"]
    if not answers_method(route, method):
        headers = {"Allow": ", ".join(route.methods)}
        if "app" in scope:
            raise HTTPException(status_code=405, headers=headers)
        await PlainTextResponse("Method Not Allowed", 405, headers)(scope, receive, send)
    elif method == "OPTIONS" and "OPTIONS" not in route.methods:
        allowed = {*route.methods, "OPTIONS"} | (
            {"HEAD"} if route.auto_head and "GET" in route.methods else set()
        )
        await Response(status_code=204, headers={"Allow": ", ".join(sorted(allowed))})(scope, receive, send)
    else:
        await route.app(scope, receive, send)


def handler_for(
    route: Any, form_limits: Any, make: Callable[..., Any]
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """Make the handler of a route or of a route in its place."""
    own: dict[str, Any] = {}
    if route.inline:
        own["inline"] = True
    if route.cancel_on_disconnect:
        own["cancel_on_disconnect"] = True
    handler = make(
        dependant=route.dependant,
        body_field=route.body_field,
        status_code=route.status_code,
        response_class=route.response_class,
        response_field=route.response_field,
        response_model_include=route.response_model_include,
        response_model_exclude=route.response_model_exclude,
        response_model_by_alias=route.response_model_by_alias,
        response_model_exclude_unset=route.response_model_exclude_unset,
        response_model_exclude_defaults=route.response_model_exclude_defaults,
        response_model_exclude_none=route.response_model_exclude_none,
        dependency_overrides_provider=route.dependency_overrides_provider,
        embed_body_fields=route._embed_body_fields,
        strict_content_type=route.strict_content_type,
        form_limits=form_limits,
        stream_item_field=route.stream_item_field,
        is_json_stream=route.is_json_stream,
        **own,
    )
    return cast("Callable[[Request], Coroutine[Any, Any, Response]]", handler)


class APIRoute(Route, Declared):
    """A handler at a path, with everything that was declared about it as attributes.

    Override `get_route_handler` to wrap the coroutine function that answers:

        class Timed(APIRoute):
            def get_route_handler(self):
                handler = super().get_route_handler()
                async def timed(request): ...
                return timed
    """

    stays_in_task = True

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Unpack[ApiRouteOptions]) -> None:
        check_options("APIRoute.__init__", options, _OWN_OPTIONS)
        self.form_limits = validate_form_limits(options.get("form_limits"))
        populate(self, path, endpoint, cast("dict[str, Any]", options))
        self.app = wrap_app_with_body_limit(request_response(self.get_route_handler()), self.max_body_size)
        self.__dict__["_made_app"] = self.app

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the coroutine function that answers a request to this route."""
        place = effective_route_context_var.get()
        route: Any = self if place is None or place.original_route is not self else place
        return handler_for(route, self.form_limits, get_request_handler)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell how the route fits a scope, in the place of the tree that is being matched."""
        place = effective_context(scope)
        if place is not None and place.original_route is self:
            match, child_scope = place.matches(scope)
        else:
            match, child_scope = match_api_route(self, scope)
        if match is not Match.NONE:
            child_scope["route"] = self
        return match, child_scope

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that the route fits, as declared at its place in the tree."""
        place = effective_context(scope)
        if scope.get(IN_TASK) and not stays_in_task(self if place is None else place):
            await run_isolated(self.handle, scope, receive, send)
        elif place is not None and place.original_route is self:
            await handle_api_route(place, scope, receive, send)
        elif scope["method"] in (self.methods or ()):
            # Through the class above: monitoring tools wrap its method.
            await super().handle(scope, receive, send)
        else:
            await handle_api_route(self, scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Return the path with exactly these parameters; optional ones may be left out from the end."""
        return url_path(self, name, path_params)

    def foreign_hook(self) -> str | None:
        """Return what replaces the parts of a route that plans take the place of, None if nothing does."""
        for name, original in _PLANNED_METHODS.items():
            if getattr(type(self), name) is not original:
                return f"{type(self).__name__}.{name} is overridden"
            if name in self.__dict__:
                return f"{name} of this route is replaced"
        if Route.handle is not _ROUTE_HANDLE:
            return "Route.handle is replaced"
        if self.app is not self.__dict__.get("_made_app"):
            return "app of this route is replaced"
        return foreign_hook()

    @property
    def plan(self) -> RoutePlan:
        """What the route does with a request, to look at: `print(route.plan)`."""
        return plan_class().of(self, native_plan_of(self))

    @property
    def native_plan(self) -> tuple[Any, ...] | str:
        """What the engine executes, or the reason why the route stays on the Python path; private."""
        return native_plan_of(self)

    @property
    def source_location(self) -> str | None:
        """Where the handler is written, as file:line."""
        code = getattr(self.endpoint, "__code__", None)
        return None if code is None else f"{code.co_filename}:{code.co_firstlineno}"


def native_plan_of(route: Any) -> tuple[Any, ...] | str:
    """Return what the engine executes for a route, here or in its place; made anew after a change."""
    now = generation()
    known: tuple[int, tuple[Any, ...] | str] | None = route.__dict__.get("_plan")
    if known is None or known[0] != now:
        overrides: Mapping[Any, Any] = (
            getattr(route.dependency_overrides_provider, "dependency_overrides", None) or {}
        )
        plan = compile_plan(route, overrides)
        clash = convertor_clash(route, plan) if isinstance(plan, tuple) else None
        known = (now, clash or plan)
        # Past `__setattr__`: knowing a plan is no change.
        route.__dict__["_plan"] = known
    return known[1]


def plan_class() -> type[RoutePlan]:
    """Return the class of what describes a plan; loaded when somebody looks, never to serve."""
    found: type[RoutePlan] = importlib.import_module("covet.routing.plan").RoutePlan
    return found


# What plans take the place of; a subclass or a monitoring tool that replaces one of these gets the Python
# path.
_PLANNED_METHODS: dict[str, Any] = {
    name: getattr(APIRoute, name) for name in ("get_route_handler", "matches", "handle", "__call__")
}
_ROUTE_HANDLE: Any = Route.handle


class APIWebSocketRoute(WebSocketRoute):
    """A WebSocket handler with typed parameters at a path."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        name: str | None = None,
        dependencies: Sequence[params.Depends] | None = None,
        dependency_overrides_provider: Any | None = None,
    ) -> None:
        self.path = path
        self.endpoint = endpoint
        self.name = get_name(endpoint) if name is None else name
        self.dependencies = list(dependencies or [])
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self.dependant, _, self._embed_body_fields = dependant_of(
            path=self.path_format, call=self.endpoint, dependencies=self.dependencies
        )
        session = get_websocket_app(
            dependant=self.dependant,
            dependency_overrides_provider=dependency_overrides_provider,
            embed_body_fields=self._embed_body_fields,
        )
        self.app = websocket_session(session)

    @property
    def plan(self) -> RoutePlan:
        """What the route does with a handshake, to look at; `dependency_overrides` are not considered."""
        return plan_class().of_websocket(self)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell how the route fits a scope."""
        match, child_scope = super().matches(scope)
        if match is not Match.NONE:
            child_scope["route"] = self
        return match, child_scope
