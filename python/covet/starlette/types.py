"""Type aliases. Re-exports only."""

from covet.starlette.mirror import mirror
from covet.types import (
    AppType,
    ASGIApp,
    ExceptionHandler,
    HTTPExceptionHandler,
    Lifespan,
    Message,
    Receive,
    Scope,
    Send,
    StatefulLifespan,
    StatelessLifespan,
    WebSocketExceptionHandler,
)

__all__ = [
    "ASGIApp",
    "AppType",
    "ExceptionHandler",
    "HTTPExceptionHandler",
    "Lifespan",
    "Message",
    "Receive",
    "Scope",
    "Send",
    "StatefulLifespan",
    "StatelessLifespan",
    "WebSocketExceptionHandler",
]

mirror(__name__, "covet.types")
