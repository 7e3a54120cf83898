"""Native extraction gives the values that the Python path gives, or says that Python has to answer."""

import datetime
import enum
import json
import string
import uuid
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from covet._engine import Plan
from covet.datastructures import Headers, QueryParams
from covet.dependencies.extract import request_params_to_args
from covet.dependencies.signature import get_dependant
from covet.params import Cookie, Header, Path, Query
from covet.requests import cookie_parser


class Colour(str, enum.Enum):  # noqa: UP042 - as applications write it
    RED = "red"
    SEA = "sea green"


class Plain(enum.Enum):
    ON = "on"
    EMPTY = ""


Kind = tuple[Any, int, dict[str, Any] | None]
KINDS: dict[str, Kind] = {
    "str": (str, 0, None),
    "short": (Annotated[str, Query(min_length=1, max_length=3)], 0, {"min_length": 1, "max_length": 3}),
    "int": (int, 1, None),
    "bounded": (Annotated[int, Query(ge=-3, lt=50)], 1, {"ge": -3, "lt": 50}),
    "float": (float, 2, None),
    "between": (Annotated[float, Query(gt=0, le=1.5)], 2, {"gt": 0, "le": 1.5}),
    "bool": (bool, 3, None),
    "uuid": (uuid.UUID, 4, None),
    "date": (datetime.date, 5, None),
    "datetime": (datetime.datetime, 6, None),
    "colour": (Colour, 7, {"choices": {member.value: member for member in Colour}}),
    "plain": (Plain, 7, {"choices": {member.value: member for member in Plain}}),
    "literal": (Literal["a", "b c"], 7, {"choices": {"a": "a", "b c": "b c"}}),
}
LISTS: dict[str, Kind] = {
    "words": (list[str], 8, {"item": 0}),
    "numbers": (Annotated[list[int], Query(max_length=2)], 8, {"item": (1, None), "max_length": 2}),
    "colours": (list[Colour], 8, {"item": (7, KINDS["colour"][2])}),
}
MISSING = "a required value is missing"


async def endpoint() -> None: ...


def plan_of(*params: tuple[Any, ...]) -> Plan:
    """Return a plan that only takes parameters."""
    call = (endpoint, 0, (), (), False)
    return Plan((params, (call,), None, (0, None, None, None, None, dict), 0))


def signature(annotation: Any, default: Any) -> Callable[..., None]:
    def call(value: Any) -> None: ...

    call.__annotations__["value"] = annotation
    call.__defaults__ = () if default is ... else (default,)
    return call


def agree(native: Any, values: dict[str, Any], errors: list[Any]) -> None:
    if isinstance(native, str):
        return
    assert not errors
    assert len(native) == 1
    assert repr(native[0]) == repr(values["value"])
    assert type(native[0]) is type(values["value"])


# Texts near the border of what is plain: each kind's own forms, broken and odd ones.
texts = st.one_of(
    st.text(max_size=8),
    st.text(alphabet=string.digits + "+-._eE ", max_size=8),
    st.integers().map(str),
    st.integers(min_value=-(10**19), max_value=10**19).map(str),
    st.floats().map(repr),
    st.floats().map("{:.3E}".format),
    st.sampled_from(
        [
            "true",
            "TRUE",
            "yes",
            "oN",
            "0",
            "1",
            "t",
            "n",
            "2",
            "null",
            "None",
            "",
            " ",
            "inf",
            "nan",
            "1_0",
            "٣",
        ]
    ),
    st.uuids().map(str),
    st.uuids().map(lambda value: str(value).upper()),
    st.uuids().map(lambda value: value.hex),
    st.dates().map(str),
    st.datetimes().map(lambda value: value.isoformat()),
    st.datetimes(timezones=st.timezones()).map(lambda value: value.isoformat()),
    st.datetimes().map(str),
    st.sampled_from(
        [
            "2024-02-30",
            "2024-13-01",
            "0000-01-01",
            "2024-1-1",
            "2024-01-01T24:00:00",
            "2024-01-01T00:00:60",
            "2024-01-01T00:00:00.1234567",
            "2024-01-01T00:00",
            "1700000000",
            "red",
            "RED",
            "sea green",
            "a",
            "b c",
            "on",
        ]
    ),
)


@settings(max_examples=400)
@given(name=st.sampled_from(sorted(KINDS)), text=texts)
def test_a_path_parameter_is_what_python_makes_of_it(name: str, text: str) -> None:
    annotation, kind, constraints = KINDS[name]
    if hasattr(annotation, "__metadata__"):
        annotation = Annotated[annotation.__origin__, Path(**(constraints or {}))]
    dependant = get_dependant(path="/{value}", call=signature(annotation, ...))
    native = plan_of((0, "value", kind, constraints, True, None, 0)).extract({"value": text}, b"", [], b"")
    agree(native, *request_params_to_args(dependant.path_params, {"value": text}))


PIECES = [
    b"value=",
    b"value",
    b"&",
    b"=",
    b"%",
    b"%2",
    b"%C3%A9",
    b"%FF",
    b"+",
    b"%2B",
    b"%20",
    b"v%61lue=",
    b"other=1",
    b"\xe9",
    b"7",
    b"-3",
    b"red",
    b"sea+green",
    b"b%20c",
    b"true",
    b"1.5",
    b";",
    b"#",
    b"?",
    b"2024-01-01",
    b"%26",
    b"%3D",
]
queries = st.one_of(
    st.lists(st.sampled_from(PIECES)).map(b"".join),
    st.lists(texts).map(lambda all_: "&".join(f"value={text}" for text in all_).encode()),
    st.binary(max_size=12).map(lambda tail: b"value=" + tail),
)


@settings(max_examples=600)
@given(name=st.sampled_from(sorted(KINDS | LISTS)), query=queries, optional=st.booleans())
@example(name="int", query=b"value=1&value=2", optional=False)
@example(name="words", query=b"value=1&value=&value", optional=False)
@example(name="words", query=b"", optional=True)
def test_a_query_parameter_is_what_python_makes_of_it(name: str, query: bytes, optional: bool) -> None:
    annotation, kind, constraints = (KINDS | LISTS)[name]
    if name in LISTS and not hasattr(annotation, "__metadata__"):
        annotation = Annotated[annotation, Query()]
    if optional:
        annotation = annotation | None if not hasattr(annotation, "__metadata__") else annotation
    default = None if optional else ...
    dependant = get_dependant(path="/", call=signature(annotation, default))
    native = plan_of((1, "value", kind, constraints, not optional, None, 0)).extract({}, query, [], b"")
    agree(native, *request_params_to_args(dependant.query_params, QueryParams(query)))


fields = st.lists(
    st.tuples(
        st.sampled_from([b"x-value", b"x-other", b"accept"]),
        st.one_of(st.binary(max_size=6), texts.map(lambda text: text.encode("latin-1", "ignore"))),
    ),
    max_size=4,
)


@settings(max_examples=400)
@given(name=st.sampled_from(["str", "int", "bool", "words", "colour"]), raw=fields)
def test_a_header_is_what_python_makes_of_it(name: str, raw: list[tuple[bytes, bytes]]) -> None:
    annotation, kind, constraints = (KINDS | LISTS)[name]
    dependant = get_dependant(path="/", call=signature(Annotated[annotation, Header(alias="x-value")], ...))
    native = plan_of((2, "x-value", kind, constraints, True, None, 0)).extract({}, b"", raw, b"")
    agree(native, *request_params_to_args(dependant.header_params, Headers(raw=raw)))


CRUMBS = [
    "value",
    "=",
    ";",
    " ",
    "\t",
    '"',
    "\\",
    "1",
    "red",
    "other",
    "é",
    "\x01",
    "value=7",
    "value = on ",
    ";;",
    "\\054",
]


@settings(max_examples=400)
@given(
    name=st.sampled_from(["str", "int", "bool", "colour"]),
    crumbs=st.lists(st.lists(st.sampled_from(CRUMBS)), max_size=2),
)
def test_a_cookie_is_what_python_makes_of_it(name: str, crumbs: list[list[str]]) -> None:
    annotation, kind, constraints = KINDS[name]
    lines = ["".join(parts) for parts in crumbs]
    raw = [(b"cookie", line.encode("latin-1")) for line in lines]
    cookies: dict[str, str] = {}
    for line in lines:
        cookies.update(cookie_parser(line))
    dependant = get_dependant(path="/", call=signature(Annotated[annotation, Cookie()], ...))
    native = plan_of((3, "value", kind, constraints, True, None, 0)).extract({}, b"", raw, b"")
    agree(native, *request_params_to_args(dependant.cookie_params, cookies))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("str", "x"),
        ("int", "-12"),
        ("float", "1.5e3"),
        ("bool", "Yes"),
        ("uuid", str(uuid.UUID(int=5))),
        ("date", "2024-02-29"),
        ("datetime", "2024-02-29T01:02:03.25"),
        ("colour", "red"),
        ("literal", "b c"),
    ],
)
def test_the_plain_form_of_each_kind_is_native(name: str, text: str) -> None:
    annotation, kind, constraints = KINDS[name]
    native = plan_of((0, "value", kind, constraints, True, None, 0)).extract({"value": text}, b"", [], b"")
    assert native == (TypeAdapter(annotation).validate_python(text),)


def test_many_parameters_are_all_found() -> None:
    params = [(1, f"p{index}", 1, None, True, None, 0) for index in range(40)]
    query = "&".join(f"p{index}={index}" for index in reversed(range(40)))
    assert plan_of(*params).extract({}, query.encode(), [], b"") == tuple(range(40))


def test_what_is_missing_has_its_default_or_is_left_to_python() -> None:
    plan = plan_of(
        (1, "a", 1, None, False, 7, 0), (2, "b", 0, None, False, None, 0), (3, "c", 0, None, False, "c", 0)
    )
    assert plan.extract({}, b"", [], b"") == (7, None, "c")
    assert plan_of((1, "a", 1, None, True, None, 0)).extract({}, b"b=1", [], b"") == MISSING


def test_a_default_that_can_change_is_copied() -> None:
    default: list[list[int]] = [[1]]
    plan = plan_of((1, "a", 8, {"item": 1}, False, default, 0))
    first, second = plan.extract({}, b"", [], b"")[0], plan.extract({}, b"", [], b"")[0]
    assert first == second == default
    assert first is not second
    assert first[0] is not default[0]


@pytest.mark.parametrize(
    "param",
    [
        (4, "a", 0, None, True, None, 0),
        (0, "a", 9, None, True, None, 0),
        (0, "a", 0, {"ge": 1}, True, None, 0),
        (0, "a", 1, {"ge": 0.5}, True, None, 0),
        (0, "a", 1, {"ge": 2**70}, True, None, 0),
        (0, "a", 7, None, True, None, 0),
        (1, "a", 8, {"item": 8}, True, None, 0),
        (3, "a", 8, {"item": 0}, True, None, 0),
        (0, "a", 2, {"le": 2**60}, True, None, 0),
        (0, "a", 2, {"le": float("nan")}, True, None, 0),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused_when_the_plan_is_made(param: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        plan_of(param)


class Inner(BaseModel):
    name: str
    sizes: list[float] = []


class Body(BaseModel):
    count: int
    inner: Inner | None = None
    table: dict[str, int] = {}


JSON = [(b"content-type", b"application/json")]


def body_plan(mode: int, flags: int = 0, annotation: Any = Body) -> Plan:
    call = (endpoint, 0, (), (), False)
    body = (mode, TypeAdapter(annotation).validator, "application/json")
    return Plan(((), (call,), body, (0, None, None, None, None, dict), flags))


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["count", "inner", "table", "name", "sizes", "x"]), inner),
    ),
    max_leaves=8,
)
bodies = st.one_of(
    values.map(lambda value: json.dumps(value).encode()),
    st.builds(
        lambda count, name, sizes, table: json.dumps(
            {"count": count, "inner": {"name": name, "sizes": sizes}, "table": table}
        ).encode(),
        st.integers(),
        st.text(max_size=5),
        st.lists(st.floats(allow_nan=False, allow_infinity=False)),
        st.dictionaries(st.text(max_size=3), st.integers()),
    ),
    st.binary(max_size=20),
)


@settings(max_examples=500)
@given(body=bodies, mode=st.sampled_from([1, 2]))
@example(body=b'{"count":1,"count":2}', mode=1)
@example(body=b'{"count":1,"table":{"a":1,"b":2,"a":3}}', mode=1)
@example(body=b'\xef\xbb\xbf{"count":1}', mode=1)
@example(body='{"count":1}'.encode("utf-16"), mode=1)
@example(body=b'{"count":1,"table":{"\\ud800":1}}', mode=1)
@example(body=b'{"count":NaN}', mode=2)
@example(body=b'{"count":1e2,"inner":{"name":"a","sizes":[1e400,-0]}}', mode=1)
@example(body=b'{"count":' + b"9" * 4400 + b"}", mode=1)
def test_a_json_body_is_what_python_makes_of_it(body: bytes, mode: int) -> None:
    native = body_plan(mode).extract({}, b"", JSON, body)
    if isinstance(native, str):
        return
    expected = TypeAdapter(Body).validate_python(json.loads(body), from_attributes=True)
    assert repr(native[0]) == repr(expected)
    assert list(native[0].table) == list(expected.table)


@pytest.mark.parametrize("mode", [1, 2])
def test_a_plain_body_is_validated_natively(mode: int) -> None:
    assert body_plan(mode).extract({}, b"", JSON, b'{"count": 3}') == (Body(count=3),)
    for media in (b"Application/JSON ;charset=utf-8", b"application/vnd.x+json"):
        typed = [(b"content-type", media)]
        assert body_plan(mode).extract({}, b"", typed, b'{"count": 3}') == (Body(count=3),)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([], b'{"count":1}'),
        ([(b"content-type", b"text/plain")], b'{"count":1}'),
        ([(b"content-type", b"")], b'{"count":1}'),
        ([(b"content-type", b"application/x+xml")], b'{"count":1}'),
        (JSON, b""),
        (JSON, b"  "),
        (JSON, b"null"),
        (JSON, b'{"count":"x"}'),
        (JSON, b'{"count":1,'),
        (JSON, b'{"count":1,"x":' + b"[" * 65 + b"]" * 65 + b"}"),
    ],
)
def test_an_irregular_body_is_left_to_python(headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    assert isinstance(body_plan(1).extract({}, b"", headers, body), str)
    assert isinstance(body_plan(2).extract({}, b"", headers, body), str)


def test_a_body_without_content_type_is_json_where_the_route_says_so() -> None:
    assert body_plan(1, flags=1).extract({}, b"", [], b'{"count": 3}') == (Body(count=3),)
