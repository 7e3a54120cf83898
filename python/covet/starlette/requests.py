"""What comes in. Re-exports only."""

from covet.requests import (
    SERVER_PUSH_HEADERS_TO_COPY,
    ClientDisconnect,
    HTTPConnection,
    Request,
    StateT,
    cookie_parser,
    empty_receive,
    empty_send,
)
from covet.starlette.mirror import mirror

__all__ = [
    "SERVER_PUSH_HEADERS_TO_COPY",
    "ClientDisconnect",
    "HTTPConnection",
    "Request",
    "StateT",
    "cookie_parser",
    "empty_receive",
    "empty_send",
]

mirror(__name__, "covet.requests")
