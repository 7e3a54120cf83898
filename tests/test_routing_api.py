"""API routes and routers: options, methods, places in the tree, optional parameters, hooks, events."""

import functools
import inspect
from contextlib import asynccontextmanager
from typing import Annotated, Any

import anyio
import pytest

import covet.routing
from covet import APIRouter, CovetPy, Depends, HTTPException, Path, Request, Response, WebSocket
from covet.exceptions import FastAPIDeprecationWarning, FastAPIError, ResponseValidationError
from covet.responses import HTMLResponse, JSONResponse, PlainTextResponse
from covet.routing import (
    APIRoute,
    APIWebSocketRoute,
    Host,
    Match,
    Mount,
    NoMatchFound,
    Route,
    iter_route_contexts,
)
from covet.testclient import TestClient

VERBS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]


def nothing():
    return "x"


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("cls", [CovetPy, APIRouter])
def test_a_verb_adds_a_route(cls, verb):
    owner = cls()
    assert getattr(owner, verb)("/x", tags=["t"])(nothing) is nothing
    route = owner.routes[-1]
    assert (route.path, route.methods, route.tags) == ("/x", {verb.upper()}, ["t"])


@pytest.mark.parametrize("verb", [*VERBS, "api_route", "add_api_route", "include_router"])
def test_an_unknown_option_is_a_type_error(verb):
    arguments = {"add_api_route": ("/", nothing), "include_router": (APIRouter(),)}.get(verb, ("/",))
    with pytest.raises(TypeError, match=rf"{verb}\(\) got an unexpected keyword argument 'nonsense'"):
        getattr(APIRouter(), verb)(*arguments, nonsense=1)


def test_signatures_spell_the_options_out():
    parameters = inspect.signature(CovetPy().get).parameters
    assert list(parameters)[:3] == ["path", "response_model", "status_code"]
    assert parameters["response_description"].default == "Successful Response"
    assert list(parameters)[-2:] == ["max_body_size", "form_limits"]
    assert "callbacks" not in inspect.signature(CovetPy.add_api_route).parameters
    assert "strict_content_type" in inspect.signature(APIRouter.add_api_route).parameters


def test_a_route_refuses_unknown_options():
    with pytest.raises(TypeError, match="nonsense"):
        APIRoute("/", nothing, nonsense=1)


def test_a_route_knows_where_its_handler_is_written():
    route = APIRoute("/", nothing)
    assert route.source_location == f"{__file__}:{nothing.__code__.co_firstlineno}"
    assert APIRoute("/", functools.partial(nothing)).source_location is None


def test_another_method_is_405_with_allow():
    app = CovetPy()
    app.get("/x")(nothing)
    response = TestClient(app).post("/x")
    assert (response.status_code, response.headers["allow"]) == (405, "GET")


def test_a_route_alone_is_an_application():
    client = TestClient(APIRoute("/x", nothing))
    assert client.post("/x").text == "Method Not Allowed"
    assert client.get("/y").status_code == 404


def test_head_and_options_are_made_when_asked_for():
    app = CovetPy(auto_head=True, auto_options=True)
    app.get("/x")(nothing)
    app.post("/y")(nothing)
    client = TestClient(app)
    assert client.head("/x").status_code == 200
    assert client.head("/y").status_code == 405
    assert client.options("/x").headers["allow"] == "GET, HEAD, OPTIONS"
    assert client.options("/y").headers["allow"] == "OPTIONS, POST"
    plain = CovetPy()
    plain.get("/x")(nothing)
    assert TestClient(plain).head("/x").status_code == 405


@pytest.mark.parametrize(
    ("path", "asked", "answer"),
    [
        ("/items/{name?}", "/items", "default"),
        ("/items/{name?}", "/items/x", "x"),
        ("/{name?}", "/", "default"),
        ("/{name?}", "/x", "x"),
    ],
)
def test_optional_parameters_have_the_signatures_default(path, asked, answer):
    app = CovetPy()

    @app.get(path)
    def read(name: str = "default"):
        return name

    assert TestClient(app).get(asked).json() == answer


def test_optional_parameters_nest_and_convert():
    app = CovetPy()

    @app.get("/{year:int}/{month:int?}/{day:int?}")
    def read(year: int, month: Annotated[int, Path()] = 1, day: int = 1):
        return [year, month, day]

    client = TestClient(app)
    assert client.get("/2024").json() == [2024, 1, 1]
    assert client.get("/2024/5").json() == [2024, 5, 1]
    assert client.get("/2024/5/6").json() == [2024, 5, 6]
    assert client.get("/2024/x").status_code == 404
    assert app.url_path_for("read", year=2024) == "/2024"
    assert app.url_path_for("read", year=2024, month=5) == "/2024/5"
    with pytest.raises(NoMatchFound):
        app.url_path_for("read", month=5)
    paths = client.get("/openapi.json").json()["paths"]
    assert list(paths) == ["/{year}/{month}/{day}", "/{year}/{month}", "/{year}"]
    assert [each["name"] for each in paths["/{year}"]["get"]["parameters"]] == ["year"]


def test_an_optional_parameter_elsewhere_is_refused():
    with pytest.raises(ValueError, match="Optional parameters must be whole segments"):
        APIRoute("/{a?}/x", nothing)


def test_status_codes_without_a_body_refuse_models():
    with pytest.raises(AssertionError, match="Status code 204 must not have a response body"):
        APIRoute("/", nothing, status_code=204, response_model=int)
    with pytest.raises(AssertionError, match="must not have a response body"):
        APIRoute("/", nothing, responses={304: {"model": int}})
    with pytest.raises(AssertionError, match="An additional response must be a dict"):
        APIRoute("/", nothing, responses={200: 5})


def test_a_body_is_dropped_where_none_may_be():
    app = CovetPy()
    app.get("/x", status_code=204)(nothing)
    assert TestClient(app).get("/x").content == b""


def test_response_models_filter_and_refuse():
    app = CovetPy()

    @app.get("/")
    def read(bad: bool = False) -> list[int]:
        return ["x"] if bad else ["1"]

    client = TestClient(app)
    assert client.get("/").json() == [1]
    with pytest.raises(ResponseValidationError, match="GET /") as raised:
        client.get("/?bad=1")
    assert raised.value.endpoint_function == "read"


def test_an_inline_handler_runs_on_the_loop():
    app = CovetPy()

    @app.get("/", inline=True)
    def read() -> bool:
        return anyio.get_current_task() is not None

    @app.get("/thread")
    def thread() -> bool:
        try:
            anyio.get_current_task()
        except RuntimeError:
            return False
        return True

    client = TestClient(app)
    assert client.get("/").json() is True
    assert client.get("/thread").json() is False


def ask(app, receive, path="/"):
    sent = []

    async def send(message):
        sent.append(message)

    async def main():
        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
        await app(scope, receive, send)

    anyio.run(main)
    return sent


@pytest.mark.parametrize("leaves", [True, False])
def test_a_handler_is_cancelled_when_its_client_leaves(leaves):
    log = []
    app = CovetPy()

    async def dependency():
        yield
        log.append("exit")

    @app.get("/", cancel_on_disconnect=True)
    async def read(value: Annotated[None, Depends(dependency)]):
        await anyio.sleep(30 if leaves else 0.01)
        return "done"

    messages = iter([{"type": "http.request"}])

    async def receive():
        for message in messages:
            return message
        if not leaves:
            await anyio.sleep_forever()
        return {"type": "http.disconnect"}

    sent = ask(app, receive)
    assert sent[0]["status"] == (499 if leaves else 200)
    assert log == ["exit"]


def test_errors_leave_a_cancellable_handler_as_they_are():
    app = CovetPy(cancel_on_disconnect=True)

    @app.get("/")
    async def read():
        raise HTTPException(418)

    async def receive():
        await anyio.sleep(0)
        return {"type": "http.request"}

    assert ask(app, receive)[0]["status"] == 418


def test_included_routers_add_what_they_say():
    log = []
    router = APIRouter(prefix="/r", tags=["r"], responses={404: {"description": "gone"}}, deprecated=True)

    @router.get("/x", tags=["x"])
    def read():
        return log

    app = CovetPy()
    app.include_router(router, prefix="/p", tags=["p"], dependencies=[Depends(lambda: log.append(1))])
    assert TestClient(app).get("/p/r/x").json() == [1]
    operation = app.openapi()["paths"]["/p/r/x"]["get"]
    assert operation["tags"] == ["p", "r", "x"]
    assert operation["deprecated"] is True
    assert "404" in operation["responses"]


def test_routes_added_after_inclusion_work():
    inner, outer, app = APIRouter(), APIRouter(), CovetPy()
    outer.include_router(inner, prefix="/inner")
    app.include_router(outer, prefix="/outer")
    client = TestClient(app)
    assert client.get("/outer/inner/x").status_code == 404
    inner.get("/x")(nothing)
    assert client.get("/outer/inner/x").json() == "x"
    assert "/outer/inner/x" in app.openapi()["paths"]
    inner.routes.clear()
    assert client.get("/outer/inner/x").status_code == 404
    inner.routes = [APIRoute("/y", nothing)]
    assert client.get("/outer/inner/y").json() == "x"


def test_every_kind_of_route_moves_below_the_prefix():
    async def plain(request):
        return PlainTextResponse("plain")

    async def talk(websocket: WebSocket):
        await websocket.accept()
        await websocket.close()

    mounted = CovetPy()
    mounted.get("/m")(nothing)
    hosted = CovetPy()
    hosted.get("/h")(nothing)
    router = APIRouter()
    router.add_route("/plain", plain, name="plain")
    router.add_websocket_route("/ws", talk)
    router.websocket("/api-ws")(talk)
    router.mount("/mount", mounted, name="mounted")
    router.host("example.org", hosted)
    router.routes.append(object.__new__(covet.routing.BaseRoute))
    app = CovetPy()
    app.include_router(router, prefix="/p")
    client = TestClient(app)
    assert client.get("/p/plain").text == "plain"
    assert client.get("/p/mount/m").json() == "x"
    assert client.get("http://example.org/p/h").json() == "x"
    for path in ("/p/ws", "/p/api-ws"):
        with client.websocket_connect(path):
            pass
    assert app.url_path_for("plain") == "/p/plain"
    kinds = {type(each.original_route) for each in iter_route_contexts(app.routes)}
    assert {Route, Mount, Host, APIWebSocketRoute} <= kinds


def test_a_host_without_prefix_is_itself():
    hosted = CovetPy()
    hosted.get("/h")(nothing)
    router = APIRouter()
    router.host("example.org", hosted)
    app = CovetPy()
    app.include_router(router)
    assert TestClient(app).get("http://example.org/h").json() == "x"


def test_places_are_asked_by_name():
    router = APIRouter()
    router.get("/x/{item}", name="item")(nothing)
    app = CovetPy()
    app.include_router(router, prefix="/p")
    assert app.url_path_for("item", item="5") == "/p/x/5"
    with pytest.raises(NoMatchFound):
        app.url_path_for("item")
    with pytest.raises(NoMatchFound):
        app.url_path_for("other")


def test_the_tree_answers_tools_that_ask_every_route():
    router = APIRouter(prefix="/r")
    router.get("/x")(nothing)
    app = CovetPy()
    app.include_router(router, prefix="/p")
    node = app.routes[-1]
    assert (node.path, node.methods, node.name) == ("/p", set(), "") or node.path == "/p"
    scope = {"type": "http", "method": "GET", "path": "/p/r/x"}
    assert node.matches(scope)[0] is Match.FULL
    assert scope["fastapi"] == {}
    assert node.matches({**scope, "method": "PUT"})[0] is Match.PARTIAL
    assert node.matches({**scope, "path": "/q"})[0] is Match.NONE
    assert router.matches(scope)[0] is Match.NONE


def test_the_scope_names_route_and_place():
    seen = {}
    router = APIRouter()

    @router.get("/x")
    def read(request: Request):
        seen.update(request.scope)

    app = CovetPy()
    app.include_router(router, prefix="/p")
    TestClient(app).get("/p/x")
    assert seen["route"] is router.routes[0]
    assert seen["endpoint"] is read
    assert seen["fastapi"]["effective_route_context"].path == "/p/x"


def test_route_contexts_show_the_place():
    router = APIRouter()
    router.get("/x", tags=["a"])(nothing)
    app = CovetPy()
    app.include_router(router, prefix="/p", tags=["b"])
    (context,) = [each for each in iter_route_contexts(app.routes) if each.original_route in router.routes]
    assert (context.path, context.path_format, context.name) == ("/p/x", "/p/x", "nothing")
    assert (context.methods, context.endpoint, context.tags) == ({"GET"}, nothing, ["b", "a"])
    assert list(iter_route_contexts([context])) == [context]
    (plain,) = iter_route_contexts([router.routes[0]])
    assert plain.original_route is router.routes[0]
    assert plain.path == "/x"


def test_wrong_inclusions_are_named():
    router, other = APIRouter(), APIRouter()
    with pytest.raises(AssertionError, match="into itself"):
        router.include_router(router)
    router.include_router(other)
    with pytest.raises(AssertionError, match="already includes this router"):
        other.include_router(router)
    with pytest.raises(AssertionError, match="must start with '/'"):
        router.include_router(APIRouter(), prefix="x")
    with pytest.raises(AssertionError, match="must not end with '/'"):
        APIRouter(prefix="/x/")
    empty = APIRouter()
    empty.get("")(nothing)
    with pytest.raises(FastAPIError, match="Prefix and path cannot be both empty"):
        router.include_router(empty)


def test_custom_route_classes_wrap_handlers_at_every_place():
    class Wrapped(APIRoute):
        def get_route_handler(self):
            handler = super().get_route_handler()

            async def wrapped(request):
                response = await handler(request)
                response.headers["x-wrapped"] = "1"
                return response

            return wrapped

    router = APIRouter(route_class=Wrapped)
    router.get("/x")(nothing)
    app = CovetPy()
    app.include_router(router, prefix="/p")
    assert TestClient(app).get("/p/x").headers["x-wrapped"] == "1"


def test_slashes_are_redirected_unless_told_otherwise():
    for redirects in (True, False):
        app = CovetPy(redirect_slashes=redirects)
        app.get("/x/")(nothing)
        app.get("/y")(nothing)
        client = TestClient(app, follow_redirects=False)
        expected = 307 if redirects else 404
        assert client.get("/x").status_code == expected
        assert client.get("/y/").status_code == expected


def test_replaced_hooks_are_called(monkeypatch):
    app = CovetPy()
    app.get("/")(nothing)
    client = TestClient(app)

    async def replaced(**_: Any):
        return "replaced"

    with monkeypatch.context() as patch:
        patch.setattr(covet.routing, "run_endpoint_function", replaced)
        assert client.get("/").json() == "replaced"
    assert client.get("/").json() == "x"


def test_hooks_may_be_replaced_that_nobody_had():
    covet.routing.something_new = 1
    assert covet.routing.something_new == 1
    del covet.routing.something_new


def test_legacy_start_up_functions_run():
    log = []
    router = APIRouter(
        on_startup=[lambda: log.append("router up")], on_shutdown=[lambda: log.append("router down")]
    )
    app = CovetPy(on_shutdown=[lambda: log.append("down")])

    with pytest.warns(DeprecationWarning, match="on_event is deprecated"):

        @app.on_event("startup")
        async def start():
            log.append("up")

    with pytest.warns(DeprecationWarning, match="on_event is deprecated"):
        router.on_event("shutdown")(nothing)
    app.include_router(router)
    with TestClient(app):
        assert log[:2] == ["up", "router up"]
    assert "down" in log
    assert "router down" in log
    with pytest.raises(AssertionError):
        app.router.add_event_handler("other", nothing)


def test_lifespans_of_included_routers_join():
    @asynccontextmanager
    async def outer(app):
        yield {"a": 1, "b": 1}

    async def inner(app):
        yield {"b": 2, "c": 2}

    def plain(app):
        yield {"d": 3}

    def silent(app):
        yield

    app = CovetPy(lifespan=outer)
    for lifespan in (inner, plain, silent):
        app.include_router(APIRouter(lifespan=lifespan))

    @app.get("/")
    def read(request: Request):
        return {name: getattr(request.state, name) for name in "abcd"}

    with TestClient(app) as client:
        assert client.get("/").json() == {"a": 1, "b": 1, "c": 2, "d": 3}


def test_plain_route_decorators():
    router = APIRouter()

    @router.route("/x", methods=["POST"])
    def read(request):
        return PlainTextResponse("x")

    @router.websocket_route("/ws")
    async def talk(websocket):
        await websocket.accept()
        await websocket.close()

    app = CovetPy()
    app.include_router(router)
    app.websocket_route("/ws2")(talk)
    client = TestClient(app)
    assert client.post("/x").text == "x"
    for path in ("/ws", "/ws2"):
        with client.websocket_connect(path):
            pass


def test_websocket_parameters_are_refused_with_1008():
    from covet.websockets import WebSocketDisconnect

    app = CovetPy()

    @app.websocket("/{item}")
    async def talk(websocket: WebSocket, item: int, q: int): ...

    client = TestClient(app)
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/1"):
        pass
    assert refused.value.code == 1008


def test_response_class_and_status_come_from_the_route_the_router_or_the_app():
    router = APIRouter(default_response_class=PlainTextResponse)
    router.get("/plain")(nothing)
    router.get("/json", response_class=JSONResponse, status_code=201)(nothing)
    app = CovetPy(default_response_class=HTMLResponse)
    app.get("/html")(nothing)
    app.include_router(router)
    client = TestClient(app)
    assert client.get("/plain").headers["content-type"].startswith("text/plain")
    assert client.get("/html").headers["content-type"].startswith("text/html")
    assert client.get("/json").status_code == 201


def test_a_returned_response_takes_the_background_tasks():
    from covet import BackgroundTasks

    log = []
    app = CovetPy()

    @app.get("/")
    def read(tasks: BackgroundTasks):
        tasks.add_task(log.append, 1)
        return Response("x")

    TestClient(app).get("/")
    assert log == [1]


@pytest.mark.parametrize("where", ["app", "router", "include", "route"])
def test_bodies_are_bounded_everywhere(where):
    async def read(request: Request):
        return len(await request.body())

    app = CovetPy(max_body_size=3 if where == "app" else None)
    router = APIRouter(max_body_size=3 if where == "router" else None)
    options = {"max_body_size": 3} if where == "route" else {}
    router.post("/x", **options)(read)
    app.include_router(router, **({"max_body_size": 3} if where == "include" else {}))
    client = TestClient(app)
    assert client.post("/x", content=b"123").json() == 3
    assert client.post("/x", content=b"1234").status_code == 413


@pytest.mark.parametrize("wrong", [-1, True, "3", 1.5])
def test_a_wrong_body_size_is_refused(wrong):
    with pytest.raises(ValueError, match="max_body_size must be a non-negative integer"):
        APIRouter(max_body_size=wrong)


@pytest.mark.parametrize("wrong", [{"max_parts": 1}, {"max_files": -1}, {"max_fields": True}])
def test_wrong_form_limits_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        CovetPy(form_limits=wrong)


def test_form_limits_are_inherited():
    from covet import Form

    def read(a: Annotated[str, Form()]):
        return a

    router = APIRouter(form_limits={"max_fields": 1})
    router.post("/x")(read)
    router.post("/y", form_limits={"max_fields": 2})(read)
    app = CovetPy()
    app.include_router(router)
    client = TestClient(app)
    sent = {"a": "1", "b": "2"}
    assert client.post("/x", data=sent).status_code == 400
    assert client.post("/y", data=sent).json() == "1"


def test_the_deprecated_root_path_warns():
    with pytest.warns(FastAPIDeprecationWarning, match="`root_path` parameter is deprecated"):
        app = CovetPy(root_path="/api")
    assert TestClient(app).get("/openapi.json").json()["servers"] == [{"url": "/api"}]
