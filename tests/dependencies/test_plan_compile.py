"""Plans: what a route is as data, and what keeps a route on the Python path."""

import datetime
import enum
import uuid
from collections.abc import AsyncIterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Discriminator, EmailStr, Field, Json, Tag, TypeAdapter, field_validator
from pydantic_core import SchemaValidator, ValidationError

import covet.routing
import covet.validation.fields
from covet import (
    APIRouter,
    BackgroundTasks,
    Body,
    Cookie,
    CovetPy,
    Depends,
    Form,
    Header,
    Query,
    Request,
    Response,
    Security,
)
from covet._engine import generation
from covet.dependencies.plan_body import user_code
from covet.dependencies.plan_shape import plan_shape
from covet.exceptions import ResponseValidationError
from covet.requests import HTTPConnection
from covet.responses import HTMLResponse, JSONResponse, PlainTextResponse
from covet.routing import APIRoute
from covet.security import HTTPBearer, SecurityScopes


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


class Shape(enum.Enum):
    ROUND = "round"


class Number(enum.Enum):
    ONE = 1


class Item(BaseModel):
    name: str
    tags: list[str] = Field(default_factory=list)
    price: float | None = None


REQUEST = Request({"type": "http", "method": "POST", "root_path": ""})


def plan_of(endpoint, *, path="/x", app=None, method="POST", **options):
    app = CovetPy() if app is None else app
    app.api_route(path, methods=[method], **options)(endpoint)
    return app.routes[-1].native_plan


def params_of(endpoint, path="/x"):
    plan = plan_of(endpoint, path=path)
    assert isinstance(plan, tuple), plan
    return plan[0]


def test_parameters_are_tuples():
    async def endpoint(
        number: int,
        q: str,
        limit: Annotated[int, Query(ge=1, le=100)] = 10,
        x_token: Annotated[str | None, Header()] = None,
        session: Annotated[str, Cookie(min_length=2)] = "none",
    ): ...

    assert params_of(endpoint, "/{number}") == (
        (0, "number", 1, None, True, None, 0),
        (1, "q", 0, None, True, None, 0),
        (1, "limit", 1, {"ge": 1, "le": 100}, False, 10, 0),
        (2, "x-token", 0, None, False, None, 0),
        (3, "session", 0, {"min_length": 2}, False, "none", 0),
    )


@pytest.mark.parametrize(
    ("annotation", "kind", "constraints"),
    [
        (str, 0, None),
        (Any, 0, None),
        (int, 1, None),
        (float, 2, None),
        (Annotated[float, Query(gt=0.5)], 2, {"gt": 0.5}),
        (bool, 3, None),
        (uuid.UUID, 4, None),
        (datetime.date, 5, None),
        (datetime.datetime, 6, None),
        (Colour, 7, {"choices": {"red": Colour.RED, "blue": Colour.BLUE}}),
        (Shape, 7, {"choices": {"round": Shape.ROUND}}),
        (Literal["a", "b"], 7, {"choices": {"a": "a", "b": "b"}}),
        (Annotated[list[int], Query()], 8, {"item": (1, None)}),
        (Annotated[list, Query()], 8, {"item": (0, None)}),
        (Annotated[list[str], Query(max_length=3)], 8, {"max_length": 3, "item": (0, None)}),
        (int | None, 1, None),
    ],
    ids=str,
)
def test_kinds_and_constraints(annotation, kind, constraints):
    async def endpoint(value): ...

    endpoint.__annotations__["value"] = annotation
    assert params_of(endpoint)[0][2:4] == (kind, constraints)


class Group(BaseModel):
    a: int = 1


@pytest.mark.parametrize(
    ("annotation", "default", "reason"),
    [
        (Annotated[str, Query(pattern="^a")], "a", "constraints that only pydantic checks"),
        (Annotated[int, Query(multiple_of=2)], 2, "multiple_of"),
        (Annotated[int, Query(gt=1.0)], 2, "bounds that are no integers"),
        (Annotated[int, Query(strict=True)], 2, "strict"),
        (int | str, 2, "only pydantic converts"),
        (Annotated[set[int], Query()], set(), "only pydantic converts"),
        (Number, Number.ONE, "something else than strings"),
        (Literal[1], 1, "something else than strings"),
        (Annotated[Json[list[int]], Query()], "[]", "comes as JSON"),
        (Annotated[Group, Query()], Group(), "a model of parameters"),
        (Annotated[int, Query(validate_default=True)], 1, "made or validated"),
    ],
    ids=str,
)
def test_parameters_that_only_pydantic_knows_are_reasons(annotation, default, reason):
    async def endpoint(value=default): ...

    endpoint.__annotations__["value"] = annotation
    assert reason in plan_of(endpoint)


def test_a_default_factory_is_a_reason():
    async def endpoint(value: Annotated[int, Query(default_factory=int)]): ...

    assert "made or validated for each request" in plan_of(endpoint)


def test_several_aliases_are_a_reason():
    from pydantic import AliasChoices

    async def endpoint(value: Annotated[int, Query(validation_alias=AliasChoices("a", "b"))]): ...

    assert "several aliases" in plan_of(endpoint)


def test_lists_in_cookies_are_a_reason():
    async def endpoint(value: Annotated[list[int], Cookie()]): ...

    assert "does not repeat" in plan_of(endpoint)


def test_an_optional_path_parameter_has_its_default():
    async def endpoint(number: int = 7): ...

    assert params_of(endpoint, "/x/{number?}")[0] == (0, "number", 1, None, False, 7, 0)


def test_dependencies_come_before_those_who_need_them_and_once():
    def first(q: int = 1): ...

    async def second(a: Annotated[int, Depends(first)], b: Annotated[int, Depends(first)]): ...

    class Third:
        def __init__(self, z: str = ""): ...

    async def endpoint(
        x: Annotated[int, Depends(second)], y: Annotated[int, Depends(first)], t: Annotated[Third, Depends()]
    ): ...

    params, calls, *_ = plan_of(endpoint)
    assert [param[1] for param in params] == ["q", "z"]
    assert calls == (
        (first, 1, ("q",), (0,), True),
        (second, 0, ("a", "b"), (3, 3), True),
        (Third, 3, ("z",), (1,), True),
        (endpoint, 0, ("x", "y", "t"), (4, 3, 5), False),
    )


def test_an_uncached_dependency_runs_for_each_that_asks():
    def below(): ...
    def middle(value: Annotated[int, Depends(below, use_cache=False)]): ...

    async def endpoint(a: Annotated[int, Depends(middle)], b: Annotated[int, Depends(middle)]): ...

    _, calls, *_ = plan_of(endpoint)
    assert [call[0] for call in calls] == [below, middle, below, endpoint]
    assert calls[-1][3] == (2, 2)


def test_the_framework_gives_by_negative_slots():
    def endpoint(
        request: Request, response: Response, tasks: BackgroundTasks, connection: HTTPConnection
    ): ...

    _, calls, *_ = plan_of(endpoint)
    given = dict(zip(calls[0][2], calls[0][3], strict=True))
    assert given == {"request": -1, "response": -2, "tasks": -3, "connection": -4}
    assert calls[0][1] == 1


def test_inline_runs_on_the_loop():
    def endpoint(): ...

    assert plan_of(endpoint, inline=True)[1][0][1] == 2


def test_overrides_are_compiled_in():
    def real(q: int): ...
    def fake(w: str = "w"): ...

    async def endpoint(value: Annotated[int, Depends(real)]): ...

    app = CovetPy()
    assert plan_of(endpoint, app=app)[1][0][0] is real
    app.dependency_overrides[real] = fake
    params, calls, *_ = app.routes[-1].native_plan
    assert params[0][1] == "w"
    assert calls[0][0] is fake
    app.dependency_overrides.clear()
    assert app.routes[-1].native_plan[1][0][0] is real


def test_an_override_that_takes_the_body_is_a_reason():
    def real(): ...
    def fake(item: Item): ...

    async def endpoint(value: Annotated[int, Depends(real)]): ...

    app = CovetPy()
    app.dependency_overrides[real] = fake
    assert plan_of(endpoint, app=app) == "an overriding dependency takes the body"


class Loose(BaseModel):
    anything: Any
    mapping: dict[str, int | None]
    choice: Literal["a", 1]
    inner: list[Item]


class Recursive(BaseModel):
    children: list["Recursive"] = []


class Dated(BaseModel):
    when: datetime.date
    made: datetime.datetime = Field(default_factory=datetime.datetime.now)
    id: uuid.UUID = Field(default_factory=uuid.uuid4)


@pytest.mark.parametrize(
    "annotation", [Item, list[Item], dict, Loose, Recursive, dict[str, Any], Item | None, Dated]
)
def test_plain_models_are_validated_from_bytes(annotation):
    async def endpoint(item: Annotated[Any, Body()]): ...

    endpoint.__annotations__["item"] = Annotated[annotation, Body()]
    mode, validator, media = plan_of(endpoint)[2]
    assert mode == 1
    assert type(validator) is SchemaValidator
    assert media == "application/json"


class Strict(BaseModel, strict=True):
    a: int


class Coercing(BaseModel, coerce_numbers_to_str=True):
    a: str


class Mailed(BaseModel):
    mail: EmailStr


class Private(BaseModel):
    a: int
    _b: int = 1


class Keyed(BaseModel):
    by_number: dict[int, str]


@dataclass
class Data:
    a: int


@pytest.mark.parametrize("model", [Strict, Coercing, Mailed, Keyed, Data, Item | Dated])
def test_other_models_go_through_json_loads(model):
    async def endpoint(item: Annotated[Any, Body()]): ...

    endpoint.__annotations__["item"] = model
    assert plan_of(endpoint)[2][0] == 2


def test_private_attributes_are_pydantics_own_affair():
    async def endpoint(item: Private): ...

    assert plan_of(endpoint)[2][0] in (1, 2)


class Validated(BaseModel):
    a: int

    @field_validator("a")
    def check(cls, value):
        return value


class PostInit(BaseModel):
    a: int

    def model_post_init(self, context: Any) -> None: ...


class OwnInit(BaseModel):
    a: int

    def __init__(self, **data):
        super().__init__(**data)


class Counted(BaseModel):
    a: int = Field(default_factory=lambda: 1)


@dataclass
class PostInitData:
    a: int

    def __post_init__(self): ...


class Missing(enum.Enum):
    A = "a"

    @classmethod
    def _missing_(cls, value):
        return cls.A


class WithMissing(BaseModel):
    a: Missing


class One(BaseModel):
    a: int


Tagged = Annotated[
    Annotated[One, Tag("one")] | Annotated[Item, Tag("item")], Discriminator(lambda value: "one")
]


@pytest.mark.parametrize(
    ("annotation", "culprit"),
    [
        (Validated, "function-after"),
        (PostInit, "model_post_init"),
        (OwnInit, "__init__"),
        (Counted, "default_factory"),
        (PostInitData, "__post_init__"),
        (WithMissing, "_missing_"),
        (Tagged, "discriminator"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_code_that_would_run_twice_runs_late_in_python(annotation, culprit):
    async def endpoint(item: Annotated[Any, Body()]): ...

    endpoint.__annotations__["item"] = Annotated[annotation, Body()]
    params, calls, (mode, (take, _), media), *_ = plan_of(endpoint)
    assert (mode, media) == (3, "application/json")
    assert params == ((4, "item", 0, None, True, None, 0),)
    assert calls[0][3] == (0,)
    assert take([])[1]
    assert user_code(covet.validation.fields.TypeAdapter(annotation).core_schema) == culprit


def test_bodies_of_several_parts_are_taken_late():
    async def two(a: Item, b: Item): ...
    async def embedded(a: Annotated[Item, Body(embed=True)]): ...
    async def form(a: Annotated[Item, Form()]): ...
    async def text(a: Annotated[Json[Item], Body()]): ...

    def below(a: Item): ...
    async def twice(value: Annotated[int, Depends(below)], b: Item): ...

    assert plan_of(two)[2][0] == 3
    assert plan_of(two)[2][1][0]({"a": {"name": "x"}, "b": {"name": "y"}})[0][1].name == "y"
    assert plan_of(embedded)[2][0] == 3
    assert plan_of(text)[2][0] == 3
    assert plan_of(form) == "the body is a form"
    assert "several parameters" in plan_of(twice)


def test_the_body_takes_the_slot_after_the_parameters():
    async def endpoint(q: int, item: Item): ...

    _, calls, *_ = plan_of(endpoint)
    assert dict(zip(calls[0][2], calls[0][3], strict=True)) == {"q": 0, "item": 1}


def test_json_without_content_type_is_a_flag():
    async def endpoint(item: Item): ...

    assert plan_of(endpoint)[4] == 0
    assert plan_of(endpoint, app=CovetPy(strict_content_type=False))[4] == 1


def test_values_without_a_model_go_through_the_json_writer():
    async def endpoint(): ...

    assert plan_of(endpoint, status_code=201)[3] == (0, None, 201, "application/json", None, JSONResponse)


def test_a_response_model_goes_through_pydantic():
    async def endpoint() -> Item: ...

    mode, (validator, serializer, options, refuse, shape), *rest = plan_of(
        endpoint, response_model_exclude_none=True
    )[3]
    value = validator.validate_python({"name": "x"}, from_attributes=True)
    assert mode == 1
    assert serializer.to_json(value, **options) == b'{"name":"x","tags":[]}'
    assert rest == [None, "application/json", None, Response]
    assert shape is None
    with pytest.raises(ValidationError) as refused:
        validator.validate_python({}, from_attributes=True)
    with pytest.raises(ResponseValidationError, match="POST /x") as raised:
        refuse(refused.value, {}, REQUEST)
    assert raised.value.errors()[0]["loc"] == ("response", "name")


def test_a_plain_response_model_has_a_shape_unless_somebody_serialises_it_otherwise():
    async def endpoint() -> Item: ...

    *_, shape = plan_of(endpoint)[3][1]
    assert shape == plan_shape(TypeAdapter(Item).core_schema, {"by_alias": True})
    assert shape is not None


@pytest.mark.parametrize(
    ("cls", "media_type"), [(PlainTextResponse, "text/plain"), (HTMLResponse, "text/html")]
)
def test_text_is_sent_as_it_is(cls, media_type):
    async def endpoint(): ...

    assert plan_of(endpoint, response_class=cls)[3] == (2, None, None, media_type, None, cls)


class Shouting(JSONResponse):
    def render(self, content):
        return super().render(content).upper()


def test_other_response_classes_are_made_in_python():
    async def endpoint(): ...

    mode, finish, *_ = plan_of(endpoint, response_class=Shouting, status_code=202)[3]
    response = finish({"a": "b"}, None)
    assert mode == 3
    assert (type(response), response.status_code, response.body) == (Shouting, 202, b'{"A":"B"}')
    no_body = plan_of(endpoint, response_class=Shouting, status_code=204)[3][1](None, None)
    assert no_body.body == b""


def test_a_model_with_a_response_class_is_filtered_in_python():
    async def endpoint() -> Item: ...

    finish = plan_of(endpoint, response_class=Shouting)[3][1]
    assert finish({"name": "x", "more": 1}, None).body == b'{"NAME":"X","TAGS":[],"PRICE":NULL}'
    with pytest.raises(ResponseValidationError):
        finish({}, REQUEST)


def test_an_injected_response_with_another_class_is_a_reason():
    async def endpoint(response: Response): ...

    assert "injected response" in plan_of(endpoint, response_class=Shouting)


def test_validators_beside_a_blocking_handler_are_a_reason():
    def blocking() -> Validated: ...
    async def on_the_loop() -> Validated: ...

    assert "blocking handler" in plan_of(blocking)
    assert isinstance(plan_of(on_the_loop), tuple)
    assert isinstance(plan_of(blocking, inline=True), tuple)


def yielding():
    yield 1


async def streaming() -> AsyncIterable[int]:
    yield 1


def limited(value: Annotated[int, Depends(len, max_concurrency=1)]): ...
def with_scopes(scopes: SecurityScopes): ...
def with_generator(value: Annotated[int, Depends(yielding)]): ...


@pytest.mark.parametrize(
    ("endpoint", "reason"),
    [
        (streaming, "the handler yields"),
        (yielding, "the handler yields"),
        (with_scopes, "with_scopes asks for the security scopes"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_plans_cannot_say_is_a_reason(endpoint, reason):
    assert plan_of(endpoint) == reason


def test_a_generator_is_opened_by_a_function_of_ours():
    _, calls, _, _, flags = plan_of(with_generator)
    assert calls[0][1:4] == (0, ("__covet_exits",), (-5,))
    assert calls[1][:4] == (with_generator, 1, ("value",), (1,))
    assert flags & 2


def test_a_limited_dependency_is_a_reason():
    def dependency(): ...
    async def endpoint(value: Annotated[int, Depends(dependency, max_concurrency=1)]): ...

    assert "has a max_concurrency" in plan_of(endpoint)


def test_security_schemes_are_planned():
    scheme = HTTPBearer()

    async def endpoint(token: Annotated[Any, Security(scheme, scopes=["a"])]): ...

    _, calls, *_ = plan_of(endpoint)
    assert calls[0] == (scheme, 0, ("request",), (-4,), True)


def endpoint_of_routes(): ...


def test_limits_of_a_route_alone_are_reasons():
    assert plan_of(endpoint_of_routes, max_body_size=5) == "a max_body_size of its own"
    assert plan_of(endpoint_of_routes, cancel_on_disconnect=True) == "a cancel_on_disconnect of its own"
    assert isinstance(plan_of(endpoint_of_routes, app=CovetPy(max_body_size=5)), tuple)
    assert isinstance(plan_of(endpoint_of_routes, app=CovetPy(cancel_on_disconnect=True)), tuple)


def test_an_overridden_route_class_is_a_reason():
    class Mine(APIRoute):
        def get_route_handler(self):
            return super().get_route_handler()

    router = APIRouter(route_class=Mine)
    router.get("/")(endpoint_of_routes)
    assert "Mine.get_route_handler is overridden" in router.routes[0].native_plan


def test_a_replaced_hook_is_a_reason_until_it_is_put_back(monkeypatch):
    app = CovetPy()
    app.get("/")(endpoint_of_routes)
    route = app.routes[-1]
    assert isinstance(route.native_plan, tuple)
    with monkeypatch.context() as patch:
        patch.setattr(covet.routing, "solve_dependencies", lambda **_: None)
        assert route.native_plan == "covet.routing.solve_dependencies is replaced"
    assert isinstance(route.native_plan, tuple)


def test_a_method_patched_on_the_class_is_a_reason(monkeypatch):
    app = CovetPy()
    app.get("/")(endpoint_of_routes)
    monkeypatch.setattr(APIRoute, "handle", lambda *_: None)
    app.title = "changed"
    assert app.routes[-1].native_plan == "APIRoute.handle is overridden"


def test_changes_of_a_route_are_seen():
    app = CovetPy()
    app.get("/")(endpoint_of_routes)
    route = app.routes[-1]
    assert isinstance(route.native_plan, tuple)
    route.dependant.dependencies.append(covet.routing.get_dependant(path="/", call=with_scopes))
    assert "security scopes" in route.native_plan
    route.dependant.dependencies.clear()
    assert isinstance(route.native_plan, tuple)
    route.dependant.call = streaming
    assert route.native_plan == "the handler yields"
    route.dependant.call = endpoint_of_routes
    route.app = lambda *_: None
    assert route.native_plan == "app of this route is replaced"


def test_another_kind_of_call_is_a_reason():
    async def other(): ...

    app = CovetPy()
    app.get("/")(endpoint_of_routes)
    app.routes[-1].dependant.call = other
    assert "another kind of callable" in app.routes[-1].native_plan


def test_an_instance_attribute_is_a_reason():
    app = CovetPy()
    app.get("/")(endpoint_of_routes)
    app.routes[-1].handle = lambda *_: None
    assert app.routes[-1].native_plan == "handle of this route is replaced"


def test_included_routes_have_plans_of_their_place():
    def from_include(tenant: str): ...

    router = APIRouter()
    router.get("/x")(endpoint_of_routes)
    app = CovetPy()
    app.include_router(router, prefix="/{tenant}", dependencies=[Depends(from_include)])
    (context,) = [
        each for each in covet.routing.iter_route_contexts(app.routes) if each.path == "/{tenant}/x"
    ]
    params, calls, *_ = context.native_plan
    assert params[0][:3] == (0, "tenant", 0)
    assert calls[0][0] is from_include


def test_compiling_is_no_change():
    app = CovetPy()

    def real(): ...
    def fake(q: int = 1, r: Request = None): ...
    async def endpoint(item: Item, value: Annotated[int, Depends(real)]) -> Item: ...

    app.post("/")(endpoint)
    app.dependency_overrides[real] = fake
    before = generation()
    assert isinstance(app.routes[-1].native_plan, tuple)
    assert app.routes[-1].native_plan is app.routes[-1].native_plan
    assert generation() == before
