"""The middleware that follow rules: CORS, gzip, hosts, HTTPS, sessions, users, body limits."""

import gzip
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest

from covet.authentication import (
    AuthCredentials,
    AuthenticationBackend,
    AuthenticationError,
    BaseUser,
    SimpleUser,
    UnauthenticatedUser,
    requires,
)
from covet.middleware.authentication import AuthenticationMiddleware
from covet.middleware.body_limit import RequestBodyLimitMiddleware
from covet.middleware.cors import CORSMiddleware
from covet.middleware.gzip import GZipMiddleware, unattached_send
from covet.middleware.httpsredirect import HTTPSRedirectMiddleware
from covet.middleware.sessions import SessionMiddleware
from covet.middleware.trustedhost import TrustedHostMiddleware
from covet.requests import HTTPConnection, Request
from covet.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from covet.starlette.applications import Starlette
from covet.starlette.middleware import Middleware
from covet.starlette.routing import Route, WebSocketRoute
from covet.types import Message
from covet.websockets import WebSocket, WebSocketDisconnect


def app_of(endpoint: Any, middleware: Any, **options: Any) -> Starlette:
    routes = [Route("/", endpoint, methods=["GET", "POST", "DELETE"])]
    return Starlette(routes=routes, middleware=[Middleware(middleware, **options)])


def hello(request: Request) -> Response:
    return PlainTextResponse("hello")


def preflight(client: Any, origin: str = "http://o", method: str = "GET", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.options("/", headers={"Origin": origin, "Access-Control-Request-Method": method, **named})


def test_cors_allows_what_is_listed(client_for: Any) -> None:
    client = client_for(
        app_of(
            hello,
            CORSMiddleware,
            allow_origins=["http://o"],
            allow_origin_regex=r"https://.*\.example",
            allow_methods=["GET", "POST"],
            allow_headers=["X-A"],
            expose_headers=["X-B"],
            allow_credentials=True,
        )
    )
    good = preflight(client, Access_Control_Request_Headers="x-a, Accept")
    assert (good.status_code, good.text) == (200, "OK")
    assert good.headers["access-control-allow-origin"] == "http://o"
    assert good.headers["access-control-allow-methods"] == "GET, POST"
    assert good.headers["access-control-max-age"] == "600"
    assert "X-A" in good.headers["access-control-allow-headers"]
    bad = preflight(client, "http://evil", "PUT", Access_Control_Request_Headers="X-Z")
    assert (bad.status_code, bad.text) == (400, "Disallowed CORS origin, method, headers")
    response = client.get("/", headers={"Origin": "https://a.example"})
    assert response.headers["access-control-allow-origin"] == "https://a.example"
    assert response.headers["access-control-expose-headers"] == "X-B"
    assert response.headers["access-control-allow-credentials"] == "true"
    assert response.headers["vary"] == "Origin"
    other = client.get("/", headers={"Origin": "http://evil"})
    assert "access-control-allow-origin" not in other.headers
    assert client.get("/").headers["vary"] == "Origin"


def test_cors_allows_everything_when_asked(client_for: Any) -> None:
    options: dict[str, Any] = {"allow_origins": ["*"], "allow_methods": ["*"], "allow_headers": ["*"]}
    client = client_for(app_of(hello, CORSMiddleware, **options))
    answer = preflight(client, method="DELETE", Access_Control_Request_Headers="X-Any")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == "X-Any"
    assert preflight(client).headers.get("access-control-allow-headers") is None
    assert client.get("/", headers={"Origin": "http://x"}).headers["access-control-allow-origin"] == "*"
    named = client_for(app_of(hello, CORSMiddleware, allow_credentials=True, **options))
    assert named.get("/", headers={"Origin": "http://x"}).headers["access-control-allow-origin"] == "http://x"
    assert preflight(named).headers["access-control-allow-origin"] == "http://o"


def test_cors_knows_private_networks(client_for: Any) -> None:
    asked = {"Access_Control_Request_Private_Network": "true"}
    refused = preflight(client_for(app_of(hello, CORSMiddleware, allow_origins=["*"])), **asked)
    assert refused.text == "Disallowed CORS private-network"
    app = app_of(hello, CORSMiddleware, allow_origins=["*"], allow_private_network=True)
    assert preflight(client_for(app), **asked).headers["access-control-allow-private-network"] == "true"


def gzip_client(client_for: Any, endpoint: Any, **options: Any) -> Any:
    return client_for(app_of(endpoint, GZipMiddleware, **options), headers={"accept-encoding": "gzip"})


def long(request: Request) -> Response:
    return PlainTextResponse("x" * 4000)


def test_bodies_are_compressed(client_for: Any) -> None:
    response = gzip_client(client_for, long).get("/")
    assert response.text == "x" * 4000
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["vary"] == "Accept-Encoding"
    assert int(response.headers["content-length"]) < 4000
    assert gzip_client(client_for, long, thread_minimum_size=10).get("/").text == "x" * 4000


def test_clients_without_gzip_get_plain_bodies(client_for: Any) -> None:
    client = client_for(app_of(long, GZipMiddleware), headers={"accept-encoding": "identity"})
    response = client.get("/")
    assert "content-encoding" not in response.headers
    assert response.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "response",
    [
        PlainTextResponse("short"),
        PlainTextResponse("x" * 4000, headers={"content-encoding": "br"}),
        Response("x" * 4000, media_type="image/png"),
        Response("x" * 4000, media_type="video/any; x=y"),
        Response("x" * 4000, media_type="application/grpc+proto"),
        Response("x" * 4000, 206),
    ],
)
def test_some_bodies_are_left_alone(client_for: Any, response: Response) -> None:
    async def endpoint(request: Request) -> Response:
        return response

    with gzip_client(client_for, endpoint).stream("GET", "/") as got:
        assert got.headers.get("content-encoding") != "gzip"
        assert b"".join(got.iter_raw()) == bytes(response.body)


def test_streams_are_compressed_piece_by_piece(client_for: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 500

    async def endpoint(request: Request) -> Response:
        return StreamingResponse(pieces(), headers={"content-length": "1500"})

    with gzip_client(client_for, endpoint).stream("GET", "/") as response:
        assert "content-length" not in response.headers
        raw = b"".join(response.iter_raw())
    assert gzip.decompress(raw) == b"x" * 1500


@pytest.mark.anyio
async def test_gzip_passes_what_it_does_not_change(tmp_path: Any) -> None:
    file = tmp_path / "x.txt"
    file.write_text("x" * 1000)
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.early_hint", "links": []})
        await FileResponse(file)(scope, receive, send)

    scope = {
        "type": "http",
        "method": "GET",
        "headers": [(b"accept-encoding", b"gzip")],
        "extensions": {"http.response.pathsend": {}},
    }
    await GZipMiddleware(app)(scope, None, send)  # type: ignore[arg-type]
    kinds = [message["type"].rpartition(".")[2] for message in sent]
    assert kinds == ["early_hint", "start", "pathsend"]
    with pytest.raises(RuntimeError, match="send awaitable not set"):
        await unattached_send({})


def test_trailers_leave_no_length(client_for: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        head = [(b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": head, "trailers": True})
        await send({"type": "http.response.body", "body": b"x" * 1000})
        await send({"type": "http.response.trailers", "headers": [(b"a", b"b")]})

    response = client_for(GZipMiddleware(app), headers={"accept-encoding": "gzip"}).get("/")
    assert response.content == b"x" * 1000
    assert "content-length" not in response.headers


@pytest.mark.parametrize(
    ("host", "status"),
    [("example.org", 200), ("A.Example.Org:80", 200), ("evil.org", 400), ("[::1]", 400), ("a b", 400)],
)
def test_hosts_are_checked(client_for: Any, host: str, status: int) -> None:
    app = app_of(hello, TrustedHostMiddleware, allowed_hosts=["example.org", "*.example.org"])
    assert client_for(app).get("/", headers={"host": host}).status_code == status


def test_a_host_is_sent_to_its_www_name(client_for: Any) -> None:
    options = {"allowed_hosts": ["www.example.org"]}
    client = client_for(app_of(hello, TrustedHostMiddleware, **options), follow_redirects=False)
    response = client.get("/?a=b", headers={"host": "example.org"})
    assert response.headers["location"] == "http://www.example.org/?a=b"
    strict = client_for(app_of(hello, TrustedHostMiddleware, www_redirect=False, **options))
    assert strict.get("/", headers={"host": "example.org"}).status_code == 400


def test_host_patterns_are_checked() -> None:
    for pattern in ("a*", "*example.org", "a.*.org"):
        with pytest.raises(AssertionError, match="Domain wildcard patterns"):
            TrustedHostMiddleware(hello, [pattern])  # type: ignore[arg-type]


def test_any_host_may_pass(client_for: Any) -> None:
    assert client_for(app_of(hello, TrustedHostMiddleware)).get("/").status_code == 200


@pytest.mark.parametrize(
    ("base", "location"),
    [
        ("http://h", "https://h/"),
        ("http://h:80", "https://h/"),
        ("http://h:443", "https://h/"),
        ("http://h:123", "https://h:123/"),
    ],
)
def test_plain_requests_are_redirected(client_for: Any, base: str, location: str) -> None:
    client = client_for(app_of(hello, HTTPSRedirectMiddleware), base_url=base, follow_redirects=False)
    response = client.get("/")
    assert (response.status_code, response.headers["location"]) == (307, location)
    secure = client_for(app_of(hello, HTTPSRedirectMiddleware), base_url="https://h")
    assert secure.get("/").status_code == 200


@pytest.mark.anyio
async def test_a_redirect_needs_a_host() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "scheme": "http", "path": "/", "headers": []}
    await HTTPSRedirectMiddleware(hello)(scope, None, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == 400


async def session_endpoint(request: Request) -> Response:
    change = request.query_params.get("do", "")
    session = request.session if change != "leave" else {}
    if change == "set":
        session["a"] = 1
    elif change == "clear":
        session.clear()
    elif change == "pop":
        session.pop("a", None)
        session.pop("missing", None)
    elif change == "popitem":
        session.popitem()
    elif change == "more":
        session.setdefault("b", 2)
        session.setdefault("b", 3)
        session |= {"c": 4}
        session.update(d=5)
        del session["d"]
    return JSONResponse(dict(session))


def test_sessions_last(client_for: Any) -> None:
    client = client_for(app_of(session_endpoint, SessionMiddleware, secret_key="s"))
    assert client.get("/").json() == {}
    assert "set-cookie" not in client.get("/").headers
    answer = client.get("/?do=set")
    assert answer.json() == {"a": 1}
    assert "; path=/; Max-Age=1209600; httponly; samesite=lax" in answer.headers["set-cookie"]
    assert answer.headers["vary"] == "Cookie"
    assert client.get("/").json() == {"a": 1}
    assert client.get("/?do=more").json() == {"a": 1, "b": 2, "c": 4}
    assert client.get("/?do=pop").json() == {"b": 2, "c": 4}
    assert client.get("/?do=popitem").json() == {"b": 2}
    assert "vary" not in client.get("/?do=leave").headers
    cleared = client.get("/?do=clear")
    assert "session=null; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT;" in cleared.headers["set-cookie"]
    assert client.get("/").json() == {}


def test_session_cookies_have_options(client_for: Any) -> None:
    app = app_of(
        session_endpoint,
        SessionMiddleware,
        secret_key="s",
        session_cookie="c",
        max_age=None,
        path="/p",
        same_site="strict",
        https_only=True,
        domain=".example.org",
        partitioned=True,
    )
    cookie = client_for(app, base_url="https://h").get("/?do=set").headers["set-cookie"]
    assert cookie.startswith("c=")
    assert cookie.endswith("; path=/p; httponly; samesite=strict; secure; domain=.example.org; partitioned")


def test_a_forged_session_is_empty(client_for: Any) -> None:
    client = client_for(app_of(session_endpoint, SessionMiddleware, secret_key="s"))
    forged = b64encode(json.dumps({"a": 1}).encode()).decode() + ".x.y"
    assert client.get("/", headers={"cookie": f"session={forged}"}).json() == {}


class Backend(AuthenticationBackend):
    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        name = conn.headers.get("x-user")
        if name == "bad":
            raise AuthenticationError("bad user")
        return None if name is None else (AuthCredentials(["known"]), SimpleUser(name))


@requires("known")
async def private(request: Request) -> Response:
    user = request.user
    return PlainTextResponse(f"{user.display_name} {user.identity} {user.is_authenticated}")


@requires(["known", "admin"], status_code=404)
def hidden(request: Request) -> Response:
    raise AssertionError


@requires("known", redirect="home")
def redirected(request: Request) -> Response:
    return PlainTextResponse("in")


@requires("known")
async def socket(other: Any = None, websocket: Any = None) -> None:
    await websocket.accept()
    await websocket.send_text(websocket.user.display_name)


async def private_socket(websocket: WebSocket) -> None:
    await socket(websocket=websocket)


def users_app(**options: Any) -> Starlette:
    routes: list[Any] = [
        Route("/", hello, name="home"),
        Route("/private", private),
        Route("/hidden", hidden),
        Route("/redirected", redirected),
        WebSocketRoute("/ws", private_socket),
    ]
    return Starlette(routes=routes, middleware=[Middleware(AuthenticationMiddleware, Backend(), **options)])


def test_users_are_found_and_asked_for(client_for: Any) -> None:
    client = client_for(users_app())
    user = {"x-user": "ann"}
    assert client.get("/private", headers=user).text == "ann ann True"
    assert client.get("/private").status_code == 403
    assert client.get("/hidden", headers=user).status_code == 404
    assert client.get("/redirected", headers=user).text == "in"
    away = client.get("/redirected?a=b", follow_redirects=False)
    assert away.status_code == 303
    assert away.headers["location"].startswith("http://testserver/?next=http%3A%2F%2Ftestserver%2Fredirected")
    with client.websocket_connect("/ws", headers=dict(user)) as session:
        assert session.receive_text() == "ann"
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws"):
        pass


def test_users_that_are_refused(client_for: Any) -> None:
    bad = {"x-user": "bad"}
    client = client_for(users_app())
    refused = client.get("/", headers=bad)
    assert (refused.status_code, refused.text) == (400, "bad user")
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws", headers=dict(bad)):
        pass
    own = client_for(users_app(on_error=lambda conn, exc: JSONResponse(str(exc), 401)))
    assert own.get("/", headers=bad).json() == "bad user"


def test_requires_needs_a_connection() -> None:
    with pytest.raises(Exception, match='No "request" or "websocket" argument'):
        requires("x")(lambda other: None)
    with pytest.raises(AssertionError, match="of type 'Request' not 'str'"):
        hidden("text")


def test_users_must_be_written() -> None:
    nobody = UnauthenticatedUser()
    assert (nobody.is_authenticated, nobody.display_name, nobody.identity) == (False, "", "")
    for name in ("is_authenticated", "display_name", "identity"):
        with pytest.raises(NotImplementedError):
            getattr(BaseUser(), name)


@pytest.mark.anyio
async def test_a_backend_must_be_written() -> None:
    with pytest.raises(NotImplementedError):
        await AuthenticationBackend().authenticate(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "middleware",
    [
        CORSMiddleware(hello),  # type: ignore[arg-type]
        GZipMiddleware(hello),  # type: ignore[arg-type]
        TrustedHostMiddleware(hello, ["x"]),  # type: ignore[arg-type]
        HTTPSRedirectMiddleware(hello),  # type: ignore[arg-type]
        SessionMiddleware(hello, "s"),  # type: ignore[arg-type]
        AuthenticationMiddleware(hello, Backend()),  # type: ignore[arg-type]
        RequestBodyLimitMiddleware(hello, 1),  # type: ignore[arg-type]
    ],
    ids=lambda middleware: type(middleware).__name__,
)
@pytest.mark.anyio
async def test_lifespans_pass(middleware: Any) -> None:
    passed: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope)

    middleware.app = app
    await middleware({"type": "lifespan"}, None, None)
    assert passed == [{"type": "lifespan"}]


def limited(endpoint: Any, limit: int = 4) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await endpoint(Request(scope, receive, send), send)

    return RequestBodyLimitMiddleware(app, limit)


async def respond(send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


def test_a_declared_length_is_refused_even_unread(client_for: Any) -> None:
    async def unread(request: Request, send: Any) -> None:
        await respond(send)

    client = client_for(limited(unread))
    assert client.post("/", content=b"1234").text == "ok"
    assert client.post("/", content=b"12345").status_code == 413
    assert client.post("/", headers={"content-length": "odd"}).text == "ok"


def test_a_body_without_length_is_counted(client_for: Any) -> None:
    async def read(request: Request, send: Any) -> None:
        await request.body()
        await respond(send)

    async def begun(request: Request, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await request.body()

    content = [b"123", b"45"]
    assert client_for(limited(read)).post("/", content=iter(content)).status_code == 413
    with pytest.raises(Exception, match="413"):
        client_for(limited(begun)).post("/", content=iter(content))


def test_an_inner_limit_is_in_force(client_for: Any) -> None:
    async def read(request: Request, send: Any) -> None:
        await request.body()
        await respond(send)

    async def late(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await limited(read, 2)(scope, receive, send)

    wide = RequestBodyLimitMiddleware(limited(read, 10), 2)
    assert client_for(wide).post("/", content=b"12345").text == "ok"
    assert client_for(RequestBodyLimitMiddleware(late, 10)).post("/", content=b"12345").status_code == 413
