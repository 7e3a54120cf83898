"""The Python path of the socket door: scope, `receive` and `send` as ASGI 3 has them."""

import asyncio
import threading
import time
from typing import Any

import pytest


async def answer(send: Any, body: bytes = b"", status: int = 200, headers: Any = ()) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})


def test_the_scope_is_a_dict_with_uvicorns_keys(serve: Any) -> None:
    seen: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)
        await answer(send)

    server = serve(app, root_path="/root", state={"a": 1}, scheme="https")
    server.get("/a%20b?c=d", x_field="value")
    assert seen["type"] == "http"
    assert seen["asgi"]["version"] == "3.0"
    assert (seen["http_version"], seen["method"], seen["scheme"]) == ("1.1", "GET", "https")
    assert (seen["path"], seen["raw_path"], seen["query_string"]) == ("/root/a b", b"/root/a%20b", b"c=d")
    assert (seen["root_path"], seen["state"]) == ("/root", {"a": 1})
    assert seen["server"] == ("127.0.0.1", server.port)
    assert seen["client"][0] == "127.0.0.1"
    assert (b"x-field", b"value") in seen["headers"]


def test_a_body_is_received_in_pieces(serve: Any) -> None:
    messages: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            messages.append(await receive())
            more = messages[-1]["more_body"]
        await answer(send)

    server = serve(app)
    with server.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
        time.sleep(0.05)
        connection.sendall(b"2\r\nde\r\n0\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    assert b"".join(message["body"] for message in messages) == b"abcde"
    assert len(messages) >= 2


def test_a_whole_answer_goes_out_in_one_piece(serve: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, b"hello", headers=[(b"content-length", b"5")])

    with serve(app).connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        time.sleep(0.05)
        assert connection.recv(1000).endswith(b"\r\n\r\nhello")


def test_a_stream_waits_for_its_reader(serve: Any) -> None:
    sent = [0]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(400):
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
            sent[0] += 1
        await send({"type": "http.response.body"})

    with serve(app).connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        time.sleep(0.3)
        assert sent[0] < 300
        total = 0
        while piece := connection.recv(1 << 20):
            total += len(piece)
    assert total > 400 * 65536


def test_receive_tells_of_a_disconnect(serve: Any) -> None:
    seen: list[str] = []
    done = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        seen.append((await receive())["type"])
        done.set()

    with serve(app).connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        time.sleep(0.05)
    assert done.wait(5)
    assert seen == ["http.disconnect"]


def test_receive_after_the_answer_is_a_disconnect(serve: Any) -> None:
    seen: list[str] = []
    done = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        await answer(send)
        seen.append((await waiting)["type"])
        seen.append((await receive())["type"])
        done.set()

    assert serve(app).get("/")[0] == 200
    assert done.wait(5)
    assert seen == ["http.disconnect"] * 2


def test_cancel_on_disconnect_cancels_the_task(serve: Any) -> None:
    cancelled = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    server = serve(app, cancel_on_disconnect=True)
    with server.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        time.sleep(0.05)
    assert cancelled.wait(5)


def test_a_handler_outlives_its_client_otherwise(serve: Any) -> None:
    finished = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.1)
        await answer(send)
        finished.set()

    with serve(app).connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        time.sleep(0.02)
    assert finished.wait(5)


def test_silence_is_a_500(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        pass

    assert serve(app).get("/") == (500, b"Internal Server Error")
    assert "without starting response" in caplog.text


def test_an_exception_is_a_500_with_its_traceback_in_the_log(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("broken")

    assert serve(app).get("/") == (500, b"Internal Server Error")
    assert "ValueError: broken" in caplog.text
    assert "in app" in caplog.text


def test_an_exception_after_the_head_cuts_the_connection(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begin", "more_body": True})
        raise ValueError("broken")

    with serve(app).connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        received = b""
        while piece := connection.recv(1000):
            received += piece
    assert b"begin" in received
    assert not received.endswith(b"0\r\n\r\n")
    assert "ValueError: broken" in caplog.text


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        (
            [{"type": "http.response.body"}],
            "Expected ASGI message 'http.response.start', but got 'http.response.body'",
        ),
        (
            [{"type": "http.response.start", "status": 200}] * 2,
            "Expected ASGI message 'http.response.body', but got 'http.response.start'",
        ),
        ([{"type": "http.response.other"}], "but got 'http.response.other'"),
        (
            [{"type": "http.response.start", "status": 200, "headers": [(b"a", b"b\r\nc: d")]}],
            "control character",
        ),
    ],
)
def test_misuse_of_send_is_an_error_in_the_application(
    serve: Any, caplog: pytest.LogCaptureFixture, messages: Any, words: str
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    assert serve(app).get("/")[0] == 500
    assert words in caplog.text


def test_an_early_hint_comes_first(serve: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert "http.response.early_hint" in scope["extensions"]
        await send({"type": "http.response.early_hint", "links": [b"</style.css>; rel=preload"]})
        await answer(send, b"x")

    with serve(app).connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        received = b""
        while piece := connection.recv(1000):
            received += piece
    assert received.startswith(b"HTTP/1.1 103")
    assert b"link: </style.css>; rel=preload" in received
    assert received.index(b"HTTP/1.1 200") > received.index(b"link:")


def test_a_trusted_proxy_names_the_client(serve: Any) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["client"][0], scope["scheme"]))
        await answer(send)

    forwarded = {"x_forwarded_for": "6.6.6.6, 1.2.3.4, 10.0.0.1", "x_forwarded_proto": "https"}
    serve(app, trusted_proxies=["127.0.0.1", "10.0.0.0/8"]).get("/", **forwarded)
    serve(app).get("/", **forwarded)
    assert seen == [("1.2.3.4", "https"), ("127.0.0.1", "http")]


def test_the_access_callback_gets_one_line_a_request(serve: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, b"ok", status=201)

    server = serve(app)
    server.get("/a?b=c", "POST", b"x", **{"X-Request-Id": "abc"})
    # Told by the server's thread, perhaps a moment after the answer has arrived.
    deadline = time.monotonic() + 5
    while not server.access and time.monotonic() < deadline:
        time.sleep(0.005)
    ((_, *line),) = server.access
    assert line[:4] == ["POST", "/a?b=c", "1.1", 201]
    assert 0 <= line[4] < 10
    assert line[5:] == [2, "abc"]


def test_default_headers_are_on_every_answer(serve: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send)

    _, headers, _ = serve(app, headers=[(b"x-own", b"1")], server_header=True).ask("/")
    assert (headers["x-own"], headers["server"]) == ("1", "covet")


def test_a_drain_waits_for_the_last_request(serve: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.2)
        await answer(send, b"late")

    server = serve(app)
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(server.get("/slow")))
    thread.start()
    time.sleep(0.05)
    server.on_loop(lambda: server.server.drain(5))
    [(label, age, task)] = server.on_loop(server.server.held)
    assert label == "GET /slow"
    assert 0 < age < 5
    assert task.get_coro().__name__ == "app"
    assert not server.drained.is_set()
    assert server.drained.wait(5)
    thread.join(5)
    assert answers == [(200, b"late")]


def test_a_drain_ends_at_its_deadline(serve: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(30)

    server = serve(app)
    with server.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        time.sleep(0.05)
        server.on_loop(lambda: server.server.drain(0.2))
        assert server.drained.wait(3)
        assert connection.recv(100) == b""
