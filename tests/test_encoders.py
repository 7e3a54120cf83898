"""`jsonable_encoder`: what becomes of every kind of object, and what the options leave out."""

import dataclasses
import datetime
import enum
import ipaddress
import pathlib
import re
import uuid
from collections import deque
from decimal import Decimal

import pytest
from pydantic import AnyUrl, BaseModel, Field, SecretStr
from pydantic_core import PydanticUndefined

from covet.encoders import generate_encoders_by_class_tuples, jsonable_encoder


class Colour(enum.Enum):
    RED = "red"


class Item(BaseModel):
    name: str
    price: float = Field(default=1.5, alias="cost")
    note: str | None = None


@dataclasses.dataclass
class Point:
    x: int
    tags: set[str]


class Attributes:
    def __init__(self) -> None:
        self.a = 1


class Pairs:
    def __iter__(self):
        return iter([("b", 2)])


UUID = uuid.uuid4()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Item(name="x", cost=2), {"name": "x", "cost": 2.0, "note": None}),
        (Point(1, {"a"}), {"x": 1, "tags": ["a"]}),
        (Colour.RED, "red"),
        (pathlib.PurePosixPath("/a"), "/a"),
        (pathlib.Path("b"), "b"),
        (None, None),
        (PydanticUndefined, None),
        ({1: {2}}, {1: [2]}),
        ((1, frozenset({2})), [1, [2]]),
        (deque([1]), [1]),
        ((i for i in range(2)), [0, 1]),
        (b"abc", "abc"),
        (datetime.date(2024, 1, 2), "2024-01-02"),
        (datetime.datetime(2024, 1, 2, 3), "2024-01-02T03:00:00"),
        (datetime.timedelta(minutes=1), 60.0),
        (Decimal("1.50"), 1.5),
        (Decimal("3"), 3),
        (Decimal("NaN").is_nan(), True),
        (ipaddress.ip_address("::1"), "::1"),
        (re.compile("a+"), "a+"),
        (UUID, str(UUID)),
        (SecretStr("x"), "**********"),
        (AnyUrl("http://a.b/"), "http://a.b/"),
        (Attributes(), {"a": 1}),
        (Pairs(), {"b": 2}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_become_plain_data(value, expected):
    assert jsonable_encoder(value) == expected


def test_a_subclass_is_encoded_as_its_base():
    class Special(datetime.date): ...

    assert jsonable_encoder(Special(2024, 1, 2)) == "2024-01-02"


def test_an_object_without_anything_is_refused():
    with pytest.raises(ValueError, match="object"):
        jsonable_encoder(object())


def test_options_select_keys():
    data = {"a": 1, "b": None, "_sa_state": 2}
    assert jsonable_encoder(data) == {"a": 1, "b": None}
    assert jsonable_encoder(data, exclude_none=True) == {"a": 1}
    assert jsonable_encoder(data, include=["a"]) == {"a": 1}
    assert jsonable_encoder(data, exclude={"a"}) == {"b": None}
    assert jsonable_encoder(data, sqlalchemy_safe=False)["_sa_state"] == 2


def test_model_options_reach_models_inside():
    value = [Item(name="x")]
    assert jsonable_encoder(value, exclude_unset=True) == [{"name": "x"}]
    assert jsonable_encoder(value, by_alias=False, exclude_none=True) == [{"name": "x", "price": 1.5}]
    assert jsonable_encoder(value, exclude_defaults=True) == [{"name": "x"}]


def test_custom_encoders_go_first_by_exact_type_then_by_base():
    custom = {datetime.date: lambda value: "a date", str: str.upper}
    assert jsonable_encoder({"k": datetime.datetime(2024, 1, 2)}, custom_encoder=custom) == {"K": "a date"}
    assert jsonable_encoder("x", custom_encoder={str: str.upper}) == "X"
    assert jsonable_encoder(5, custom_encoder={str: str.upper}) == 5


def test_encoders_are_grouped_by_function():
    assert generate_encoders_by_class_tuples({int: str, float: str}) == {str: (int, float)}
