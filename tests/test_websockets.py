"""WebSocket sessions: the order of messages, text, bytes and JSON, refusals, endings."""

import re
from typing import Any

import pytest

from covet.responses import PlainTextResponse
from covet.testclient import WebSocketDenialResponse
from covet.types import Message
from covet.websockets import (
    WebSocket,
    WebSocketClose,
    WebSocketDisconnect,
    WebSocketDisconnected,
    WebSocketState,
)


def app_of(converse: Any) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await converse(WebSocket(scope, receive, send))

    return app


def session(
    *incoming: Message, sending: Exception | None = None, **scope: Any
) -> tuple[WebSocket, list[Message]]:
    messages = list(incoming)
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        if sending is not None and message["type"] == "websocket.send":
            raise sending
        sent.append(message)

    return WebSocket({"type": "websocket", **scope}, receive, send), sent


CONNECT = {"type": "websocket.connect"}


def test_messages_go_both_ways(client_for: Any) -> None:
    async def converse(websocket: WebSocket) -> None:
        await websocket.accept("chat", headers=[(b"a", b"b")])
        await websocket.send_text((await websocket.receive_text()).upper())
        await websocket.send_bytes((await websocket.receive_bytes())[::-1])
        await websocket.send_json(await websocket.receive_json())
        await websocket.send_json(await websocket.receive_json("binary"), "binary")
        await websocket.close(4000, "enough")

    with client_for(app_of(converse)).websocket_connect("/", subprotocols=["chat", "x"]) as client:
        assert client.accepted_subprotocol == "chat"
        assert client.extra_headers == [(b"a", b"b")]
        client.send_text("hi")
        assert client.receive_text() == "HI"
        client.send_bytes(b"ab")
        assert client.receive_bytes() == b"ba"
        client.send_json({"a": 1})
        assert client.receive_json() == {"a": 1}
        client.send_json([1], mode="binary")
        assert client.receive_json(mode="binary") == [1]
        with pytest.raises(WebSocketDisconnect) as ended:
            client.receive_text()
    assert (ended.value.code, ended.value.reason) == (4000, "enough")


@pytest.mark.parametrize("kind", ["text", "bytes", "json"])
def test_messages_are_iterated_until_the_client_leaves(client_for: Any, kind: str) -> None:
    got: list[Any] = []

    async def converse(websocket: WebSocket) -> None:
        await websocket.accept()
        async for data in getattr(websocket, f"iter_{kind}")():
            got.append(data)

    data: Any = {"text": "x", "bytes": b"x", "json": {"x": 1}}[kind]
    with client_for(app_of(converse)).websocket_connect("/") as client:
        getattr(client, f"send_{kind}")(data)
    assert got == [data]


def test_a_session_is_refused(client_for: Any) -> None:
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        client_for(WebSocketClose(1001, "away")).websocket_connect("/"),
    ):
        pass
    assert (refused.value.code, refused.value.reason) == (1001, "away")


def test_a_session_is_refused_with_a_response(client_for: Any) -> None:
    async def converse(websocket: WebSocket) -> None:
        await websocket.receive()
        await websocket.send_denial_response(PlainTextResponse("no", 401, headers={"x": "y"}))
        assert websocket.application_state is WebSocketState.DISCONNECTED

    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        client_for(app_of(converse)).websocket_connect("/"),
    ):
        pass
    assert (refused.value.status_code, refused.value.text, refused.value.headers["x"]) == (401, "no", "y")


@pytest.mark.anyio
async def test_a_server_without_refusals_says_so() -> None:
    websocket, _ = session(CONNECT)
    with pytest.raises(RuntimeError, match="doesn't support the Websocket Denial Response"):
        await websocket.send_denial_response(PlainTextResponse("no"))


@pytest.mark.anyio
async def test_what_comes_out_of_order_is_refused() -> None:
    websocket, _ = session({"type": "odd"})
    with pytest.raises(RuntimeError, match="but got 'odd'"):
        await websocket.accept()
    websocket, _ = session(CONNECT, {"type": "odd"})
    await websocket.accept()
    with pytest.raises(RuntimeError, match=re.escape('Expected ASGI message "websocket.receive" or')):
        await websocket.receive()


@pytest.mark.anyio
async def test_what_goes_out_of_order_is_refused() -> None:
    websocket, _ = session(CONNECT)
    with pytest.raises(RuntimeError, match=re.escape('Expected ASGI message "websocket.accept"')):
        await websocket.send_text("x")
    await websocket.accept()
    with pytest.raises(RuntimeError, match=re.escape('Expected ASGI message "websocket.send" or')):
        await websocket.send({"type": "websocket.accept"})
    await websocket.close()
    with pytest.raises(WebSocketDisconnected, match=re.escape('Cannot call "send"')):
        await websocket.send_text("x")
    websocket, _ = session(CONNECT)
    await websocket.send({"type": "websocket.http.response.start"})
    with pytest.raises(RuntimeError, match=re.escape('Expected ASGI message "websocket.http.response.body"')):
        await websocket.send({"type": "websocket.send"})
    await websocket.send({"type": "websocket.http.response.body", "more_body": True})
    assert websocket.application_state is WebSocketState.RESPONSE


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["receive_text", "receive_bytes", "receive_json"])
async def test_a_session_is_accepted_first(name: str) -> None:
    websocket, _ = session(CONNECT)
    with pytest.raises(WebSocketDisconnected, match=re.escape('Need to call "accept" first')):
        await getattr(websocket, name)()


@pytest.mark.anyio
async def test_a_client_that_left_is_not_read_again() -> None:
    websocket, _ = session(CONNECT, {"type": "websocket.disconnect", "code": 1001})
    await websocket.accept()
    with pytest.raises(WebSocketDisconnect) as left:
        await websocket.receive_text()
    assert left.value.code == 1001
    with pytest.raises(WebSocketDisconnected, match=re.escape('Cannot call "receive"')):
        await websocket.receive()


@pytest.mark.anyio
async def test_a_lost_connection_is_seen_when_sending() -> None:
    websocket, _ = session(CONNECT, sending=OSError())
    await websocket.accept()
    with pytest.raises(WebSocketDisconnect) as lost:
        await websocket.send_text("x")
    assert lost.value.code == 1006


@pytest.mark.anyio
async def test_json_has_two_modes() -> None:
    websocket, _ = session(CONNECT)
    for call in (websocket.send_json({}, "odd"), websocket.receive_json("odd")):
        with pytest.raises(RuntimeError, match='The "mode" argument should be'):
            await call


def test_a_session_needs_a_websocket_scope() -> None:
    with pytest.raises(AssertionError):
        WebSocket({"type": "http"}, None, None)  # type: ignore[arg-type]
