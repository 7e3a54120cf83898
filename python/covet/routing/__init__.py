"""Routing: patterns, routes, routers and the tree they make; each noun has a file of its own.

The attributes of this package are what monitoring tools replace: an assignment here reaches the submodule
that calls the function (`covet.routing.hooks`).
"""

import sys
from typing import TYPE_CHECKING

from covet.concurrency import iterate_in_threadpool, run_in_threadpool
from covet.dependencies.resolve import SolvedDependency, solve_dependencies
from covet.dependencies.signature import get_dependant
from covet.encoders import jsonable_encoder
from covet.late_names import late_names
from covet.route_path import get_route_path
from covet.routing.api_route import APIRoute, APIWebSocketRoute
from covet.routing.api_router import APIRouter
from covet.routing.endpoint import run_endpoint_function, serialize_response
from covet.routing.fastapi_scope import effective_route_context_var as _effective_route_context_var
from covet.routing.fastapi_scope import restore as _restore_fastapi_scope_key
from covet.routing.frontend import FrontendGroup as _FrontendRouteGroup
from covet.routing.handler import get_request_handler, get_websocket_app
from covet.routing.hooks import HookModule, remember_originals
from covet.routing.inclusion import IncludedRouter as _IncludedRouter
from covet.routing.inclusion import RouteContext, iter_route_contexts
from covet.routing.inclusion import iter_routes_with_places as _iter_routes_with_context
from covet.routing.matching import Match, NoMatchFound, compile_path, get_name, replace_params
from covet.routing.operation_id import generate_unique_id
from covet.routing.place import Place as _EffectiveRouteContext
from covet.routing.route import BaseRoute, Route, WebSocketRoute
from covet.routing.route_list import RouteList
from covet.routing.router import Host, Mount, Router
from covet.routing.sessions import request_response, websocket_session
from covet.routing.verbs import show_route_signature, show_signatures
from covet.sse import _PING_INTERVAL

if TYPE_CHECKING:
    from covet.routing.include_context import IncludeContext as _RouterIncludeContext
    from covet.routing.plan import RoutePlan

__all__ = [
    "_PING_INTERVAL",
    "APIRoute",
    "APIRouter",
    "APIWebSocketRoute",
    "BaseRoute",
    "Host",
    "Match",
    "Mount",
    "NoMatchFound",
    "Route",
    "RouteContext",
    "RouteList",
    "RoutePlan",
    "Router",
    "SolvedDependency",
    "WebSocketRoute",
    "_EffectiveRouteContext",
    "_FrontendRouteGroup",
    "_IncludedRouter",
    "_RouterIncludeContext",
    "_effective_route_context_var",
    "_iter_routes_with_context",
    "_restore_fastapi_scope_key",
    "compile_path",
    "generate_unique_id",
    "get_dependant",
    "get_name",
    "get_request_handler",
    "get_route_path",
    "get_websocket_app",
    "iter_route_contexts",
    "iterate_in_threadpool",
    "jsonable_encoder",
    "replace_params",
    "request_response",
    "run_endpoint_function",
    "run_in_threadpool",
    "serialize_response",
    "solve_dependencies",
    "websocket_session",
]

__getattr__, __dir__ = late_names(
    globals(),
    {
        "RoutePlan": "covet.routing.plan",
        "_RouterIncludeContext": "covet.routing.include_context:IncludeContext",
    },
)

show_signatures(APIRouter)
remember_originals(sys.modules[__name__])
sys.modules[__name__].__class__ = HookModule
show_route_signature(APIRoute)
