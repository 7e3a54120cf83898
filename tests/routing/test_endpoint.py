"""The pieces of the Python path by themselves: serialising, sessions, disconnects, limits."""

import anyio
import pytest

from covet import CovetPy, Request, Response
from covet._form_limits import _validate_form_limits
from covet.exceptions import ResponseValidationError
from covet.middleware.body_limit import RequestBodyLimitMiddleware
from covet.responses import PlainTextResponse
from covet.routing import request_response, serialize_response
from covet.routing.disconnect import unless_disconnected
from covet.routing.fastapi_scope import fastapi_scope, restore, update_scope
from covet.testclient import TestClient
from covet.validation.fields import create_model_field


def serialised(value, **options):
    async def main():
        return await serialize_response(
            field=create_model_field("x", list[int], mode="serialization"), response_content=value, **options
        )

    return anyio.run(main)


@pytest.mark.parametrize("is_coroutine", [True, False])
def test_values_are_validated_and_made_plain(is_coroutine):
    assert serialised(("1",), is_coroutine=is_coroutine) == [1]
    assert serialised(["1"], is_coroutine=is_coroutine, dump_json=True) == b"[1]"
    with pytest.raises(ResponseValidationError) as refused:
        serialised(["x"], is_coroutine=is_coroutine, endpoint_ctx={"function": "f"})
    assert refused.value.endpoint_function == "f"


def test_values_without_a_model_are_encoded():
    async def main():
        return await serialize_response(response_content={1: (2,)})

    assert anyio.run(main) == {1: [2]}


def test_a_blocking_function_becomes_an_application():
    assert TestClient(request_response(lambda request: PlainTextResponse("x"))).get("/").text == "x"


def disconnecting(messages, run):
    left = iter(messages)

    async def receive():
        for message in left:
            return message
        await anyio.sleep_forever()

    async def main():
        return await unless_disconnected(Request({"type": "http", "headers": []}, receive), run())

    return anyio.run(main)


BODY = {"type": "http.request", "body": b"", "more_body": False}


def test_a_handler_that_returns_is_not_cancelled():
    async def run():
        await anyio.sleep(0)
        return "value"

    assert disconnecting([BODY, BODY], run) == "value"


def test_a_handler_whose_client_leaves_gives_an_empty_response():
    async def run():
        await anyio.sleep_forever()

    response = disconnecting([BODY, {"type": "http.disconnect"}], run)
    assert isinstance(response, Response)
    assert response.status_code == 499


def test_an_error_of_a_handler_is_no_group():
    async def run():
        raise KeyError("x")

    with pytest.raises(KeyError):
        disconnecting([BODY], run)


@pytest.mark.parametrize("starts", [False, True])
def test_a_limit_around_the_application_is_answered_as_json(starts):
    app = CovetPy()

    @app.post("/")
    async def read(request: Request):
        if starts:
            await request._send({"type": "http.response.start", "status": 200, "headers": []})
        return len(await request.body())

    client = TestClient(RequestBodyLimitMiddleware(app, max_body_size=3))
    assert client.post("/", content=b"123").json() == 3 if not starts else True
    if not starts:
        response = client.post("/", content=iter([b"12", b"34"]))
        assert (response.status_code, response.json()) == (413, {"detail": "Content Too Large"})


def test_errors_beside_a_limit_stay_as_they_are():
    app = CovetPy()

    @app.post("/")
    async def broken():
        raise KeyError("x")

    with pytest.raises(KeyError):
        TestClient(RequestBodyLimitMiddleware(app, max_body_size=3)).post("/")


def test_what_is_under_fastapi_is_kept_and_put_back():
    scope = {"type": "http"}
    fastapi_scope(scope)["a"] = 1
    update_scope(scope, {"b": 2, "fastapi": {"c": 3}})
    update_scope(scope, {"fastapi": None})
    assert scope == {"type": "http", "b": 2, "fastapi": {"a": 1, "c": 3}}
    restore(scope, "a", 5)
    restore({}, "a", 5)
    assert scope["fastapi"]["a"] == 5


def test_fastapis_name_for_form_limits():
    assert _validate_form_limits(None) == {}
