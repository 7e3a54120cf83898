"""What an endpoint returns becomes the status, headers and bytes that the Python path sends for it."""

import asyncio
import datetime
import math
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from covet._engine import Plan
from covet.background import BackgroundTask
from covet.dependencies.plan_shape import plan_shape
from covet.encoders import jsonable_encoder
from covet.exception_handlers import is_body_allowed_for_status_code
from covet.exceptions import ResponseValidationError
from covet.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)

INLINE = 2
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


class Host:
    """Keeps the one answer; `native` says whether it was made without a response object."""

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self.background: Any = None
        self.native = False

    def request(self) -> str:
        return "the request"

    def deliver(
        self, status: int, headers: list[tuple[bytes, bytes]], framed: bool, body: bytes, background: Any
    ) -> None:
        if not framed and not (status < 200 or status in (204, 304)):
            headers = [(b"content-length", str(len(body)).encode()), *headers]
        self.answer = (status, headers, body)
        self.background = background
        self.native = True

    def deliver_object(self, response: Any) -> None:
        self.answer = sent(response)


def sent(response: Any) -> Answer:
    """Return what a response object sends."""
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    async def receive() -> Any:
        await asyncio.Event().wait()

    scope = {"type": "http", "method": "GET", "headers": [], "extensions": {}}
    asyncio.run(response(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in messages[1:])
    return messages[0]["status"], list(messages[0]["headers"]), body


def answer(
    call: Callable[..., Any], reply: tuple[Any, ...], names: tuple[str, ...] = (), slots: tuple[int, ...] = ()
) -> Host:
    host = Host()
    Plan(((), ((call, INLINE, names, slots, False),), None, reply, 0)).complete((), host)
    return host


JSON_REPLY = (0, None, None, "application/json", None, JSONResponse)


@pytest.mark.parametrize(
    "value", [{"a": 1}, [1, 2.5], None, "text", 5, {"when": datetime.date(2024, 1, 1)}, b"bytes"], ids=repr
)
@pytest.mark.parametrize("status", [None, 200, 201, 204, 205, 304, 404, 599])
def test_values_are_answered_as_json(value: Any, status: int | None) -> None:
    host = answer(lambda: value, (0, None, status, "application/json", None, JSONResponse))
    response = JSONResponse(jsonable_encoder(value), status_code=status or 200)
    if not is_body_allowed_for_status_code(response.status_code):
        response.body = b""
    assert host.answer == sent(response)


@pytest.mark.parametrize("value", ["text", "é😀", "", {"a": 1}, None, 5])
@pytest.mark.parametrize(("kind", "media"), [(PlainTextResponse, "text/plain"), (HTMLResponse, "text/html")])
def test_text_is_answered_as_it_is(value: Any, kind: type[Response], media: str) -> None:
    reply = (2, None, None, media, None, kind)
    try:
        expected = sent(kind(jsonable_encoder(value)))
    except AttributeError:
        with pytest.raises(AttributeError):
            answer(lambda: value, reply)
        return
    assert answer(lambda: value, reply).answer == expected


class Shouting(JSONResponse):
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.body = self.body.upper()
        await super().__call__(scope, receive, send)


def with_cookie(response: Response) -> Response:
    response.set_cookie("a", "b")
    response.headers["X-Own"] = "é"
    return response


def odd_length(response: Response) -> Response:
    response.headers["content-length"] = "3"
    return response


def without_length(response: Response) -> Response:
    del response.headers["content-length"]
    return response


RESPONSES: dict[str, tuple[Callable[[], Response], bool]] = {
    "json": (lambda: JSONResponse({"a": 1}, status_code=201), True),
    "plain": (lambda: PlainTextResponse("x"), True),
    "html": (lambda: HTMLResponse("<p>", headers={"X-A": "1", "Content-Type": "text/own"}), True),
    "empty": (lambda: Response(status_code=204), True),
    "not modified": (lambda: Response(status_code=304), True),
    "cookie": (lambda: with_cookie(Response(b"x", media_type="image/png")), True),
    "large": (lambda: Response(b"x" * 100_000), True),
    "redirect": (lambda: RedirectResponse("/there"), True),
    "streaming": (lambda: StreamingResponse(iter([b"a", b"b"])), False),
    "own call": (lambda: Shouting({"a": 1}), False),
    "odd length": (lambda: odd_length(Response(b"12345")), False),
    "no length": (lambda: without_length(Response(b"12345")), False),
    "view": (lambda: Response(memoryview(b"abc")), False),
}


@pytest.mark.parametrize("name", RESPONSES)
@pytest.mark.parametrize("mode", [0, 2])
def test_response_objects_are_answered_as_they_are(name: str, mode: int) -> None:
    make, native = RESPONSES[name]
    host = answer(make, (mode, None, 418, "application/json", None, JSONResponse))
    assert host.native is native
    if name == "streaming":
        assert host.answer is not None
        assert host.answer[2] == b"ab"
    else:
        assert host.answer == sent(make())


def by_python(change: Callable[[Response], None], status: int | None) -> Answer:
    injected = Response()
    del injected.headers["content-length"]
    injected.status_code = None  # type: ignore[assignment]
    change(injected)
    code = injected.status_code or status or 200
    response = JSONResponse({"a": 1}, status_code=code)
    if not is_body_allowed_for_status_code(code):
        response.body = b""
    response.headers.raw.extend(injected.headers.raw)
    return sent(response)


def set_status(status: int) -> Callable[[Response], None]:
    def change(response: Response) -> None:
        response.status_code = status

    return change


def set_headers(response: Response) -> None:
    response.headers["X-One"] = "1"
    response.headers.append("X-One", "2")
    response.set_cookie("a", "b")


@pytest.mark.parametrize("status", [None, 201])
@pytest.mark.parametrize(
    "change",
    [set_status(202), set_status(204), set_status(205), set_headers, lambda response: None, odd_length],
)
def test_the_injected_response_is_merged(change: Callable[[Response], Any], status: int | None) -> None:
    def endpoint(response: Response) -> dict[str, int]:
        change(response)
        return {"a": 1}

    host = answer(endpoint, (0, None, status, "application/json", None, JSONResponse), ("response",), (-2,))
    assert host.answer == by_python(change, status)


def test_the_injected_response_does_not_touch_a_returned_one() -> None:
    def endpoint(response: Response) -> Response:
        response.headers["X-Lost"] = "1"
        return PlainTextResponse("own")

    assert answer(endpoint, JSON_REPLY, ("response",), (-2,)).answer == sent(PlainTextResponse("own"))


def test_background_tasks_are_handed_to_the_door() -> None:
    def endpoint(tasks: Any, respond: bool) -> Any:
        tasks.add_task(ran.append, 1)
        return PlainTextResponse("x") if respond else {"a": 1}

    ran: list[int] = []
    for respond in (True, False):
        host = answer(lambda tasks, respond=respond: endpoint(tasks, respond), JSON_REPLY, ("tasks",), (-3,))
        assert host.native
        asyncio.run(host.background())
    assert ran == [1, 1]


def test_a_response_with_its_own_task_keeps_it() -> None:
    ran: list[int] = []
    host = answer(lambda: PlainTextResponse("x", background=BackgroundTask(ran.append, 2)), JSON_REPLY)
    asyncio.run(host.background())
    assert ran == [2]


class Item(BaseModel):
    name: str = Field(alias="itemName")
    price: float = 1e-5
    secret: str | None = None


class Stored:
    itemName = "attribute"
    price = 2


def model_reply(annotation: Any, refuse: Any = None, **options: Any) -> tuple[Any, ...]:
    adapter = TypeAdapter(annotation)
    options = {"by_alias": True, **options}
    shape = plan_shape(adapter.core_schema, options)
    serializer = (adapter.validator, adapter.serializer, options, refuse, shape)
    return (1, serializer, None, "application/json", None, JSONResponse)


@pytest.mark.parametrize(
    "options",
    [{}, {"by_alias": False}, {"exclude_none": True}, {"include": {"name"}}, {"exclude_unset": True}],
)
@pytest.mark.parametrize("value", [{"itemName": "x"}, Item(itemName="é"), Stored()])
def test_a_model_is_validated_and_serialised_by_pydantic(options: dict[str, Any], value: Any) -> None:
    adapter = TypeAdapter(Item)
    valid = adapter.validate_python(value, from_attributes=True)
    body = adapter.dump_json(valid, **{"by_alias": True, **options})
    assert answer(lambda: value, model_reply(Item, **options)).answer == sent(
        Response(body, media_type="application/json")
    )


def test_a_large_list_of_models_is_answered() -> None:
    items = [Item(itemName=f"item {index}") for index in range(2000)]
    host = answer(lambda: items, model_reply(list[Item]))
    assert host.answer is not None
    assert host.answer[2] == TypeAdapter(list[Item]).dump_json(items, by_alias=True)


def test_a_model_that_does_not_validate_is_refused_by_python() -> None:
    def refuse(error: ValidationError, value: Any, request: Any) -> None:
        assert request == "the request"
        raise ResponseValidationError(errors=error.errors(), body=value, endpoint_ctx={})

    with pytest.raises(ResponseValidationError) as caught:
        answer(lambda: {"wrong": 1}, model_reply(Item, refuse))
    assert caught.value.body == {"wrong": 1}


def test_a_model_answer_with_a_status_of_its_own_has_no_body() -> None:
    def endpoint(response: Response) -> dict[str, str]:
        response.status_code = 205
        return {"itemName": "x"}

    host = answer(endpoint, model_reply(Item), ("response",), (-2,))
    assert host.answer is not None
    assert (host.answer[0], host.answer[2]) == (205, b"")


def test_finish_makes_the_response_from_value_and_request() -> None:
    def finish(value: Any, request: Any) -> Response:
        return PlainTextResponse(f"{value} of {request}")

    host = answer(lambda: "value", (3, finish, None, None, None, PlainTextResponse))
    assert host.answer == sent(PlainTextResponse("value of the request"))


@pytest.mark.parametrize("value", [math.nan, [math.inf], {(1, 2): 3}, object()], ids=repr)
def test_what_json_cannot_say_raises_what_python_raises(value: Any) -> None:
    try:
        JSONResponse(jsonable_encoder(value))
    except Exception as error:
        expected = type(error)
    else:
        pytest.skip("object() is encodable as its empty __dict__ on this path")
    with pytest.raises(expected):
        answer(lambda: value, JSON_REPLY)


def test_native_headers_of_the_plan_are_added() -> None:
    host = answer(lambda: 1, (0, None, None, "application/json", ((b"x-plan", b"1"),), JSONResponse))
    assert host.answer == (
        200,
        [(b"content-length", b"1"), (b"content-type", b"application/json"), (b"x-plan", b"1")],
        b"1",
    )
