"""CovetPy: FastAPI's language on a Rust engine.

The names an application needs; everything else is in the modules FastAPI has them in. Names load at first use
where that saves start-up time.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from covet import status
    from covet.applications import CovetPy, FastAPI
    from covet.background import BackgroundTasks
    from covet.contract import validated
    from covet.datastructures import UploadFile
    from covet.exceptions import HTTPException, WebSocketException
    from covet.param_functions import Body, Cookie, Depends, File, Form, Header, Path, Query, Security
    from covet.requests import Request
    from covet.responses import Response
    from covet.routing import APIRouter
    from covet.websockets import WebSocket, WebSocketDisconnect

__all__ = [
    "APIRouter",
    "BackgroundTasks",
    "Body",
    "Cookie",
    "CovetPy",
    "Depends",
    "FastAPI",
    "File",
    "Form",
    "HTTPException",
    "Header",
    "Path",
    "Query",
    "Request",
    "Response",
    "Security",
    "UploadFile",
    "WebSocket",
    "WebSocketDisconnect",
    "WebSocketException",
    "status",
    "validated",
]

__version__ = "0.1.0"

_HOMES = {
    "APIRouter": "routing",
    "BackgroundTasks": "background",
    "CovetPy": "applications",
    "FastAPI": "applications",
    "HTTPException": "exceptions",
    "Request": "requests",
    "Response": "responses",
    "UploadFile": "datastructures",
    "WebSocket": "websockets",
    "WebSocketDisconnect": "websockets",
    "WebSocketException": "exceptions",
    "validated": "contract",
}
# Submodules that `import fastapi` makes reachable as attributes.
SUBMODULES = frozenset(
    {
        "applications",
        "background",
        "concurrency",
        "datastructures",
        "dependencies",
        "encoders",
        "exception_handlers",
        "exceptions",
        "logger",
        "middleware",
        "openapi",
        "param_functions",
        "params",
        "requests",
        "responses",
        "routing",
        "security",
        "sse",
        "status",
        "telemetry",
        "types",
        "utils",
        "websockets",
    }
)


def __getattr__(name: str) -> Any:
    if name in SUBMODULES:
        return importlib.import_module(f"covet.{name}")
    if name in __all__:
        value = getattr(importlib.import_module(f"covet.{_HOMES.get(name, 'param_functions')}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *SUBMODULES})
