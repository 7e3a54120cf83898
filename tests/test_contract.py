"""`covet.validated` on handlers of plain routes, methods of endpoint classes, and other functions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, InstanceOf

from covet import (
    Body,
    CovetPy,
    Depends,
    File,
    Header,
    Path,
    Query,
    Request,
    Response,
    UploadFile,
    WebSocket,
    validated,
)
from covet.exceptions import (
    ArgumentValidationError,
    FastAPIError,
    RequestValidationError,
    ResponseValidationError,
)
from covet.responses import JSONResponse, PlainTextResponse
from covet.starlette.applications import Starlette
from covet.starlette.endpoints import HTTPEndpoint
from covet.starlette.routing import Route
from covet.testclient import TestClient


class Item(BaseModel):
    name: str
    price: float


class Stored(Item):
    id: int


def answer(handler: Any, method: str = "POST", url: str = "/", path: str = "/", **options: Any) -> Any:
    app = Starlette(routes=[Route(path, handler, methods=[method])])
    return TestClient(app).request(method, url, **options)


@validated
async def create(request: Request, item: Item, limit: Annotated[int, Query(ge=1)] = 10) -> Stored:
    return Stored(id=limit, **item.model_dump())


def test_a_handler_gets_its_parameters_from_the_request() -> None:
    answered = answer(create, url="/?limit=3", json={"name": "pen", "price": "2"})
    assert (answered.status_code, answered.json()) == (200, {"name": "pen", "price": 2.0, "id": 3})


def test_a_request_that_does_not_fit_is_answered_with_every_error() -> None:
    answered = answer(create, url="/?limit=0", json={"name": "pen"})
    assert answered.status_code == 422
    errors = {tuple(error["loc"]): error["type"] for error in answered.json()["detail"]}
    assert errors == {("query", "limit"): "greater_than_equal", ("body", "price"): "missing"}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "price", "id"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(body=JSON, limit=st.none() | st.integers(-1, 3) | st.text("1a -", max_size=3))
def test_a_handler_and_a_route_answer_alike(body: Any, limit: Any) -> None:
    route = CovetPy()

    @route.post("/")
    async def create_item(item: Item, limit: Annotated[int, Query(ge=1)] = 10) -> Stored:
        return Stored(id=limit, **item.model_dump())

    plain = Starlette(routes=[Route("/", create, methods=["POST"])])
    params = {} if limit is None else {"limit": limit}
    answers = [TestClient(app).post("/", params=params, json=body) for app in (route, plain)]
    assert answers[0].status_code == answers[1].status_code
    assert answers[0].content == answers[1].content


def test_an_application_that_handles_the_error_gets_it() -> None:
    async def refuse(request: Request, error: RequestValidationError) -> Response:
        return PlainTextResponse(f"{error.endpoint_function}: {len(error.errors())}", status_code=400)

    app = Starlette(
        routes=[Route("/", create, methods=["POST"])],
        exception_handlers={RequestValidationError: refuse},
    )
    answered = TestClient(app).post("/", json={})
    assert (answered.status_code, answered.text) == (400, "create: 2")


def test_an_untyped_request_makes_a_handler_too() -> None:
    @validated
    async def read(request, item_id: Annotated[int, Path()], agent: Annotated[str, Header()]):  # type: ignore[no-untyped-def]
        return {"path": request.url.path, "id": item_id, "agent": agent}

    answered = answer(read, "GET", "/items/7", "/items/{item_id}", headers={"agent": "a"})
    assert answered.json() == {"path": "/items/7", "id": 7, "agent": "a"}


def test_a_blocking_handler_and_its_options() -> None:
    @validated(response_model=Item, status_code=201, response_model_exclude_unset=True)
    def make(request: Request, name: str) -> Any:
        return {"name": name, "price": 1, "secret": 1}

    answered = answer(make, "GET", "/?name=pen")
    assert (answered.status_code, answered.json()) == (201, {"name": "pen", "price": 1.0})


def test_a_response_goes_out_as_it_is() -> None:
    @validated
    async def raw(request: Request) -> Response:
        return JSONResponse([1], status_code=202)

    assert answer(raw, "GET").status_code == 202


def test_a_value_that_the_response_model_refuses_is_the_handlers_mistake() -> None:
    @validated
    async def wrong(request: Request) -> Item:
        return {"name": "pen"}  # type: ignore[return-value]

    with pytest.raises(ResponseValidationError) as refused:
        answer(wrong, "GET")
    assert refused.value.endpoint_function == "wrong"


def test_methods_of_an_endpoint_class_keep_their_instance() -> None:
    class Items(HTTPEndpoint):
        kind = "items"

        @validated
        async def post(self, request: Request, item: Item) -> dict[str, Any]:
            return {"kind": self.kind, "name": item.name}

    app = Starlette(routes=[Route("/", Items)])
    assert TestClient(app).post("/", json={"name": "pen", "price": 1}).json() == {
        "kind": "items",
        "name": "pen",
    }
    assert TestClient(app).post("/", json={}).status_code == 422


seen: list[str] = []


async def connection() -> AsyncIterator[str]:
    try:
        yield "connection"
    except KeyError as error:
        seen.append(repr(error))
        raise
    finally:
        seen.append("closed")


def test_dependencies_see_the_handlers_error_and_are_closed() -> None:
    seen.clear()

    @validated
    async def failing(request: Request, db: Annotated[str, Depends(connection)]) -> None:
        raise KeyError(db)

    with pytest.raises(KeyError):
        answer(failing, "GET")
    assert seen == ["KeyError('connection')", "closed"]


def test_an_upload_is_read() -> None:
    @validated
    async def upload(request: Request, file: Annotated[UploadFile, File()]) -> int:
        return len(await file.read())

    assert answer(upload, files={"file": b"12345"}).json() == 5


def test_a_handler_works_as_a_route_of_ours() -> None:
    app = CovetPy()
    app.post("/items")(create)
    client = TestClient(app)
    assert client.post("/items", json={"name": "pen", "price": 1}).json()["id"] == 10
    assert client.post("/items", json={}).status_code == 422


@validated
def price(item: Item, discount: Annotated[float, Field(ge=0, le=1)] = 0) -> float:
    """Say what it costs."""
    assert isinstance(item, Item)
    return item.price * (1 - discount)


def test_a_function_gets_converted_arguments() -> None:
    assert price({"name": "pen", "price": "4"}, discount="0.5") == 2.0  # type: ignore[arg-type]
    assert price.__doc__ == "Say what it costs."


def test_a_function_names_every_argument_that_does_not_fit() -> None:
    with pytest.raises(ArgumentValidationError) as refused:
        price({"name": "pen"}, 3)  # type: ignore[arg-type]
    assert [error["loc"] for error in refused.value.errors()] == [
        ("argument", "item", "price"),
        ("argument", "discount"),
    ]
    assert refused.value.endpoint_function == "price"
    assert refused.value.endpoint_file == __file__


def test_a_call_with_wrong_arguments_stays_a_type_error() -> None:
    with pytest.raises(TypeError, match="missing a required argument: 'item'"):
        price()  # type: ignore[call-arg]


def test_what_a_function_returns_is_validated_and_the_error_explains() -> None:
    @validated(response_model=list[Item])
    def items() -> Any:
        return [{"name": "pen", "price": "dear"}]

    with pytest.raises(ResponseValidationError) as refused:
        items()
    assert "response.0.price: Input should be a valid number" in refused.value.__notes__[0]
    assert "'dear' came (str)" in refused.value.__notes__[0]


def test_a_coroutine_function_stays_one() -> None:
    @validated
    async def double(number: int) -> int:
        return number * 2

    assert anyio.run(double, "4") == 8


def test_variable_and_unannotated_arguments_pass_through() -> None:
    @validated
    def collect(first: int, untyped=None, *rest: int, key: Annotated[int, Body()] = 1, **more: int):  # type: ignore[no-untyped-def]
        return [first, untyped, rest, key, more]

    assert collect("1", "x", "2", key="3", other="4") == [1, "x", ("2",), 3, {"other": "4"}]
    assert collect("1") == [1, None, (), 1, {}]


def test_a_declared_parameter_without_a_value_is_missing() -> None:
    @validated
    def page(limit: int = Query(ge=1)) -> int:
        return limit

    assert page("3") == 3  # type: ignore[arg-type]
    with pytest.raises(ArgumentValidationError) as refused:
        page()
    assert refused.value.errors()[0]["type"] == "missing"


def test_a_type_that_pydantic_does_not_know_is_refused_with_the_fix() -> None:
    class Session:
        pass

    Session.__module__ = "app"

    def save(session: Session, known: InstanceOf[Session]) -> None: ...

    save.__annotations__ = {"session": Session, "known": InstanceOf[Session]}
    with pytest.raises(FastAPIError, match=r"pydantic does not know the type of session .*InstanceOf"):
        validated(save)


def test_a_dependency_of_a_function_without_a_request_is_refused() -> None:
    def save(db: Annotated[str, Depends(str)]) -> None: ...

    with pytest.raises(FastAPIError, match=r"dependency \(db\) but no request"):
        validated(save)


def test_a_generator_is_refused() -> None:
    async def numbers(request: Request) -> AsyncIterator[int]:
        yield 1

    with pytest.raises(FastAPIError, match="yields"):
        validated(numbers)


def test_a_websocket_handler_is_refused() -> None:
    async def session(websocket: WebSocket, room: str) -> None: ...

    with pytest.raises(FastAPIError, match="session takes a WebSocket"):
        validated(session)


def test_options_that_mean_nothing_are_refused() -> None:
    with pytest.raises(FastAPIError, match="is no handler, so status_code means nothing"):
        validated(status_code=201)(lambda: None)
    with pytest.raises(TypeError, match="unexpected keyword argument 'tags'"):
        validated(tags=["a"])  # type: ignore[call-overload]
