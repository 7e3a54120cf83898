"""Requests: what is read from scopes, bodies as streams and as wholes, cookies, disconnects."""

from typing import Any

import anyio
import pytest

from covet.requests import ClientDisconnect, HTTPConnection, Request, cookie_parser
from covet.responses import JSONResponse, PlainTextResponse, Response
from covet.starlette.applications import Starlette
from covet.starlette.routing import Mount, Route
from covet.types import Message

SCOPE: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b"a=1"}


def request_of(*messages: Message, **scope: Any) -> Request:
    left = list(messages)

    async def receive() -> Message:
        return left.pop(0)

    return Request({**SCOPE, **scope}, receive)


def body(data: bytes, more: bool = False) -> Message:
    return {"type": "http.request", "body": data, "more_body": more}


def test_a_connection_is_its_scope() -> None:
    connection = HTTPConnection(dict(SCOPE))
    assert connection["path"] == "/"
    assert len(connection) == len(SCOPE)
    assert dict(connection) == SCOPE
    assert connection != HTTPConnection(connection.scope)
    assert len({connection, connection}) == 1


def test_connections_are_of_two_kinds() -> None:
    with pytest.raises(AssertionError):
        HTTPConnection({"type": "lifespan"})
    with pytest.raises(AssertionError):
        Request({"type": "websocket"})


def test_values_are_read_once() -> None:
    request = request_of(headers=[(b"host", b"h"), (b"cookie", b"a=1; b=2"), (b"cookie", b"a=3")])
    assert request.url is request.url
    assert request.headers is request.headers
    assert request.query_params is request.query_params
    assert request.cookies == {"a": "3", "b": "2"}
    assert request.cookies is request.cookies
    assert request.state is request.state
    assert (request.method, request.path_params, request.client) == ("GET", {}, None)


def test_headers_may_be_forgotten() -> None:
    request = request_of()
    assert request.headers.keys() == []
    request.scope["headers"] = [(b"a", b"b")]
    del request._headers
    assert request.headers["a"] == "b"


def test_requests_of_one_scope_share_its_state() -> None:
    scope = dict(SCOPE)
    Request(scope).state.user = "me"
    assert Request(scope).state.user == "me"
    assert Request(scope).state["user"] == "me"


@pytest.mark.parametrize("name", ["session", "auth", "user"])
def test_what_middleware_sets_needs_the_middleware(name: str) -> None:
    with pytest.raises(AssertionError, match="must be installed"):
        getattr(request_of(), name)


def test_a_foreign_session_is_taken() -> None:
    assert request_of(session={"a": 1}).session == {"a": 1}


def test_the_peer_is_an_address() -> None:
    peer = request_of(client=["h", 1]).client
    assert peer is not None
    assert (peer.host, peer.port) == ("h", 1)


def test_urls_of_names_start_at_the_application(client_for: Any) -> None:
    def endpoint(request: Request) -> JSONResponse:
        return JSONResponse([str(request.url_for("sub:inner")), str(request.base_url), str(request.base_url)])

    inner = Mount("/sub", routes=[Route("/inner", endpoint, name="inner")], name="sub")
    client = client_for(Starlette(routes=[inner]), root_path="/root")
    assert client.get("/root/sub/inner").json() == [
        "http://testserver/root/sub/inner",
        "http://testserver/root/",
        "http://testserver/root/",
    ]


def test_urls_of_names_need_a_router() -> None:
    with pytest.raises(RuntimeError, match="can only be used inside"):
        request_of().url_for("x")


@pytest.mark.anyio
async def test_a_body_is_streamed_once() -> None:
    request = request_of(body(b"a", True), {"type": "other"}, body(b"", True), body(b"b"))
    assert [chunk async for chunk in request.stream()] == [b"a", b"b", b""]
    with pytest.raises(RuntimeError, match="Stream consumed"):
        await request.body()


@pytest.mark.anyio
async def test_a_body_read_whole_stays() -> None:
    request = request_of(body(b'{"a"', True), body(b": 1}"))
    assert await request.json() == {"a": 1}
    assert await request.json() is await request.json()
    assert await request.body() == b'{"a": 1}'
    assert [chunk async for chunk in request.stream()] == [b'{"a": 1}', b""]
    assert request.receive is request._receive


@pytest.mark.anyio
async def test_a_client_that_leaves_ends_the_body() -> None:
    request = request_of(body(b"a", True), {"type": "http.disconnect"})
    with pytest.raises(ClientDisconnect):
        await request.body()
    assert await request.is_disconnected()


@pytest.mark.anyio
async def test_a_disconnect_is_seen_without_waiting() -> None:
    async def never() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    assert not await Request(dict(SCOPE), never).is_disconnected()
    assert await request_of({"type": "http.disconnect"}).is_disconnected()


@pytest.mark.anyio
async def test_a_request_without_channels_says_so() -> None:
    request = Request({**SCOPE, "extensions": {"http.response.push": {}}})
    with pytest.raises(RuntimeError, match="Receive channel has not been made available"):
        await request.body()
    with pytest.raises(RuntimeError, match="Send channel has not been made available"):
        await request.send_push_promise("/x")
    await request.close()


@pytest.mark.anyio
async def test_pushes_and_hints_are_sent_where_the_server_can() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {**SCOPE, "headers": [(b"accept", b"x"), (b"host", b"h")]}
    await Request(scope, send=send).send_push_promise("/p")
    await Request(scope, send=send).send_early_hints("</a>")
    assert sent == []
    able = {**scope, "extensions": {"http.response.push": {}, "http.response.early_hint": {}}}
    await Request(able, send=send).send_push_promise("/p")
    await Request(able, send=send).send_early_hints("</a>", "</b>")
    assert sent == [
        {"type": "http.response.push", "path": "/p", "headers": [(b"accept", b"x")]},
        {"type": "http.response.early_hint", "links": [b"</a>", b"</b>"]},
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=b; c=d", {"a": "b", "c": "d"}),
        ("a=b=c", {"a": "b=c"}),
        ("plain; ; x=", {"": "plain", "x": ""}),
        (r'q="a\"b\054c"', {"q": 'a"b,c'}),
        ('half="x', {"half": '"x'}),
        ("a=1; a=2", {"a": "2"}),
    ],
)
def test_cookies_are_read_as_browsers_write_them(text: str, expected: dict[str, str]) -> None:
    assert cookie_parser(text) == expected


def test_the_application_is_known(client_for: Any) -> None:
    def endpoint(request: Request) -> Response:
        return PlainTextResponse(str(request.app is app))

    app = Starlette(routes=[Route("/", endpoint)])
    assert client_for(app).get("/").text == "True"
