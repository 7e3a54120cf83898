"""Native plans on the socket door: values in, JSON out, errors to `route_error`, everything odd to Python."""

import json
import threading
from typing import Any

import pytest

POOL, INLINE = 1, 2
PATH, QUERY = 0, 1
TEXT, NUMBER = 0, 1


class Anything:
    """Stands for a pydantic validator."""

    @staticmethod
    def validate_json(body: bytes, **_: Any) -> Any:
        return json.loads(body)

    @staticmethod
    def validate_python(value: Any, **_: Any) -> Any:
        return value


def test_a_handler_answers_json(serve: Any, app: Any) -> None:
    async def hello() -> Any:
        return {"message": "hello"}

    app.add("/json", hello)
    status, headers, body = serve(app).ask("/json")
    assert (status, body) == (200, b'{"message":"hello"}')
    assert headers["content-type"] == "application/json"
    assert headers["content-length"] == "19"


def test_path_and_query_become_arguments(serve: Any, app: Any) -> None:
    async def item(item_id: int, q: str) -> Any:
        return [item_id, q]

    app.add("/items/{item_id}", item, params=((PATH, "item_id", NUMBER), (QUERY, "q", TEXT)))
    assert serve(app).get("/items/5?q=a%20b") == (200, b'[5,"a b"]')


def test_an_escaped_path_is_decoded(serve: Any, app: Any) -> None:
    async def item(name: str) -> Any:
        return name

    app.add("/items/{name}", item, params=((PATH, "name", TEXT),))
    assert serve(app).get("/items/caf%C3%A9")[1] == '"café"'.encode()


def test_an_odd_value_goes_to_python_from_the_start(serve: Any, app: Any) -> None:
    async def item(item_id: int) -> Any:
        return item_id

    async def python(scope: Any, receive: Any, send: Any) -> None:
        assert scope["path"] == "/items/x"
        await send({"type": "http.response.start", "status": 422, "headers": []})
        await send({"type": "http.response.body", "body": b"python"})

    app.python = python
    app.add("/items/{item_id}", item, params=((PATH, "item_id", NUMBER),))
    assert serve(app).get("/items/x") == (422, b"python")


def test_a_body_that_python_has_to_judge_is_replayed(serve: Any, app: Any) -> None:
    async def create(body: Any) -> Any:
        return body

    async def python(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        await send({"type": "http.response.start", "status": 422, "headers": []})
        await send({"type": "http.response.body", "body": message["body"]})

    app.python = python
    app.add("/items", create, methods=["POST"], body=(1, Anything, None))
    server = serve(app)
    assert server.get("/items", "POST", b'{"a":1}', content_type="application/json") == (200, b'{"a":1}')
    assert server.get("/items", "POST", b"{", content_type="application/json") == (422, b"{")


def test_an_unknown_path_is_fastapis_404(serve: Any, app: Any) -> None:
    status, headers, body = serve(app).ask("/nowhere")
    assert (status, body) == (404, b'{"detail":"Not Found"}')
    assert headers["content-type"] == "application/json"


def test_an_exception_goes_to_route_error(serve: Any, app: Any) -> None:
    async def fail() -> Any:
        raise ValueError("no")

    def fail_in_thread() -> Any:
        raise KeyError("no")

    app.add("/async", fail)
    app.add("/sync", fail_in_thread, POOL)
    server = serve(app)
    assert server.get("/async") == (500, b"ValueError: no")
    assert server.get("/sync") == (500, b"KeyError: 'no'")


def test_a_stop_iteration_from_a_thread_is_a_runtime_error(serve: Any, app: Any) -> None:
    def stop() -> Any:
        raise StopIteration(5)

    app.add("/", stop, POOL)
    assert serve(app).get("/")[1].startswith(b"RuntimeError")


def test_the_request_object_knows_its_scope(serve: Any, app: Any) -> None:
    async def seen(request: Any) -> Any:
        return [request.method, request.url.path, dict(request.query_params), await request.is_disconnected()]

    app.add("/seen", seen)
    assert serve(app).get("/seen?a=1") == (200, b'["GET","/seen",{"a":"1"},false]')


def test_inline_functions_run_on_the_loop(serve: Any, app: Any) -> None:
    def where() -> Any:
        return threading.get_ident()

    app.add("/", where, INLINE)
    server = serve(app)
    assert int(server.get("/")[1]) == server.on_loop(threading.get_ident)


def test_a_new_generation_is_a_new_table(serve: Any, app: Any) -> None:
    from covet._engine import bump_generation

    async def hello() -> Any:
        return 1

    server = serve(app)
    assert server.get("/later")[0] == 404
    app.add("/later", hello)
    assert server.get("/later")[0] == 404
    bump_generation()
    assert server.get("/later") == (200, b"1")


def test_a_table_that_cannot_be_compiled_leaves_everything_to_python(
    serve: Any, app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def python(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"python"})

    app.python = python
    app.entries = [("/", None)]
    assert serve(app).get("/") == (200, b"python")
    assert "could not be compiled; Python answers" in caplog.text


def test_pipelined_requests_are_answered_in_order(serve: Any, app: Any) -> None:
    async def item(item_id: int) -> Any:
        import asyncio

        await asyncio.sleep(0.02 if item_id % 2 else 0)
        return item_id

    app.add("/{item_id}", item, params=((PATH, "item_id", NUMBER),))
    server = serve(app)
    with server.connect() as connection:
        connection.sendall(b"".join(b"GET /%d HTTP/1.1\r\nhost: a\r\n\r\n" % number for number in range(6)))
        received = b""
        while received.count(b"HTTP/1.1") < 6 or not received.endswith(b"5"):
            received += connection.recv(4096)
    bodies = [part.rpartition(b"\r\n\r\n")[2][:1] for part in received.split(b"HTTP/1.1 ")[1:]]
    assert bodies == [b"0", b"1", b"2", b"3", b"4", b"5"]


def test_head_of_a_native_get_is_pythons(serve: Any, app: Any) -> None:
    async def hello() -> Any:
        return 1

    async def python(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 405, "headers": [(b"allow", b"GET")]})
        await send({"type": "http.response.body", "body": b"ignored"})

    app.python = python
    app.add("/", hello)
    assert serve(app).get("/", "HEAD") == (405, b"")
