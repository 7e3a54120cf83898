"""Models written by their shape have pydantic's bytes, or are left to pydantic; never other bytes."""

import enum
import math
import warnings
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import cached_property
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    RootModel,
    TypeAdapter,
    computed_field,
    create_model,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
)

from covet._engine import json_dumps_shaped
from covet.dependencies.plan_shape import ROOM, plan_shape

OPTIONS: dict[str, Any] = {
    "include": None,
    "exclude": None,
    "by_alias": True,
    "exclude_unset": False,
    "exclude_defaults": False,
    "exclude_none": False,
}


class Colour(enum.Enum):
    RED = "red"
    BLUE = 'bl"ue'


class Inner(BaseModel):
    text: str
    number: int = 0
    real: float = 0.0


class Outer(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    flag: bool
    maybe: int | None = None
    nothing: None = None
    kind: Literal["a", "b\n"] = "a"
    colour: Colour = Colour.RED
    ident: UUID = UUID(int=7)
    day: date = date(1, 2, 3)
    moment: datetime = datetime(2024, 1, 2, 3, 4, 5)
    inner: Inner = Field(alias="in side", default=Inner(text=""))
    inners: list[Inner] = []
    table: Annotated[dict[str, list[float]], Field(serialization_alias='t"able')] = {}
    checked: Annotated[str, AfterValidator(str.strip)] = Field(
        default="", validation_alias=AliasChoices("c", "checked"), max_length=1000
    )

    @field_validator("maybe", mode="before")
    @classmethod
    def as_it_is(cls, value: Any) -> Any:
        return value


def shape_of(annotation: Any, **options: Any) -> Any:
    return plan_shape(TypeAdapter(annotation).core_schema, {**OPTIONS, **options})


def both(annotation: Any, value: Any, **options: Any) -> tuple[bytes | None, bytes]:
    adapter = TypeAdapter(annotation)
    shape = plan_shape(adapter.core_schema, {**OPTIONS, **options})
    assert shape is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return json_dumps_shaped(value, shape), adapter.serializer.to_json(value, **{**OPTIONS, **options})


zones = st.one_of(
    st.none(),
    st.just(UTC),
    st.timedeltas(min_value=timedelta(hours=-23), max_value=timedelta(hours=23)).map(timezone),
    st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
moments = st.one_of(
    st.datetimes(timezones=zones),
    st.sampled_from(["2024-02-29T23:59:59Z", "2024-02-29T23:59:59.5+05:30", "0001-01-01T00:00:00-03:00"]).map(
        TypeAdapter(datetime).validate_python
    ),
)
texts = st.one_of(st.text(), st.text(alphabet='a"\\/\n\t\x00\x1f\x7fé\u2028😀'))
inners = st.builds(Inner, text=texts, number=st.integers(-(2**70), 2**70), real=st.floats())
outers = st.builds(
    Outer,
    flag=st.booleans(),
    maybe=st.one_of(st.none(), st.integers()),
    kind=st.sampled_from(["a", "b\n"]),
    colour=st.sampled_from(Colour),
    ident=st.uuids(),
    day=st.dates(),
    moment=moments,
    inner=inners,
    inners=st.lists(inners, max_size=3),
    table=st.dictionaries(texts, st.lists(st.floats(allow_nan=False), max_size=3), max_size=3),
    checked=texts,
)


@given(outers, st.booleans())
def test_a_model_has_pydantics_bytes_or_none(value: Outer, by_alias: bool) -> None:
    ours, pydantics = both(Outer, value, by_alias=by_alias)
    assert ours in (pydantics, None)


@given(st.lists(inners, max_size=4))
def test_a_list_of_models_has_pydantics_bytes_or_none(value: list[Inner]) -> None:
    ours, pydantics = both(list[Inner], value)
    assert ours in (pydantics, None)


@given(st.floats())
def test_floats_of_common_size_are_written_and_others_left(value: float) -> None:
    ours, pydantics = both(float, value)
    common = value == 0 or 1e-4 <= abs(value) < 1e15
    assert ours == (pydantics if common else None)


def test_ordinary_values_are_written_here() -> None:
    value = Outer(
        flag=True, maybe=3, inners=[Inner(text="é")], table={"a": [1.5, -0.0]}, moment=datetime.now(UTC)
    )
    ours, pydantics = both(Outer, value)
    assert ours is not None
    assert ours == pydantics


class Odd(tzinfo):
    def utcoffset(self, moment: Any) -> timedelta:
        raise RuntimeError("user code")


class Child(Inner):
    more: int = 1


class Text(str):
    """A string with a class of its own."""


class Kept(BaseModel):
    text: str = "a"

    @cached_property
    def length(self) -> int:
        return len(self.text)


def kept() -> Kept:
    value = Kept()
    assert value.length == 1
    return value


def shortened() -> Inner:
    value = Inner(text="a")
    del value.number
    return value


def reordered() -> Inner:
    value = Inner(text="a")
    value.__dict__["text"] = value.__dict__.pop("text")
    return value


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Inner, Child(text="a")),
        (Inner, Inner.model_construct(text=1)),
        (Inner, Inner.model_construct(text="a", number=True, real=1.0)),
        (Inner, Inner.model_construct(text="a", number=1, real=1)),
        (Inner, Inner.model_construct(text=Text("a"))),
        (Inner, reordered()),
        (Inner, Inner(text="a\ud800")),
        (Inner, shortened()),
        (Inner, {"text": "a"}),
        (Kept, kept()),
        (list[Inner], (Inner(text="a"),)),
        (dict[str, int], {1: 1}),
        (Literal["a"], "b"),
        (Colour, "red"),
        (UUID, "red"),
        (datetime, datetime(2024, 1, 1, tzinfo=Odd())),
        (datetime, date(2024, 1, 1)),
        (datetime, datetime(2024, 1, 1, tzinfo=timezone(timedelta(seconds=61)))),
        (date, datetime(2024, 1, 1)),
        (int | None, "a"),
        (None, 1),
        (int, 2**63),
        (float, math.inf),
    ],
)
def test_what_is_not_exactly_of_the_shape_is_left(annotation: Any, value: Any) -> None:
    shape = shape_of(annotation)
    assert shape is not None
    assert json_dumps_shaped(value, shape) is None


class Computed(BaseModel):
    @computed_field
    def more(self) -> int:
        return 1


class FieldSerialized(BaseModel):
    text: str

    @field_serializer("text")
    def shout(self, value: str) -> str:
        return value.upper()


class ModelSerialized(BaseModel):
    text: str

    @model_serializer
    def shout(self) -> str:
        return "!"


class Wrapped(BaseModel):
    text: str

    @model_validator(mode="wrap")
    @classmethod
    def through(cls, value: Any, handler: Any) -> Any:
        return handler(value)


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")


class Hidden(BaseModel):
    secret: str = Field(exclude=True)


class Tree(BaseModel):
    children: list["Tree"] = []


class Timed(BaseModel):
    model_config = ConfigDict(ser_json_temporal="milliseconds")

    moment: datetime


class Watched(BaseModel):
    text: str

    def __getattribute__(self, name: str) -> Any:
        return super().__getattribute__(name)


class Number(enum.Enum):
    ONE = 1


class Renamed(enum.Enum):
    ONE = "one"

    @property
    def value(self) -> Any:
        return "other"


@pytest.mark.parametrize(
    "annotation",
    [
        Computed,
        FieldSerialized,
        ModelSerialized,
        Wrapped,
        Open,
        Hidden,
        Tree,
        Timed,
        Watched,
        Number,
        Renamed,
        RootModel[int],
        Annotated[str, PlainSerializer(str.upper)],
        int | str,
        bytes,
        set[int],
        tuple[int, ...],
        dict[int, int],
        Literal[1],
        Any,
        list[Any],
        timedelta,
    ],
)
def test_what_pydantic_writes_in_its_own_way_has_no_shape(annotation: Any) -> None:
    assert shape_of(annotation) is None
    assert shape_of(list[annotation]) is None


@pytest.mark.parametrize(
    "options",
    [
        {"include": {"text"}},
        {"exclude": {"text"}},
        {"exclude_unset": True},
        {"exclude_defaults": True},
        {"exclude_none": True},
        {"by_alias": None},
    ],
)
def test_options_that_choose_fields_have_no_shape(options: dict[str, Any]) -> None:
    assert shape_of(Inner, **options) is None


def test_a_schema_may_not_grow_without_bound() -> None:
    model: Any = Inner
    for _ in range(ROOM.bit_length()):
        model = create_model("Pair", left=(model, ...), right=(model, ...))
    assert shape_of(model) is None


def test_two_fields_of_one_model_both_have_its_shape() -> None:
    class Pair(BaseModel):
        left: Inner
        right: Inner

    value = Pair(left=Inner(text="a"), right=Inner(text="b"))
    ours, pydantics = both(Pair, value)
    assert ours is not None
    assert ours == pydantics


def test_what_is_no_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown shape"):
        json_dumps_shaped(uuid4(), (200,))
