"""Where pydantic reads a body from its bytes, the result is that of `json.loads` and Python mode."""

import datetime
import decimal
import enum
import json
import random
import uuid
from typing import Annotated, Any, Literal, TypedDict

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, field_validator

from covet.dependencies.plan_body import TakenLate, plan_body
from covet.dependencies.signature import get_dependant
from covet.params import Body

Bytes, Objects = 1, 2


class Colour(enum.Enum):
    RED = "a"
    DAY = "2020-01-01"


class Size(enum.Enum):
    ONE = 1
    TWO = "1"


class Point(BaseModel):
    a: int = 0
    b: str = ""
    c: datetime.date | None = None


class Typed(TypedDict, total=False):
    a: int
    b: list[Any]


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    a: int = 0


class Checked(BaseModel):
    a: int = 0

    @field_validator("a")
    @classmethod
    def check(cls, value: int) -> int:
        return value


NUMBERS = [
    "0",
    "-0",
    "0.0",
    "-0.0",
    "1.0",
    "1e2",
    "1E400",
    "-1e400",
    "1e-400",
    "1577836800",
    "1577836800000",
    "1577836800.5",
    "86400",
    "9007199254740993",
    "18446744073709551617",
    "18446744073709552639",
    "1.5e300",
    "2e10",
    "2e11",
    "-62135596800",
    "253402300799",
    "20000000000",
    "0.1000000000000000055511151231257827021181583404541015625",
    "123456789012345678901234567890",
]
TEXTS = [
    "",
    "a",
    "x",
    "1",
    "true",
    "1.5",
    "1e3",
    " 1",
    "1_000",
    "2020-01-01",
    "2020-01-01T00:00:00",
    "2020-01-01T00:00:00Z",
    "2020-01-01 00:00",
    "2020-01-01T00:00:00.1234567+02:00",
    "00000000-0000-0000-0000-000000000001",
    "00000000000000000000000000000001",
    "{00000000-0000-0000-0000-000000000001}",
    "urn:uuid:00000000-0000-0000-0000-000000000001",
    "1577836800",
    "1577836800000",
    "12:00",
    "12:00:00",
    "P1D",
    "é",
    "\\u00e9",
    "\\ud83d\\ude00",
    "\\ud800",
    "nan",
    "inf",
    "2020-02-30",
    "20200101",
    "0",
    "off",
    "null",
    "0001-01-01",
    "-1",
    "9999-12-31T23:59:59.999999",
]
KEYS = ("a", "b", "c", "1", "2020-01-01", "00000000-0000-0000-0000-000000000001")


def number(source: random.Random) -> str:
    """Return a JSON number, small, big, odd or long."""
    kinds = (
        lambda: str(source.randrange(-3, 3)),
        lambda: str(source.randrange(-(2**70), 2**70)),
        lambda: str(source.randrange(2**53, 2**66)),
        lambda: repr(source.random() * 10 ** source.randrange(-20, 40)),
        lambda: f"{source.randrange(-100, 100)}.{source.randrange(10 ** source.randrange(1, 25))}",
        lambda: source.choice(NUMBERS),
    )
    return source.choice(kinds)()


def document(source: random.Random, depth: int = 0) -> str:
    """Return a JSON text."""
    kind = source.randrange(10 if depth < 3 else 6)
    if kind == 0:
        return source.choice(["true", "false", "null"])
    if kind < 3:
        return number(source)
    if kind < 6:
        return f'"{source.choice(TEXTS)}"'
    if kind < 8:
        return "[" + ",".join(document(source, depth + 1) for _ in range(source.randrange(4))) + "]"
    pairs = (f'"{source.choice(KEYS)}":{document(source, depth + 1)}' for _ in range(source.randrange(4)))
    return "{" + ",".join(pairs) + "}"


SOURCE = random.Random(11)
DOCUMENTS = [document(SOURCE).encode() for _ in range(3000)]
BY_BYTES: list[Any] = [
    Any,
    int,
    float,
    bool,
    str,
    list[Any],
    list[float],
    dict[str, Any],
    dict[str, int],
    Point,
    Point | None,
    Typed,
    Literal["a", "1"],
    Literal[1, 0, "1"],
    datetime.date,
    datetime.datetime,
    datetime.time,
    datetime.timedelta,
    uuid.UUID,
    Colour,
    tuple[int, ...],
    tuple[int, str],
    set[int],
    set[Any],
    frozenset[str],
    list[uuid.UUID],
    list[datetime.date | None],
]
BY_OBJECTS: list[Any] = [
    int | str,
    uuid.UUID | str,
    datetime.date | str,
    dict[str, int] | Point,
    decimal.Decimal,
    bytes,
    Size,
    Strict,
    dict[int, str],
    list[Point | list[int]],
]


def plan(annotation: Any) -> tuple[int, Any, str]:
    def endpoint(value: Any) -> None: ...

    endpoint.__annotations__["value"] = Annotated[annotation, Body()]
    return plan_body(get_dependant(path="/", call=endpoint).body_params, False)


@pytest.mark.parametrize("annotation", BY_BYTES, ids=str)
def test_from_bytes_gives_what_python_mode_gives(annotation: Any) -> None:
    mode, validator, _ = plan(annotation)
    assert mode == Bytes
    accepted = 0
    for body in DOCUMENTS:
        try:
            native = validator.validate_json(body)
        except ValidationError:
            continue
        accepted += 1
        python = TypeAdapter(annotation).validator.validate_python(json.loads(body), from_attributes=True)
        assert (type(native), repr(native)) == (type(python), repr(python)), body
    assert accepted


@pytest.mark.parametrize("annotation", BY_OBJECTS, ids=str)
def test_what_the_modes_take_differently_goes_through_json_loads(annotation: Any) -> None:
    assert plan(annotation)[0] == Objects


def test_a_model_that_runs_user_code_is_validated_by_python() -> None:
    with pytest.raises(TakenLate):
        plan(Checked)
