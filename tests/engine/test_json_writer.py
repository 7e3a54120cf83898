"""The native JSON writer gives the bytes of `json.dumps(jsonable_encoder(x))`, or None; never other bytes."""

import collections
import dataclasses
import datetime
import decimal
import enum
import ipaddress
import json
import math
import pathlib
import random
import struct
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, RootModel, computed_field

from covet import encoders
from covet._engine import json_dumps


def by_python(value: Any) -> bytes:
    encoded = encoders.jsonable_encoder(value)
    return json.dumps(encoded, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(2**80), max_value=2**80),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.text(alphabet='a"\\\n\t\x00\x1f\x7fé\u2028😀', max_size=40),
)
keys = st.one_of(
    st.text(),
    st.just("_sa_instance_state"),
    st.integers(),
    st.booleans(),
    st.none(),
    st.floats(allow_nan=False, allow_infinity=False),
)
nested = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.dictionaries(keys, inner),
        st.lists(inner).map(collections.deque),
    ),
    max_leaves=30,
)


@given(nested)
def test_nested_builtins_give_the_bytes_of_json_dumps(value: Any) -> None:
    assert json_dumps(value) == by_python(value)


@given(st.one_of(st.floats(), st.lists(st.floats()), st.dictionaries(st.floats(), st.none())))
def test_numbers_that_are_not_finite_are_left_to_python(value: Any) -> None:
    try:
        expected: bytes | None = by_python(value)
    except ValueError:
        expected = None
    assert json_dumps(value) == expected


def test_floats_of_every_magnitude_are_written_as_repr() -> None:
    source = random.Random(7)
    for _ in range(20_000):
        value = struct.unpack("d", source.randbytes(8))[0]
        if math.isfinite(value):
            assert json_dumps(value) == repr(value).encode()
    for exponent in range(-330, 310):
        for digits in ("1", "1.5", "9.999999999999999", "-1.2345678901234567"):
            value = float(f"{digits}e{exponent}")
            if math.isfinite(value):
                assert json_dumps(value) == repr(value).encode()


@given(st.text(alphabet=st.characters(codec=None)))
def test_text_with_surrogates_is_left_to_python(value: str) -> None:
    try:
        expected: bytes | None = by_python(value)
    except UnicodeEncodeError:
        expected = None
    assert json_dumps(value) == expected


class Colour(enum.Enum):
    RED = "red"
    MANY = ("a", 1)
    ODD = {"_sa_key": 1}  # noqa: RUF012


class Number(enum.IntEnum):
    ONE = 1


class Name(str, enum.Enum):  # noqa: UP042 - as applications write it
    ADA = "ada"


@dataclasses.dataclass
class Point:
    x: int
    tags: set[str] = dataclasses.field(default_factory=lambda: {"only"})


class Item(BaseModel):
    identifier: uuid.UUID = uuid.UUID(int=7)
    price: float = 1e-5
    day: datetime.date = datetime.date(2024, 2, 29)
    name: str = Field("n", alias="theName", serialization_alias="outName")
    colour: Colour = Colour.RED
    children: list["Item"] = Field(default_factory=list)
    amount: decimal.Decimal = decimal.Decimal("1.50")

    @computed_field
    @property
    def double(self) -> float:
        return self.price * 2


class Dumped(BaseModel):
    value: int = 1

    def model_dump(self, **options: Any) -> dict[str, Any]:
        return {"own": sorted(str(option) for option in options)}


class Named(collections.namedtuple("Named", "first second")):
    pass


class Text(str):
    pass


class Mapped:
    def __init__(self) -> None:
        self.visible = 1
        self._sa_hidden = 2


@pytest.mark.parametrize(
    "value",
    [
        Colour.RED,
        Colour.MANY,
        Colour.ODD,
        Number.ONE,
        Name.ADA,
        [Colour.RED, {"k": Name.ADA}],
        Point(1),
        [Point(2, {"z"})],
        Item(theName="x", children=[Item(theName="y")]),
        {"item": Item(theName="é")},
        Dumped(),
        RootModel[list[int]]([1, 2]),
        Named(1, [Point(3)]),
        Text("s"),
        Mapped(),
        [Mapped(), 1.5],
        uuid.UUID(int=2**128 - 1),
        uuid.UUID(int=0),
        datetime.datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=datetime.UTC),
        datetime.datetime(1, 1, 1),
        datetime.date(9999, 12, 31),
        datetime.time(1, 2, 3),
        datetime.timedelta(days=1, microseconds=1),
        decimal.Decimal("1.0"),
        decimal.Decimal("3"),
        decimal.Decimal("1e3"),
        pathlib.PurePosixPath("/a/b"),
        ipaddress.ip_address("127.0.0.1"),
        b"bytes",
        {1, 2, 3},
        frozenset({"a"}),
        collections.deque([1, (2,)]),
        collections.OrderedDict(a=1),
        collections.defaultdict(list, a=[1]),
        {"_sa_x": 1, "_sax": 2, "_s": 3},
        {1: "a", "1": "b", None: 0, 2.5: 3, 1e-7: 4},
        range(3),
        {Name.ADA: 1},
        {uuid.UUID(int=1): 1},
        10**400,
        -(10**25),
        "\u2028\u2029</script>",
        memoryview(b""),
    ],
    ids=repr,
)
def test_objects_are_written_as_the_encoder_writes_them(value: Any) -> None:
    written: bytes | type[Exception] | None
    expected: bytes | type[Exception]
    try:
        expected = by_python(value)
    except Exception as error:
        expected = type(error)
    try:
        written = json_dumps(value)
    except Exception as error:
        written = type(error)
    assert written == expected or written is None


@pytest.mark.parametrize(
    "value", [Item(theName="x"), Point(1), Colour.RED, uuid.UUID(int=1), {"a": [1, {2}]}], ids=repr
)
def test_common_objects_are_written_natively(value: Any) -> None:
    assert json_dumps(value) is not None


def test_a_generator_is_read_once() -> None:
    assert json_dumps({"items": (number for number in range(3))}) == b'{"items":[0,1,2]}'


def test_an_error_after_a_generator_was_read_is_raised_and_not_retried() -> None:
    with pytest.raises(ValueError, match="Out of range float values"):
        json_dumps([(number for number in range(3)), math.nan])
    with pytest.raises(UnicodeEncodeError):
        json_dumps([(number for number in range(3)), "\ud800"])


def test_what_an_encoder_raises_is_raised() -> None:
    class Broken(BaseModel):
        @computed_field
        @property
        def value(self) -> int:
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        json_dumps(Broken())


def test_cycles_and_great_depth_are_left_to_python() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    assert json_dumps(cycle) is None
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert json_dumps(deep) is None
    while deep:
        deep = deep[0]


def test_a_replaced_encoder_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(encoders.ENCODERS_BY_TYPE, datetime.datetime, lambda value: value.year)
    monkeypatch.setitem(encoders.ENCODERS_BY_TYPE, uuid.UUID, lambda value: value.hex)
    assert json_dumps([datetime.datetime(2024, 1, 1), uuid.UUID(int=0)]) == f'[2024,"{"0" * 32}"]'.encode()


def test_a_dict_that_a_serialiser_changes_is_left_to_python() -> None:
    shared: dict[str, Any] = {}

    class Meddler(BaseModel):
        @computed_field
        @property
        def value(self) -> int:
            shared["more"] = 1
            return 1

    shared["first"] = Meddler()
    shared["second"] = 2
    assert json_dumps(shared) is None


def test_a_large_text_does_not_stay_in_the_buffer() -> None:
    big = "x" * 1_000_000
    assert json_dumps(big) == b'"' + big.encode() + b'"'
    assert json_dumps([1]) == b"[1]"
