"""What agents and libraries replace, read or change in Starlette works here: ten-line stand-ins."""

from typing import Any

import pytest

from covet.starlette import background, middleware, routing
from covet.starlette.applications import Starlette
from covet.starlette.background import BackgroundTask, BackgroundTasks
from covet.starlette.datastructures import MutableHeaders
from covet.starlette.exceptions import HTTPException
from covet.starlette.middleware.base import BaseHTTPMiddleware, _StreamingResponse
from covet.starlette.middleware.cors import CORSMiddleware
from covet.starlette.middleware.errors import ServerErrorMiddleware
from covet.starlette.middleware.exceptions import ExceptionMiddleware
from covet.starlette.requests import Request
from covet.starlette.responses import PlainTextResponse, Response
from covet.starlette.routing import Mount, Route


def hello(request: Request) -> Response:
    return PlainTextResponse("hello")


async def echo(request: Request) -> Response:
    return Response(await request.body())


def test_the_stack_is_a_server_error_middleware() -> None:
    stack: Any = Starlette(debug=True).build_middleware_stack()
    assert isinstance(stack, ServerErrorMiddleware)
    assert (stack.debug, stack.handler) == (True, None)
    assert isinstance(stack.app, ExceptionMiddleware)


def test_the_stack_is_built_once_and_can_be_voided(client_for: Any) -> None:
    built: list[Any] = []
    app = Starlette(routes=[Route("/", hello)])
    build = app.build_middleware_stack

    def counted() -> Any:
        built.append(1)
        return build()

    app.build_middleware_stack = counted  # type: ignore[method-assign]
    client = client_for(app)
    client.get("/")
    client.get("/")
    assert built == [1]
    app.middleware_stack = None
    app.user_middleware.append(middleware.Middleware(CORSMiddleware))
    assert client.get("/").headers["vary"] == "Origin"
    assert built == [1, 1]


def test_each_declared_class_can_be_wrapped(client_for: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []

    class Plain:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await self.app(scope, receive, send)

    def wrap(cls: Any) -> None:
        original = cls.__call__

        async def traced(self: Any, scope: Any, receive: Any, send: Any) -> None:
            called.append(cls.__name__)
            await original(self, scope, receive, send)

        monkeypatch.setattr(cls, "__call__", traced)

    declare = middleware.Middleware.__init__

    def declared(self: Any, cls: Any, *args: Any, **kwargs: Any) -> None:
        wrap(cls)
        declare(self, cls, *args, **kwargs)

    monkeypatch.setattr(middleware.Middleware, "__init__", declared)
    app = Starlette(routes=[Route("/", hello)], middleware=[middleware.Middleware(Plain)])
    assert client_for(app).get("/").text == "hello"
    assert "Plain" in called


def test_handlers_are_found_in_the_dict(client_for: Any) -> None:
    app = Starlette(routes=[Route("/", hello)])
    stack: Any = app.build_middleware_stack()
    inner = stack.app
    original = inner._exception_handlers[HTTPException]

    async def watched(request: Request, exc: Exception) -> Response:
        response: Response = await original(request, exc)
        response.headers["x-seen"] = "yes"
        return response

    inner._exception_handlers[HTTPException] = watched
    app.middleware_stack = stack
    assert client_for(app).get("/none").headers["x-seen"] == "yes"


def test_background_work_goes_through_the_class(client_for: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    original = background.BackgroundTask.__call__

    async def traced(self: BackgroundTask) -> None:
        seen.append(self.func)
        await original(self)

    monkeypatch.setattr(background.BackgroundTask, "__call__", traced)

    def work() -> None:
        seen.append("done")

    def endpoint(request: Request) -> Response:
        tasks = BackgroundTasks()
        tasks.add_task(work)
        return PlainTextResponse("x", background=tasks)

    client_for(Starlette(routes=[Route("/", endpoint)])).get("/")
    assert seen == [work, "done"]


def test_routes_use_the_replaced_wrapper(client_for: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    original = routing.request_response

    def traced(func: Any) -> Any:
        app = original(func)

        async def answer(scope: Any, receive: Any, send: Any) -> None:
            scope["traced"] = True
            await app(scope, receive, send)

        return answer

    monkeypatch.setattr(routing, "request_response", traced)

    async def endpoint(request: Request) -> Response:
        return PlainTextResponse(str(request.scope.get("traced")))

    assert client_for(Starlette(routes=[Route("/", endpoint)])).get("/").text == "True"


def test_handle_of_routes_and_mounts_is_called(client_for: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    handled: list[str] = []
    for cls in (Route, Mount):
        original: Any = cls.handle

        async def traced(self: Any, scope: Any, receive: Any, send: Any, original: Any = original) -> None:
            handled.append(type(self).__name__)
            await original(self, scope, receive, send)

        monkeypatch.setattr(cls, "handle", traced)
    client_for(Starlette(routes=[Mount("/m", routes=[Route("/", hello)])])).get("/m/")
    assert handled == ["Mount", "Route"]


def test_routes_are_asked_without_side_effects() -> None:
    app = Starlette(routes=[Route("/a/{b}", hello)])
    scope = {"type": "http", "path": "/a/1", "method": "POST", "headers": []}
    before = dict(scope)
    match, child = app.routes[0].matches(scope)
    assert match is routing.Match.PARTIAL
    assert child["path_params"] == {"b": "1"}
    assert scope == before


@pytest.mark.parametrize("name", ["_receive", "_body"])
def test_a_body_is_replaced_before_the_application(client_for: Any, name: str) -> None:
    async def fake() -> Any:
        return {"type": "http.request", "body": b"fake"}

    async def dispatch(request: Request, call_next: Any) -> Response:
        setattr(request, name, fake if name == "_receive" else b"fake")
        response = await call_next(request)
        assert type(response) is _StreamingResponse
        return response  # type: ignore[no-any-return]

    app = Starlette(
        routes=[Route("/", echo, methods=["POST"])],
        middleware=[middleware.Middleware(BaseHTTPMiddleware, dispatch=dispatch)],
    )
    assert client_for(app).post("/", content=b"real").text == "fake"


def test_fields_written_into_a_scope_are_seen(client_for: Any) -> None:
    class Identify:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            MutableHeaders(scope=scope)["x-id"] = "7"
            await self.app(scope, receive, send)

    def endpoint(request: Request) -> Response:
        return PlainTextResponse(request.headers["x-id"])

    app = Starlette(routes=[Route("/", endpoint)], middleware=[middleware.Middleware(Identify)])
    assert client_for(app).get("/").text == "7"


def test_a_request_is_made_of_almost_nothing() -> None:
    request = Request({"type": "http", "app": 1, "state": {"a": 2}})
    assert (request.app, request.state.a) == (1, 2)


def test_a_raw_list_of_fields_is_live() -> None:
    response = PlainTextResponse("x")
    response.headers.raw.extend([(b"a", b"b")])
    assert response.raw_headers[-1] == (b"a", b"b")


def test_attributes_are_plain_after_construction(client_for: Any) -> None:
    app = Starlette()
    app.router.routes = [Route("/", hello)]  # type: ignore[assignment]
    app.exception_handlers = {404: lambda request, exc: PlainTextResponse("own", 404)}
    app.debug = True
    app.router.redirect_slashes = False
    assert client_for(app).get("/").text == "hello"
    assert client_for(app).get("/none").text == "own"
