"""Every exception a user of the framework meets, and the warning category for names that will go.

HTTPException, WebSocketException     raised by handlers, answered by the framework
FastAPIError                          misuse found while the application is put together
├── DependencyScopeError
└── PydanticV1NotSupportedError
ValidationException                   a value refused by pydantic
├── RequestValidationError
├── WebSocketRequestValidationError
├── ResponseValidationError
└── ArgumentValidationError               not FastAPI's: of a validated function that is no handler
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from pydantic import BaseModel, create_model

from covet import http_exceptions

__all__ = [
    "ArgumentValidationError",
    "DependencyScopeError",
    "EndpointContext",
    "FastAPIDeprecationWarning",
    "FastAPIError",
    "HTTPException",
    "PydanticV1NotSupportedError",
    "RequestErrorModel",
    "RequestValidationError",
    "ResponseValidationError",
    "StarletteHTTPException",
    "StarletteWebSocketException",
    "ValidationException",
    "WebSocketErrorModel",
    "WebSocketException",
    "WebSocketRequestValidationError",
]

StarletteHTTPException = http_exceptions.HTTPException
StarletteWebSocketException = http_exceptions.WebSocketException


class EndpointContext(TypedDict, total=False):
    """Where the handler of a refused value is written; printed below the errors."""

    function: str
    path: str
    file: str
    line: int


class HTTPException(http_exceptions.HTTPException):
    """Stop the request and answer with `status_code` and a JSON body `{"detail": detail}`.

    `detail` may be anything that can be written as JSON; `headers` are added to the answer.

        if item is None:
            raise HTTPException(status_code=404, detail="Item not found")
    """

    detail: Any

    def __init__(
        self, status_code: int, detail: Any = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status_code=status_code, detail=detail, headers=headers)


class WebSocketException(http_exceptions.WebSocketException):
    """Stop the session and close the socket with a code of RFC 6455, section 7.4.1, and a reason."""

    def __init__(self, code: int, reason: str | None = None) -> None:
        super().__init__(code=code, reason=reason)


if TYPE_CHECKING:
    RequestErrorModel: type[BaseModel]
    WebSocketErrorModel: type[BaseModel]


def __getattr__(name: str) -> Any:
    """Make the two models nobody but old libraries asks for; a pydantic model costs start-up time."""
    if name in ("RequestErrorModel", "WebSocketErrorModel"):
        model = globals()[name] = create_model(name.removesuffix("ErrorModel"))
        return model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class FastAPIError(RuntimeError):
    """Say that the application is put together wrongly."""


class DependencyScopeError(FastAPIError):
    """Say that a dependency relies on one that is closed before it."""


class ValidationException(Exception):
    """Carry the errors of a refused value, and the handler they concern."""

    def __init__(self, errors: Sequence[Any], *, endpoint_ctx: EndpointContext | None = None) -> None:
        self._errors = errors
        self.endpoint_ctx = endpoint_ctx
        context: Mapping[str, Any] = endpoint_ctx or {}
        self.endpoint_function: str | None = context.get("function")
        self.endpoint_path: str | None = context.get("path")
        self.endpoint_file: str | None = context.get("file")
        self.endpoint_line: int | None = context.get("line")

    def errors(self) -> Sequence[Any]:
        """Return the errors as pydantic describes them."""
        return self._errors

    def _format_endpoint_context(self) -> str:
        located = self.endpoint_file and self.endpoint_line and self.endpoint_function
        if not located:
            return f"\n  Endpoint: {self.endpoint_path}" if self.endpoint_path else ""
        text = f'\n  File "{self.endpoint_file}", line {self.endpoint_line}, in {self.endpoint_function}'
        return f"{text}\n    {self.endpoint_path}" if self.endpoint_path else text

    def __str__(self) -> str:
        count = len(self._errors)
        lines = [f"{count} validation error{'' if count == 1 else 's'}:"]
        lines += [f"  {error}" for error in self._errors]
        return ("\n".join(lines) + "\n" + self._format_endpoint_context()).rstrip()


class RequestValidationError(ValidationException):
    """Say that a request does not fit the handler's signature; `body` is what was received."""

    def __init__(
        self, errors: Sequence[Any], *, body: Any = None, endpoint_ctx: EndpointContext | None = None
    ) -> None:
        super().__init__(errors, endpoint_ctx=endpoint_ctx)
        self.body = body


class WebSocketRequestValidationError(ValidationException):
    """Say that a WebSocket handshake does not fit the handler's signature."""


class ResponseValidationError(ValidationException):
    """Say that a handler returned what its response model refuses; `body` is the returned value."""

    def __init__(
        self, errors: Sequence[Any], *, body: Any = None, endpoint_ctx: EndpointContext | None = None
    ) -> None:
        super().__init__(errors, endpoint_ctx=endpoint_ctx)
        self.body = body


class ArgumentValidationError(ValidationException):
    """Say that a function made by `covet.validated` was called with what its signature refuses."""


class PydanticV1NotSupportedError(FastAPIError):
    """Say that a model of pydantic's first generation was used."""


class FastAPIDeprecationWarning(UserWarning):
    """Announce a name or use that will go; derived from UserWarning so that it is shown by default."""
