"""Responses with a known body: rendering, header fields, cookies, redirects, background work."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest

from covet.background import BackgroundTask, BackgroundTasks
from covet.exceptions import FastAPIDeprecationWarning
from covet.responses import (
    HTMLResponse,
    JSONResponse,
    ORJSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    UJSONResponse,
)
from covet.types import Message


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, b""),
        (b"x", b"x"),
        ("é", "é".encode()),
        (memoryview(b"abcd")[::2], b"ac"),
        (memoryview(bytearray(8)).cast("I"), bytes(8)),
    ],
)
def test_content_is_rendered(content: Any, expected: bytes) -> None:
    response = Response(content)
    assert bytes(response.body) == expected
    assert response.headers["content-length"] == str(len(expected))


@pytest.mark.parametrize("status", [101, 204, 304])
def test_some_statuses_have_no_length(status: int) -> None:
    assert "content-length" not in Response(status_code=status).headers


def test_given_fields_are_kept() -> None:
    response = HTMLResponse("x", headers={"Content-Type": "a/b", "Content-Length": "9", "X-Y": "z"})
    assert response.raw_headers == [(b"content-type", b"a/b"), (b"content-length", b"9"), (b"x-y", b"z")]


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [("text/x", "text/x; charset=utf-8"), ("text/x; charset=ascii", "text/x; charset=ascii"), ("a/b", "a/b")],
)
def test_text_has_a_charset(media_type: str, expected: str) -> None:
    assert Response("x", media_type=media_type).headers["content-type"] == expected


def test_headers_are_what_is_sent() -> None:
    response = PlainTextResponse("x")
    response.headers["a"] = "b"
    assert response.raw_headers[-1] == (b"a", b"b")
    assert response.headers is response.headers


def test_json_is_compact_and_strict() -> None:
    assert JSONResponse({"a": ["é", None, 1.5]}).body == '{"a":["é",null,1.5]}'.encode()
    with pytest.raises(ValueError, match="Out of range float"):
        JSONResponse(float("nan"))


@pytest.mark.parametrize("make", [ORJSONResponse, UJSONResponse])
def test_other_writers_are_deprecated(make: Callable[[Any], Response]) -> None:
    with pytest.warns(FastAPIDeprecationWarning, match="is deprecated, FastAPI now serializes"):
        assert make({"a": 1}).body == b'{"a":1}'


def test_a_redirect_escapes_its_url() -> None:
    response = RedirectResponse("/a b?c=é", headers={"x": "y"})
    assert response.status_code == 307
    assert response.headers["location"] == "/a%20b?c=%C3%A9"
    assert response.headers["x"] == "y"


UTC = datetime.timezone.utc  # noqa: UP017


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, "k=v; Path=/; SameSite=lax"),
        (
            {"max_age": 10, "expires": datetime.datetime(2037, 1, 22, 12, 0, 0, tzinfo=UTC), "domain": "d"},
            "k=v; Domain=d; expires=Thu, 22 Jan 2037 12:00:00 GMT; Max-Age=10; Path=/; SameSite=lax",
        ),
        (
            {"expires": "Fri, 01 Jan 2038 00:00:00 GMT", "path": None, "samesite": None},
            "k=v; expires=Fri, 01 Jan 2038 00:00:00 GMT",
        ),
        (
            {"secure": True, "httponly": True, "samesite": "none"},
            "k=v; HttpOnly; Path=/; SameSite=none; Secure",
        ),
    ],
)
def test_cookies_are_set(arguments: dict[str, Any], expected: str) -> None:
    response = Response()
    response.set_cookie("k", "v", **arguments)
    assert response.headers["set-cookie"] == expected


def test_cookies_expire_in_seconds_from_now() -> None:
    response = Response()
    response.set_cookie("k", expires=60)
    assert "expires=" in response.headers["set-cookie"]


def test_cookies_are_deleted() -> None:
    response = Response()
    response.delete_cookie("k", path="/p")
    cookie = response.headers["set-cookie"]
    assert "Max-Age=0" in cookie
    assert "Path=/p" in cookie


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"samesite": "odd"}, AssertionError),
        ({"expires": datetime.datetime(2037, 1, 1)}, ValueError),
    ],
)
def test_bad_cookies_are_refused(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Response().set_cookie("k", **arguments)


def test_background_work_follows_the_response(client_for: Any) -> None:
    done: list[str] = []

    async def in_loop(name: str) -> None:
        done.append(name)

    def in_thread(*, name: str) -> None:
        done.append(name)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        tasks = BackgroundTasks([BackgroundTask(in_loop, "one")])
        tasks.add_task(in_thread, name="two")
        await Response("x", background=tasks)(scope, receive, send)

    assert client_for(app).get("/").text == "x"
    assert done == ["one", "two"]


@pytest.mark.anyio
async def test_a_websocket_is_refused_with_a_response() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await Response("no", 403)({"type": "websocket"}, None, send)  # type: ignore[arg-type]
    assert [message["type"] for message in sent] == [
        "websocket.http.response.start",
        "websocket.http.response.body",
    ]
