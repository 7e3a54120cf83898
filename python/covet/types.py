"""Type aliases shared by every layer: ASGI's vocabulary and the few generic names of route signatures.

Nothing here runs; the module imports no other module of the package at run time.
"""

from __future__ import annotations

import types as _types
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar, Union

from pydantic import BaseModel
from pydantic.main import IncEx

if TYPE_CHECKING:
    from covet.requests import Request
    from covet.responses import Response
    from covet.websockets import WebSocket

__all__ = [
    "ASGIApp",
    "AppType",
    "DecoratedCallable",
    "DependencyCacheKey",
    "ExceptionHandler",
    "HTTPExceptionHandler",
    "IncEx",
    "Lifespan",
    "Message",
    "ModelNameMap",
    "Receive",
    "Scope",
    "Send",
    "StatefulLifespan",
    "StatelessLifespan",
    "UnionType",
    "WebSocketExceptionHandler",
]

AppType = TypeVar("AppType")
DecoratedCallable = TypeVar("DecoratedCallable", bound=Callable[..., Any])

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

StatelessLifespan = Callable[[AppType], AbstractAsyncContextManager[None]]
StatefulLifespan = Callable[[AppType], AbstractAsyncContextManager[Mapping[str, Any]]]
Lifespan = StatelessLifespan[AppType] | StatefulLifespan[AppType]

HTTPExceptionHandler = Callable[["Request", Exception], "Response | Awaitable[Response]"]
WebSocketExceptionHandler = Callable[["WebSocket", Exception], Awaitable[None]]
ExceptionHandler = HTTPExceptionHandler | WebSocketExceptionHandler

UnionType = getattr(_types, "UnionType", Union)
ModelNameMap = dict[type[BaseModel] | type[Enum], str]
DependencyCacheKey = tuple[Callable[..., Any] | None, tuple[str, ...], str]
