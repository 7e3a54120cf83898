"""Patterns, routes, mounts, hosts and routers: what fits, what answers, names and their paths."""

import functools
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from covet._engine import generation
from covet.requests import Request
from covet.responses import JSONResponse, PlainTextResponse, Response
from covet.routing.convertors import CONVERTOR_TYPES, Convertor, register_url_convertor
from covet.routing.matching import Match, NoMatchFound, compile_path, get_name, replace_params
from covet.routing.route_list import RouteList
from covet.starlette.applications import Starlette
from covet.starlette.endpoints import HTTPEndpoint
from covet.starlette.middleware import Middleware
from covet.starlette.routing import BaseRoute, Host, Mount, Route, Router, WebSocketRoute
from covet.websockets import WebSocket, WebSocketDisconnect


def show(request: Request) -> JSONResponse:
    params = {name: str(value) for name, value in request.path_params.items()}
    return JSONResponse({"params": params, "path": request.url.path})


async def talk(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_json(websocket.path_params)
    await websocket.close()


UUID = "ec38df32-ceda-4cfa-9b4a-1aeb94ad551a"


@pytest.mark.parametrize(
    ("pattern", "path", "params"),
    [
        ("/a/{b}", "/a/x", {"b": "x"}),
        ("/a/{b:int}.{c}", "/a/7.txt", {"b": "7", "c": "txt"}),
        ("/{p:path}/end", "/a/b/end", {"p": "a/b"}),
        ("/{f:float}", "/1.50", {"f": "1.5"}),
        ("/{u:uuid}", f"/{UUID}", {"u": UUID}),
    ],
)
def test_parameters_are_taken_from_the_path(
    client_for: Any, pattern: str, path: str, params: dict[str, str]
) -> None:
    response = client_for(Starlette(routes=[Route(pattern, show)])).get(path)
    assert response.json()["params"] == params


@pytest.mark.parametrize(
    ("pattern", "path"), [("/{a:int}", "/x"), ("/{a}", "/x/y"), ("/{a:float}", "/1."), ("/a.b", "/axb")]
)
def test_what_does_not_fit_is_not_found(client_for: Any, pattern: str, path: str) -> None:
    assert client_for(Starlette(routes=[Route(pattern, show)])).get(path).status_code == 404


def test_patterns_are_checked() -> None:
    with pytest.raises(AssertionError, match="Unknown path convertor 'odd'"):
        compile_path("/{a:odd}")
    with pytest.raises(ValueError, match="Duplicated param names a, b at path"):
        compile_path("/{a}/{b}/{a}/{b}")
    with pytest.raises(ValueError, match="Duplicated param name a at path"):
        compile_path("/{a}/{a}")
    for make in (Route, WebSocketRoute):
        with pytest.raises(AssertionError, match="must start with '/'"):
            make("x", show)


def test_parameters_are_filled_in() -> None:
    _, path_format, convertors = compile_path("/{a}/{b:int}")
    assert replace_params(path_format, convertors, {"a": "x", "c": 1}) == ("/x/{b}", {"c": 1})
    assert replace_params(path_format, convertors, {}) == ("/{a}/{b}", {})


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("str", "a", "a"),
        ("path", "a/b", "a/b"),
        ("int", 5, "5"),
        ("float", 25.5, "25.5"),
        ("float", 1e-7, "0.0000001"),
        ("uuid", uuid.UUID(UUID), UUID),
    ],
)
def test_values_become_text(kind: str, value: Any, text: str) -> None:
    convertor = CONVERTOR_TYPES[kind]
    assert convertor.to_string(value).startswith(text)
    assert convertor.convert(text) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("str", ""),
        ("str", "a/b"),
        ("int", -1),
        ("float", -1.0),
        ("float", float("nan")),
        ("float", float("inf")),
    ],
)
def test_values_that_no_path_holds_are_refused(kind: str, value: Any) -> None:
    with pytest.raises(AssertionError):
        CONVERTOR_TYPES[kind].to_string(value)


@pytest.fixture
def hex_convertor() -> Iterator[None]:
    class Hex(Convertor[int]):
        regex = "[0-9a-f]+"

        def convert(self, value: str) -> int:
            return int(value, 16)

        def to_string(self, value: int) -> str:
            return f"{value:x}"

    register_url_convertor("hex", Hex())
    yield
    del CONVERTOR_TYPES["hex"]


@pytest.mark.usefixtures("hex_convertor")
def test_convertors_are_added(client_for: Any) -> None:
    app = Starlette(routes=[Route("/{n:hex}", show, name="n")])
    assert client_for(app).get("/ff").json()["params"] == {"n": "255"}
    assert app.url_path_for("n", n=255) == "/ff"


def test_a_convertor_must_be_written() -> None:
    convertor: Convertor[int] = Convertor()
    with pytest.raises(NotImplementedError):
        convertor.convert("")
    with pytest.raises(NotImplementedError):
        convertor.to_string(1)


def test_the_first_route_wins(client_for: Any) -> None:
    routes = [
        Route("/{a}", lambda r: PlainTextResponse("first")),
        Route("/b", lambda r: PlainTextResponse("second")),
    ]
    assert client_for(Starlette(routes=routes)).get("/b").text == "first"


def test_methods_are_kept_apart(client_for: Any) -> None:
    routes = [Route("/", show), Route("/", lambda r: PlainTextResponse("made"), methods=["post"])]
    client = client_for(Starlette(routes=routes))
    assert client.post("/").text == "made"
    assert client.head("/").status_code == 200
    refused = client.delete("/")
    assert (refused.status_code, refused.text) == (405, "Method Not Allowed")
    assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_a_route_alone_is_an_application(client_for: Any) -> None:
    client = client_for(Route("/a", show))
    assert client.get("/a").status_code == 200
    assert client.post("/a").status_code == 405
    assert client.get("/b").status_code == 404
    with pytest.raises(WebSocketDisconnect), client_for(WebSocketRoute("/a", talk)).websocket_connect("/b"):
        pass


def test_a_router_alone_is_an_application(client_for: Any) -> None:
    client = client_for(Router([Route("/a", show)]))
    assert client.get("/b").text == "Not Found"
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/a"):
        pass


@pytest.mark.parametrize(("pattern", "asked"), [("/a", "/a/"), ("/a/", "/a")])
def test_a_slash_is_redirected(client_for: Any, pattern: str, asked: str) -> None:
    app = Starlette(routes=[Route(pattern, show)])
    response = client_for(app).get(asked + "?x=1", follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (307, f"http://testserver{pattern}?x=1")
    app.router.redirect_slashes = False
    assert client_for(app).get(asked).status_code == 404


def test_endpoints_are_partials_methods_and_classes(client_for: Any) -> None:
    class Things:
        async def get(self, request: Request) -> Response:
            return PlainTextResponse("method")

    class Thing(HTTPEndpoint):
        def get(self, request: Request) -> Response:
            return PlainTextResponse("class")

    async def greet(greeting: str, request: Request) -> Response:
        return PlainTextResponse(greeting)

    routes = [
        Route("/partial", functools.partial(greet, "hello"), name="p"),
        Route("/method", Things().get),
        Route("/class", Thing),
    ]
    client = client_for(Starlette(routes=routes))
    assert [client.get(f"/{name}").text for name in ("partial", "method", "class")] == [
        "hello",
        "method",
        "class",
    ]
    assert get_name(Thing) == "Thing"
    assert get_name(functools.partial(greet)) == "partial"


def test_websockets_have_routes(client_for: Any) -> None:
    app = Starlette(routes=[WebSocketRoute("/{room}", talk, name="room")])
    with client_for(app).websocket_connect("/a") as session:
        assert session.receive_json() == {"room": "a"}
    assert app.url_path_for("room", room="b").protocol == "websocket"
    with pytest.raises(NoMatchFound):
        app.url_path_for("room")


def test_mounts_move_the_root(client_for: Any) -> None:
    def root(request: Request) -> JSONResponse:
        scope = request.scope
        return JSONResponse([scope["root_path"], scope["app_root_path"], request.path_params])

    inner = Mount("/in/{id:int}", routes=[Route("/x", root, name="x")], name="inner")
    app = Starlette(routes=[Mount("/out", app=Router([inner]), name="outer")])
    assert client_for(app, root_path="/r").get("/r/out/in/5/x").json() == ["/r/out/in/5", "/r", {"id": 5}]
    assert app.url_path_for("outer:inner:x", id=7) == "/out/in/7/x"
    assert app.url_path_for("outer", path="/some/file") == "/out/some/file"
    for name, params in [("outer:none", {}), ("outer", {}), ("none", {}), ("outer", {"path": "a", "b": "c"})]:
        with pytest.raises(NoMatchFound):
            app.url_path_for(name, **params)


def test_a_mount_without_a_name_is_passed_through() -> None:
    mount = Mount("/m", routes=[Route("/{path:path}", show, name="f")])
    assert mount.url_path_for("f", path="a/b") == "/m/a/b"


def test_a_mount_needs_something_to_mount() -> None:
    with pytest.raises(AssertionError, match="Either 'app"):
        Mount("/x")
    with pytest.raises(AssertionError, match="must start with"):
        Mount("x", routes=[])
    assert Mount("/x", app=show).routes == []
    assert Mount("/x", routes=[]).matches({"type": "lifespan"}) == (Match.NONE, {})


def test_hosts_are_kept_apart(client_for: Any) -> None:
    api = Router([Route("/", lambda r: PlainTextResponse(r.path_params["sub"]), name="home")])
    app = Starlette(
        routes=[Host("{sub}.example.org:80", api, name="api"), Route("/", lambda r: PlainTextResponse("x"))]
    )
    assert client_for(app, base_url="http://WWW.Example.org:9/").get("/").text == "www"
    assert client_for(app, base_url="http://other/").get("/").text == "x"
    assert client_for(app).get("/", headers={"host": "a b"}).text == "x"
    url = app.url_path_for("api:home", sub="s")
    assert (url, url.host) == ("/", "s.example.org:80")
    assert app.url_path_for("api", sub="s", path="/p").host == "s.example.org:80"
    for name, params in [("api:none", {"sub": "s"}), ("api", {}), ("api", {"path": "/", "other": "1"})]:
        with pytest.raises(NoMatchFound):
            app.url_path_for(name, **params)
    assert Host("h", api).matches({"type": "lifespan"}) == (Match.NONE, {})
    with pytest.raises(AssertionError):
        Host("/h", api)


def test_an_ipv6_host_is_a_host() -> None:
    regex, _, _ = compile_path("[::1]")
    assert regex.match("[::1]")


def test_routes_are_shown_and_compared() -> None:
    assert repr(Route("/a", show)) == "Route(path='/a', name='show', methods=['GET', 'HEAD'])"
    assert repr(WebSocketRoute("/a", talk)) == "WebSocketRoute(path='/a', name='talk')"
    assert repr(Mount("/a", app=show, name="m")).startswith("Mount(path='/a', name='m', app=")
    assert repr(Host("h", show)).startswith("Host(host='h', name='', app=")
    pairs: list[tuple[Any, Any]] = [
        (Route("/a", show), Route("/a", show)),
        (WebSocketRoute("/a", talk), WebSocketRoute("/a", talk)),
        (Mount("/a", app=show), Mount("/a", app=show)),
        (Host("h", show), Host("h", show)),
        (Router([Route("/a", show)]), Router([Route("/a", show)])),
    ]
    for place, (one, other) in enumerate(pairs):
        assert one == other
        assert one != pairs[place - 1][0]


def test_a_route_must_be_written() -> None:
    with pytest.raises(NotImplementedError):
        BaseRoute().matches({})
    with pytest.raises(NotImplementedError):
        BaseRoute().url_path_for("x")


@pytest.mark.anyio
async def test_a_route_must_be_handled() -> None:
    with pytest.raises(NotImplementedError):
        await BaseRoute().handle({}, None, None)  # type: ignore[arg-type]


def test_middleware_surrounds_a_route_a_mount_and_a_router(client_for: Any) -> None:
    class Mark:
        def __init__(self, app: Any, name: str) -> None:
            self.app, self.name = app, name

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("marks", []).append(self.name)
            await self.app(scope, receive, send)

    def marks(request: Request) -> JSONResponse:
        return JSONResponse(request.scope["marks"])

    async def ws_marks(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json(websocket.scope["marks"])

    def named(*names: str) -> list[Middleware]:
        return [Middleware(Mark, name=name) for name in names]

    routes = [
        Route("/r", marks, middleware=named("1", "2")),
        WebSocketRoute("/w", ws_marks, middleware=named("3")),
    ]
    app = Router([Mount("/m", routes=routes, middleware=named("m"))], middleware=named("r"))
    client = client_for(app)
    assert client.get("/m/r").json() == ["r", "m", "1", "2"]
    with client.websocket_connect("/m/w") as session:
        assert session.receive_json() == ["r", "m", "3"]


def test_every_change_of_the_routes_is_announced(client_for: Any) -> None:
    app = Starlette()
    route = Route("/a", show)
    changes: list[Any] = [
        lambda: app.routes.append(route),
        lambda: app.routes.insert(0, route),
        lambda: app.routes.pop(),
        lambda: app.routes.extend([route]),
        lambda: app.routes.reverse(),
        lambda: app.routes.sort(key=id),
        lambda: app.routes.__setitem__(0, route),
        lambda: app.routes.__delitem__(0),
        lambda: app.routes.__iadd__([route]),
        lambda: app.routes.__imul__(1),
        lambda: app.routes.remove(route),
        lambda: app.routes.clear(),
        lambda: setattr(app.router, "routes", [route]),
        lambda: setattr(route, "path", "/b"),
        lambda: delattr(route, "path"),
    ]
    for change in changes:
        before = generation()
        change()
        assert generation() > before
    assert isinstance(app.router.routes, RouteList)


def test_routes_are_added_later(client_for: Any) -> None:
    app = Starlette()
    client = client_for(app)
    assert client.get("/a").status_code == 404
    app.add_route("/a", show)
    app.router.add_websocket_route("/w", talk)
    app.mount("/m", Router([Route("/x", show)]))
    app.host("other", Router([Route("/h", show)]))
    assert client.get("/a").status_code == client.get("/m/x").status_code == 200
    assert client.get("/h", headers={"host": "other"}).status_code == 200
    with client.websocket_connect("/w") as session:
        assert session.receive_json() == {}


def test_outer_code_sees_which_route_answered(client_for: Any) -> None:
    seen: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await inner(scope, receive, send)
        seen.update(scope)

    route = Route("/a/{b}", show)
    inner = Starlette(routes=[route])
    client_for(app).get("/a/1")
    assert seen["route"] is route
    assert seen["endpoint"] is show
    assert seen["path_params"] == {"b": "1"}
    assert (seen["app"], seen["router"]) == (inner, inner.router)


def test_bodies_are_limited_by_route_mount_router_and_application(client_for: Any) -> None:
    async def size(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    def route(limit: int | None = None) -> Route:
        return Route("/", size, methods=["POST"], max_body_size=limit)

    apps = [
        Starlette(routes=[route(3)]),
        Starlette(routes=[Mount("/", routes=[route()], max_body_size=3)]),
        Router([route()], max_body_size=3),
        Starlette(routes=[route()], max_body_size=3),
        Starlette(routes=[route(3)], max_body_size=100),
    ]
    for app in apps:
        client = client_for(app)
        assert client.post("/", content=b"abc").text == "3"
        refused = client.post("/", content=b"abcd")
        assert (refused.status_code, refused.text) == (413, "Content Too Large")
