"""The answers to errors that an application gives unless it has handlers of its own."""

from __future__ import annotations

from covet.encoders import jsonable_encoder
from covet.exceptions import RequestValidationError, WebSocketRequestValidationError
from covet.http_exceptions import HTTPException
from covet.requests import Request
from covet.responses import JSONResponse, Response
from covet.responses.bodyless import is_body_allowed_for_status_code
from covet.status import WS_1008_POLICY_VIOLATION
from covet.websockets import WebSocket

__all__ = [
    "http_exception_handler",
    "request_validation_exception_handler",
    "websocket_request_validation_exception_handler",
]


async def http_exception_handler(request: Request, exc: HTTPException) -> Response:
    """Answer an HTTPException with its status, headers and `{"detail": …}`."""
    headers = getattr(exc, "headers", None)
    if not is_body_allowed_for_status_code(exc.status_code):
        return Response(status_code=exc.status_code, headers=headers)
    return JSONResponse({"detail": exc.detail}, status_code=exc.status_code, headers=headers)


async def request_validation_exception_handler(request: Request, exc: RequestValidationError) -> JSONResponse:
    """Answer a request that does not fit the handler's signature: 422 with the list of errors."""
    return JSONResponse({"detail": jsonable_encoder(exc.errors())}, status_code=422)


async def websocket_request_validation_exception_handler(
    websocket: WebSocket, exc: WebSocketRequestValidationError
) -> None:
    """Close a WebSocket whose handshake does not fit the handler's signature: 1008 with the errors as
    reason.
    """
    await websocket.close(code=WS_1008_POLICY_VIOLATION, reason=jsonable_encoder(exc.errors()))
