"""`route.plan`: what a route does, readable from Python."""

import json
from collections.abc import AsyncIterator, Iterator
from enum import StrEnum
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, InstanceOf

from covet import APIRouter, Body, CovetPy, Depends, File, Header, Path, Query, UploadFile, WebSocket
from covet.responses import EventSourceResponse, PlainTextResponse
from covet.routing import RoutePlan


class Colour(StrEnum):
    red = "red"


class Opaque:
    """What pydantic has no words for."""


class Item(BaseModel):
    name: Annotated[str, Field(min_length=1)]


class Filters(BaseModel):
    limit: Annotated[int, Field(le=100)] = 10
    since_then: str | None = None


async def connection() -> AsyncIterator[int]:
    yield 1


def session() -> Iterator[int]:
    yield 2


def user(db: Annotated[int, Depends(connection)], authorization: Annotated[str, Header()]) -> int:
    return db


class Pager:
    def __init__(self, page: int = 1) -> None:
        self.page = page


def plan_of(endpoint: Any, path: str = "/", method: str = "post", **options: Any) -> RoutePlan:
    app = CovetPy()
    getattr(app, method)(path, **options)(endpoint)
    plan: RoutePlan = app.routes[-1].plan  # type: ignore[attr-defined]
    return plan


def by_name(plan: RoutePlan, source: str) -> dict[str, Any]:
    return {each.name: each for each in plan.parameters if each.source == source}


def test_parameters_have_source_type_default_and_bounds() -> None:
    async def read(
        item_id: Annotated[int, Path(ge=1)],
        q: Annotated[str, Query(alias="search", max_length=5, pattern="^a")] = "a",
        x_token: Annotated[str | None, Header()] = None,
    ) -> None: ...

    plan = plan_of(read, "/items/{item_id}", "get")
    item_id, search = by_name(plan, "path")["item_id"], by_name(plan, "query")["search"]
    assert (item_id.type, item_id.required, item_id.bounds) == ("int", True, {"ge": 1})
    assert (search.required, search.default) == (False, "a")
    assert search.bounds == {"max_length": 5, "pattern": "^a"}
    assert str(by_name(plan, "header")["x-token"]) == "x-token: str | None = None"
    assert item_id.schema == {"type": "integer", "minimum": 1}
    assert item_id.asked_by.endswith("read")


def test_a_model_of_parameters_is_shown_by_its_members() -> None:
    async def read(filters: Annotated[Filters, Query()], headers: Annotated[Filters, Header()]) -> None: ...

    plan = plan_of(read, method="get")
    assert list(by_name(plan, "query")) == ["limit", "since_then"]
    assert list(by_name(plan, "header")) == ["limit", "since-then"]


def test_calls_stand_in_the_order_in_which_they_run() -> None:
    def read(
        who: Annotated[int, Depends(user)],
        pager: Annotated[Pager, Depends()],
        db: Annotated[int, Depends(connection)],
        short: Annotated[int, Depends(session, scope="function")],
    ) -> None: ...

    plan = plan_of(read, method="get", dependencies=[Depends(session)])
    assert [(call.name, call.kind, call.closed, call.given_as) for call in plan.dependencies] == [
        ("session", "generator", "request", None),
        ("connection", "async generator", "request", "db"),
        ("user", "thread", None, "who"),
        ("Pager", "thread", None, "pager"),
        ("session", "generator", "function", "short"),
    ]
    assert (plan.calls[-1].kind, plan.calls[-1].closed) == ("thread", None)
    assert plan.calls[1].location == f"{__file__}:{connection.__code__.co_firstlineno}"


def test_an_uncached_dependency_is_shown_for_each_that_asks() -> None:
    def read(
        one: Annotated[Pager, Depends(use_cache=False)],
        two: Annotated[Pager, Depends(use_cache=False)],
    ) -> None: ...

    plan = plan_of(read, method="get")
    assert [str(call).split(" ")[0] for call in plan.dependencies] == ["Pager", "Pager"]
    assert "not cached" in str(plan.dependencies[0])


def test_an_override_is_shown_with_what_it_stands_in_for() -> None:
    app = CovetPy()

    @app.get("/")
    def read(who: Annotated[int, Depends(user)]) -> None: ...

    app.dependency_overrides[user] = lambda: 1
    (call,) = app.routes[-1].plan.dependencies  # type: ignore[attr-defined]
    assert call.overrides == "user"
    assert "instead of user" in str(call)


def test_the_body_has_media_type_and_schema() -> None:
    async def one(item: Item) -> None: ...
    async def several(item: Item, count: Annotated[int, Body(gt=0)] = 1) -> None: ...
    async def upload(file: Annotated[UploadFile, File()]) -> None: ...

    body = plan_of(one).body
    assert body is not None
    assert (body.media_type, body.type, body.required) == ("application/json", "Item", True)
    assert body.schema is not None
    assert body.schema["properties"]["name"]["minLength"] == 1
    embedded = plan_of(several).body
    assert embedded is not None
    assert list((embedded.schema or {})["properties"]) == ["item", "count"]
    form = plan_of(upload).body
    assert form is not None
    assert form.media_type == "multipart/form-data"


def test_the_response_has_status_class_and_model() -> None:
    async def model() -> list[Item]: ...  # type: ignore[empty-body]
    async def text() -> str: ...  # type: ignore[empty-body]

    async def events() -> AsyncIterator[Item]:
        yield Item(name="a")

    made = plan_of(model, status_code=201).response
    assert made is not None
    assert (made.status_code, made.type, made.media_type) == (
        201,
        "list[" + f"{__name__}.Item]",
        "application/json",
    )
    assert (made.schema or {})["items"] == {"$ref": "#/$defs/Item"}
    assert plan_of(text, response_class=PlainTextResponse, response_model=None).response.schema is None
    stream = plan_of(events, response_class=EventSourceResponse).response
    assert (stream.media_type, stream.type) == ("text/event-stream", "Item")
    assert plan_of(events).response.media_type == "application/jsonl"


def test_a_type_without_a_schema_has_none() -> None:
    def read(colour: Colour = Colour.red) -> Any: ...
    def opaque(value: Annotated[InstanceOf[Opaque], Body()]) -> None: ...

    assert (plan_of(read, method="get").parameters[0].schema or {})["default"] == "red"
    body = plan_of(opaque).body
    assert body is not None
    assert body.schema is None


def test_a_route_is_native_or_says_why_not() -> None:
    async def read(filters: Annotated[Filters, Query()]) -> None: ...
    def version() -> int: ...  # type: ignore[empty-body]

    assert (plan_of(version, method="get", inline=True).native) is True
    assert plan_of(version, method="get", inline=True).calls[-1].kind == "inline"
    plan = plan_of(read, method="get")
    assert (plan.native, plan.reason) == (False, "filters is a model of parameters")


def test_a_convertor_that_makes_another_object_is_a_reason() -> None:
    def read(number: str) -> None: ...

    assert plan_of(read, "/{number:int}", "get").reason == (
        "the path convertor of 'number' gives IntegerConvertor objects"
    )


def test_the_text_says_it_all() -> None:
    async def create(item: Item, limit: Annotated[int, Query(ge=1)] = 10) -> Item: ...  # type: ignore[empty-body]

    create.__qualname__ = "create"
    line = create.__code__.co_firstlineno
    assert str(plan_of(create, "/items", status_code=201)).splitlines() == [
        "POST /items",
        "  query    limit: int = 10, ge=1",
        "  body     Item (application/json)",
        f"  call 1   create (async) {__file__}:{line}",
        "  answer   201 Item (application/json)",
        "  runs     natively",
    ]


def test_a_websocket_route_shows_parameters_and_calls() -> None:
    app = CovetPy()

    @app.websocket("/rooms/{room}")
    async def session(websocket: WebSocket, room: int, who: Annotated[int, Depends(user)]) -> None: ...

    plan = app.routes[-1].plan  # type: ignore[attr-defined]
    assert [f"{each.source} {each}" for each in plan.parameters] == [
        "header authorization: str",
        "path room: int",
    ]
    assert [call.name for call in plan.calls] == ["connection", "user", "session"]
    assert (plan.body, plan.response, plan.native) == (None, None, False)
    assert str(plan).splitlines()[0] == "WS /rooms/{room}"
    assert plan.as_dict()["response"] is None


def test_the_plain_data_can_be_written_as_json() -> None:
    async def read(
        colour: Annotated[Colour, Query()] = Colour.red, tag: Annotated[tuple[str, ...], Query()] = ("a",)
    ) -> None: ...

    data = json.loads(json.dumps(plan_of(read, method="get").as_dict()))
    assert [each["default"] for each in data["parameters"]] == ["red", "('a',)"]
    assert data["native"] is False


def test_a_route_of_an_included_router_is_shown_at_its_place() -> None:
    app, router = CovetPy(), APIRouter()

    @router.get("/items")
    async def read() -> None: ...

    app.include_router(router, prefix="/api", dependencies=[Depends(user)])
    (place,) = app.routes[-1].effective_route_contexts()  # type: ignore[attr-defined]
    assert place.plan.path == "/api/items"
    assert [call.name for call in place.plan.dependencies] == ["connection", "user"]


@pytest.mark.parametrize("cached", [True, False])
def test_the_plan_and_the_request_call_the_same(cached: bool) -> None:
    from covet.testclient import TestClient

    called: list[str] = []
    app = CovetPy()

    def leaf() -> None:
        called.append("leaf")

    def left(leaf: Annotated[None, Depends(leaf, use_cache=cached)]) -> None:
        called.append("left")

    def right(
        leaf: Annotated[None, Depends(leaf, use_cache=cached)], left: Annotated[None, Depends(left)]
    ) -> None:
        called.append("right")

    @app.get("/")
    async def read(a: Annotated[None, Depends(left)], b: Annotated[None, Depends(right)]) -> None:
        called.append("read")

    TestClient(app).get("/")
    names = [call.name.rpartition(".")[2] for call in app.routes[-1].plan.calls]  # type: ignore[attr-defined]
    assert names == called
