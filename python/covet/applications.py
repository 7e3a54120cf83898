"""`CovetPy`, the application: routes with typed handlers, middleware, documents. `FastAPI` is its other name.

It wires what lies below and holds no request logic of its own.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack

from typing_extensions import deprecated

from covet._engine import bump_generation
from covet.asgi import Table, application_table, open_door, remember_originals
from covet.asgi_application import Starlette
from covet.datastructures.default import Default
from covet.datastructures.state import State
from covet.exception_handlers import (
    http_exception_handler,
    request_validation_exception_handler,
    websocket_request_validation_exception_handler,
)
from covet.exceptions import (
    FastAPIDeprecationWarning,
    RequestValidationError,
    WebSocketRequestValidationError,
)
from covet.http_exceptions import HTTPException
from covet.late_names import late_names
from covet.middleware.asyncexitstack import AsyncExitStackMiddleware
from covet.middleware.base import BaseHTTPMiddleware
from covet.middleware.declaration import Middleware
from covet.middleware.errors import ServerErrorMiddleware
from covet.middleware.exceptions import ExceptionMiddleware
from covet.openapi.endpoints import endpoints_of
from covet.params import Depends
from covet.requests import Request
from covet.responses import JSONResponse, Response
from covet.routing import APIRouter
from covet.routing.body_limit import AppBodyLimitMiddleware, validate_max_body_size
from covet.routing.form_limits import FormLimits
from covet.routing.frontend_files import Fallback, PathLike, resolve_check_dir
from covet.routing.operation_id import generate_unique_id
from covet.routing.options import ApiRouteOptions, IncludeOptions
from covet.routing.route import BaseRoute, Route
from covet.routing.router import Router
from covet.routing.verbs import Verbs, show_signatures
from covet.telemetry import TelemetryConfig
from covet.types import ASGIApp, DecoratedCallable, ExceptionHandler, Lifespan, Receive, Scope, Send
from covet.watched import WatchedDict

if TYPE_CHECKING:
    from covet.layer_report import LayerReport
    from covet.openapi.partial_document import PartialDocument

__all__ = ["CovetPy", "FastAPI"]

AppT = TypeVar("AppT", bound="CovetPy")

# What makes documents and pages, and where it is defined. FastAPI looks these names up here whenever it needs
# them, so people put functions of their own in their place.
_MAKERS = {
    "get_openapi": "covet.openapi.document",
    "get_redoc_html": "covet.openapi.docs",
    "get_swagger_ui_html": "covet.openapi.docs",
    "get_swagger_ui_oauth2_redirect_html": "covet.openapi.docs",
}
__getattr__, __dir__ = late_names(globals(), _MAKERS)


class CovetPy(Verbs, Starlette):
    """An application.

        from covet import CovetPy

        app = CovetPy(title="Items")

        @app.get("/items/{item_id}")
        async def read_item(item_id: int, q: str | None = None):
            return {"item_id": item_id, "q": q}

    What the document says: `title`, `summary`, `description`, `version`, `openapi_tags`, `servers`,
    `terms_of_service`, `contact`, `license_info`, `openapi_external_docs`, `separate_input_output_schemas`,
    `webhooks`. Where it is: `openapi_url`, `docs_url`, `redoc_url` (None for none), and how it looks:
    `swagger_ui_*`. What goes for every route is as for `APIRouter`. `lifespan` runs around the time of
    serving; `middleware`, `exception_handlers` and `debug` are as in Starlette.
    Not FastAPI's: `auto_head`, `auto_options` and `cancel_on_disconnect`, see `APIRouter`; `docs_theme`, the
    look of the pages: "light", "dark" or, by default, what the reader's browser prefers ("auto");
    `openapi_version`: with "3.0.3" the document is one of OpenAPI 3.0; `generate_examples`: the document has
    an example for each JSON body and required parameter.
    """

    dependency_overrides: dict[Callable[..., Any], Callable[..., Any]]
    router: APIRouter

    def __init__(
        self: AppT,
        *,
        telemetry: TelemetryConfig | None = None,
        debug: bool = False,
        routes: list[BaseRoute] | None = None,
        title: str = "FastAPI",
        summary: str | None = None,
        description: str = "",
        version: str = "0.1.0",
        openapi_url: str | None = "/openapi.json",
        openapi_tags: list[dict[str, Any]] | None = None,
        servers: list[dict[str, str | Any]] | None = None,
        dependencies: Sequence[Depends] | None = None,
        default_response_class: type[Response] = Default(JSONResponse),
        redirect_slashes: bool = True,
        docs_url: str | None = "/docs",
        redoc_url: str | None = "/redoc",
        swagger_ui_oauth2_redirect_url: str | None = "/docs/oauth2-redirect",
        swagger_ui_init_oauth: dict[str, Any] | None = None,
        middleware: Sequence[Middleware] | None = None,
        exception_handlers: dict[
            int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]
        ]
        | None = None,
        on_startup: Sequence[Callable[[], Any]] | None = None,
        on_shutdown: Sequence[Callable[[], Any]] | None = None,
        lifespan: Lifespan[AppT] | None = None,
        terms_of_service: str | None = None,
        contact: dict[str, str | Any] | None = None,
        license_info: dict[str, str | Any] | None = None,
        root_path: str = "",
        root_path_in_servers: bool = True,
        responses: dict[int | str, dict[str, Any]] | None = None,
        callbacks: list[BaseRoute] | None = None,
        webhooks: APIRouter | None = None,
        deprecated: bool | None = None,
        include_in_schema: bool = True,
        swagger_ui_parameters: dict[str, Any] | None = None,
        generate_unique_id_function: Callable[[Any], str] = Default(generate_unique_id),
        separate_input_output_schemas: bool = True,
        openapi_external_docs: dict[str, Any] | None = None,
        strict_content_type: bool = True,
        max_body_size: int | None = None,
        form_limits: FormLimits | None = None,
        auto_head: bool = False,
        auto_options: bool = False,
        cancel_on_disconnect: bool | None = None,
        openapi_version: str = "3.1.0",
        generate_examples: bool = False,
        docs_theme: Literal["auto", "light", "dark"] = "auto",
    ) -> None:
        validate_max_body_size(max_body_size)
        self.max_body_size = max_body_size
        self.debug = debug
        self.title, self.summary, self.description, self.version = title, summary, description, version
        self.terms_of_service, self.contact, self.license_info = terms_of_service, contact, license_info
        self.openapi_url, self.docs_url, self.redoc_url = openapi_url, docs_url, redoc_url
        self.openapi_tags = openapi_tags
        self.root_path_in_servers = root_path_in_servers
        self.swagger_ui_oauth2_redirect_url = swagger_ui_oauth2_redirect_url
        self.swagger_ui_init_oauth = swagger_ui_init_oauth
        self.swagger_ui_parameters = swagger_ui_parameters
        self.generate_examples = generate_examples
        self.docs_theme = docs_theme
        self.documents: list[PartialDocument] = []
        self.servers = servers or []
        self.separate_input_output_schemas = separate_input_output_schemas
        self.openapi_external_docs = openapi_external_docs
        self.openapi_version = openapi_version
        self.openapi_schema: dict[str, Any] | None = None
        self._openapi_routes_version: int | None = None
        self.telemetry: TelemetryConfig = {} if telemetry is None else telemetry
        self._check_document()
        self.webhooks = webhooks or APIRouter()
        self._take_root_path(root_path)
        self.state = State()
        self.dependency_overrides = {}
        self.router = APIRouter(
            routes=routes,
            redirect_slashes=redirect_slashes,
            dependency_overrides_provider=self,
            on_startup=on_startup,
            on_shutdown=on_shutdown,
            lifespan=lifespan,
            default_response_class=default_response_class,
            dependencies=dependencies,
            callbacks=callbacks,
            deprecated=deprecated,
            include_in_schema=include_in_schema,
            responses=responses,
            generate_unique_id_function=generate_unique_id_function,
            strict_content_type=strict_content_type,
            max_body_size=max_body_size,
            form_limits=form_limits,
            auto_head=auto_head,
            auto_options=auto_options,
            cancel_on_disconnect=cancel_on_disconnect,
        )
        self._take_handlers(exception_handlers or {})
        self.user_middleware = list(middleware or ())
        self.middleware_stack: ASGIApp | None = None
        self.setup()

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("dependency_overrides", "exception_handlers") and type(value) is dict:
            value = WatchedDict(value)
        object.__setattr__(self, name, value)
        bump_generation()

    def _check_document(self) -> None:
        if self.openapi_url:
            assert self.title, "A title must be provided for OpenAPI, e.g.: 'My API'"
            assert self.version, "A version must be provided for OpenAPI, e.g.: '2.1.0'"
        if self.docs_theme not in ("auto", "light", "dark"):
            raise ValueError(f"docs_theme is {self.docs_theme!r}; it must be 'auto', 'light' or 'dark'")

    def _take_root_path(self, root_path: str) -> None:
        if root_path:
            warnings.warn(
                "The `root_path` parameter is deprecated. Configure the server's root path instead, "
                "for example with `fastapi run --root-path /api/v1`.",
                category=FastAPIDeprecationWarning,
                stacklevel=3,
            )
        self.root_path = root_path

    def _take_handlers(self, given: dict[Any, Any]) -> None:
        handlers: dict[Any, Any] = {
            HTTPException: http_exception_handler,
            RequestValidationError: request_validation_exception_handler,
            WebSocketRequestValidationError: websocket_request_validation_exception_handler,
        }
        # The user's first: the order is that of `app.exception_handlers` under FastAPI.
        self.exception_handlers = {**given, **{key: handlers[key] for key in handlers if key not in given}}

    def build_middleware_stack(self) -> ASGIApp:
        """Return the router inside all middleware; called once, at the first request."""
        handlers: dict[Any, ExceptionHandler] = dict(self.exception_handlers)
        on_error: ExceptionHandler | None = None
        for key in [key for key in handlers if key in (500, Exception)]:
            on_error = handlers.pop(key)
        layers = [
            Middleware(ServerErrorMiddleware, handler=on_error, debug=self.debug),
            Middleware(AppBodyLimitMiddleware, max_body_size=self.max_body_size),
            *self.user_middleware,
            Middleware(ExceptionMiddleware, handlers=handlers, debug=self.debug),
            Middleware(AsyncExitStackMiddleware),
        ]
        open_door(self.router)
        app: ASGIApp = self.router
        for cls, args, kwargs in reversed(layers):
            app = cls(app, *args, **kwargs)
        return app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.root_path:
            scope["root_path"] = self.root_path
        await super().__call__(scope, receive, send)

    def __covet_table__(self) -> Table:
        """Return the routes as data; the engine asks when something has changed."""
        return application_table(self)

    def __covet_layers__(self) -> list[LayerReport]:
        """Return how our own server runs each middleware; `covet routes` asks."""
        reports: list[LayerReport] = importlib.import_module("covet.layer_report").report_layers(self)
        return reports

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document; made once, and again after routes have changed."""
        version = self.router._get_routes_version()
        if not self.openapi_schema or self._openapi_routes_version != version:
            self.openapi_schema = _loaded("covet.openapi.application_document").application_document(self)
            self._openapi_routes_version = version
        return self.openapi_schema

    def _maker(self, name: str) -> Callable[..., Any] | None:
        """Return what somebody put in the place of a function that makes pages or documents."""
        maker: Any = globals().get(name)
        # A function's globals tell where it is really written: `functools.wraps` leaves them alone.
        written_in = getattr(maker, "__globals__", {}).get("__name__")
        return None if written_in == _MAKERS[name] else maker

    def setup(self) -> None:
        """Add the routes of the document and of the pages that show it."""
        for path, endpoint in endpoints_of(self, self):
            self.add_route(path, endpoint, include_in_schema=False)
        self._documents_end = len(self.router.routes)

    def add_document(
        self,
        name: str,
        *,
        prefix: str | None = None,
        select: Callable[[Any], bool] | None = None,
        title: str | None = None,
        version: str | None = None,
        description: str | None = None,
        openapi_url: str = "{prefix}/openapi.json",
        docs_url: str | None = "{prefix}/docs",
        redoc_url: str | None = "{prefix}/redoc",
    ) -> PartialDocument:
        """Serve a document of a part of the API, such as one version of it, with pages of its own.

            from covet import APIRouter, CovetPy

            app = CovetPy()
            books = APIRouter(prefix="/v1/books")
            app.include_router(books)
            app.add_document("v1")  # /v1/openapi.json, /v1/docs, /v1/redoc

        All pages get a selector of the documents. Where the application has no document or no such page,
        there is none here unless its address is given.

        Args:
            name: what the selector says; each may be there once.
            prefix: which operations, by the beginning of their paths; `/name` by default.
            select: which operations instead, by a function of the route (`path`, `tags`, `methods` …).
            title, version, description: where they differ from the application's.
            openapi_url, docs_url, redoc_url: addresses; None for a page that is not wanted.

        Raises:
            ValueError: the name is taken, or the prefix does not begin with a slash or ends with one.
        """
        prefix = f"/{name}" if prefix is None else prefix
        if any(known.name == name for known in self.documents):
            raise ValueError(f"add_document({name!r}): there is a document of this name already")
        if not prefix.startswith("/") or prefix.endswith("/"):
            raise ValueError(f"add_document({name!r}): prefix {prefix!r} must be like '/v1'")
        document: PartialDocument = _loaded("covet.openapi.partial_document").PartialDocument(
            app=self,
            name=name,
            prefix=prefix,
            select=select,
            openapi_url=_address(openapi_url, prefix, self.openapi_url),
            docs_url=_address(docs_url, prefix, self.docs_url),
            redoc_url=_address(redoc_url, prefix, self.redoc_url),
            title=title or self.title,
            version=version or self.version,
            description=description or self.description,
        )
        self.documents.append(document)
        for path, endpoint in endpoints_of(self, document):
            # Before the user's routes, as the application's own: `/v1/{name}` may be one of them.
            self.router.routes.insert(self._documents_end, Route(path, endpoint, include_in_schema=False))
            self._documents_end += 1
        return document

    def add_api_route(
        self, path: str, endpoint: Callable[..., Any], **options: Unpack[ApiRouteOptions]
    ) -> None:
        """Add a handler with typed parameters."""
        self.router.add_api_route(path, endpoint, **options)

    def add_api_websocket_route(
        self,
        path: str,
        endpoint: Callable[..., Any],
        name: str | None = None,
        *,
        dependencies: Sequence[Depends] | None = None,
    ) -> None:
        """Add a WebSocket handler with typed parameters."""
        self.router.add_api_websocket_route(path, endpoint, name=name, dependencies=dependencies)

    def websocket_route(
        self, path: str, name: str | None = None
    ) -> Callable[[DecoratedCallable], DecoratedCallable]:
        """Add a handler that takes the WebSocket and nothing else."""
        return self.router.websocket_route(path, name=name)

    def include_router(self, router: APIRouter, **options: Unpack[IncludeOptions]) -> None:
        """Add all routes of a router, those that it gets later too."""
        self.router.include_router(router, **options)

    def frontend(
        self,
        path: str,
        *,
        directory: PathLike,
        fallback: Fallback = "auto",
        check_dir: bool | Literal["auto"] = "auto",
    ) -> None:
        """Serve a front end's files below a path, for requests that no route fits; see
        `APIRouter.frontend`.
        """
        checked = resolve_check_dir(directory=directory, check_dir=check_dir)
        self.router.frontend(path, directory=directory, fallback=fallback, check_dir=checked)

    @deprecated("on_event is deprecated, use lifespan event handlers instead.")
    def on_event(self, event_type: str) -> Callable[[DecoratedCallable], DecoratedCallable]:
        """Add a function to run at "startup" or "shutdown"."""
        return self.router.on_event(event_type)

    def middleware(self, middleware_type: str) -> Callable[[DecoratedCallable], DecoratedCallable]:
        """Add a function `async (request, call_next) -> response` around all requests:
        `@app.middleware("http")`.
        """

        def decorator(func: DecoratedCallable) -> DecoratedCallable:
            self.add_middleware(BaseHTTPMiddleware, dispatch=func)
            return func

        return decorator

    def exception_handler(
        self, exc_class_or_status_code: int | type[Exception]
    ) -> Callable[[DecoratedCallable], DecoratedCallable]:
        """Add a function `(request, exc) -> response` that answers a status or a class of exceptions."""

        def decorator(func: DecoratedCallable) -> DecoratedCallable:
            self.add_exception_handler(exc_class_or_status_code, func)
            return func

        return decorator


def _address(template: str | None, prefix: str, own: str | None) -> str | None:
    """Return an address of a document; a default one only where the application has its like."""
    if template is None or (own is None and template.startswith("{prefix}")):
        return None
    return template.replace("{prefix}", prefix)


def _loaded(module: str) -> Any:
    # Loaded when the first document is made: no request of an API needs it.
    return importlib.import_module(module)


show_signatures(CovetPy)
remember_originals(Starlette, CovetPy, Router, APIRouter)
FastAPI = CovetPy
