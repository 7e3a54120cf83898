"""Patterns, routes, mounts and routers, without an API's language. Re-exports only."""

from covet.callables import is_async_callable
from covet.concurrency import run_in_threadpool
from covet.middleware.exceptions import wrap_app_handling_exceptions
from covet.route_path import get_route_path
from covet.routing.convertors import CONVERTOR_TYPES, Convertor
from covet.routing.lifespan import _AsyncLiftContextManager as _AsyncLiftContextManager
from covet.routing.lifespan import _DefaultLifespan as _DefaultLifespan
from covet.routing.lifespan import _wrap_gen_lifespan_context as _wrap_gen_lifespan_context
from covet.routing.matching import (
    PARAM_FORMAT_REGEX,
    PARAM_REGEX,
    Match,
    NoMatchFound,
    compile_path,
    get_name,
    replace_params,
)
from covet.routing.route import BaseRoute, Route, WebSocketRoute, request_response, websocket_session
from covet.routing.router import Host, Mount, Router
from covet.starlette.mirror import mirror

__all__ = [
    "CONVERTOR_TYPES",
    "PARAM_FORMAT_REGEX",
    "PARAM_REGEX",
    "BaseRoute",
    "Convertor",
    "Host",
    "Match",
    "Mount",
    "NoMatchFound",
    "Route",
    "Router",
    "WebSocketRoute",
    "compile_path",
    "get_name",
    "get_route_path",
    "is_async_callable",
    "replace_params",
    "request_response",
    "run_in_threadpool",
    "websocket_session",
    "wrap_app_handling_exceptions",
]

mirror(
    __name__,
    "covet.routing.matching",
    "covet.routing.route",
    "covet.routing.router",
    "covet.routing.lifespan",
)
