"""Hypothesis strategies: pydantic models of many types, and applications that take and return them."""

import datetime
import enum
import uuid
from decimal import Decimal
from typing import Annotated, Any, Literal

from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model

from covet import CovetPy

__all__ = ["applications", "models"]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Point(BaseModel):
    x: float
    y: Annotated[float, Field(gt=-1.5, le=10)] = 0


class Circle(BaseModel):
    kind: Literal["circle"] = "circle"
    centre: Point


class Square(BaseModel):
    kind: Literal["square"]
    side: Annotated[int, Field(multiple_of=2, ge=0)]


LEAVES: list[Any] = [
    str,
    int,
    float,
    bool,
    bytes,
    Decimal,
    uuid.UUID,
    datetime.date,
    datetime.datetime,
    datetime.timedelta,
    Colour,
    Level,
    Point,
    Literal["a"],
    Literal["a", 1, None],
    Annotated[str, Field(min_length=2, max_length=4)],
    Annotated[str, Field(pattern="^[a-f]+[0-9]{2}$")],
    Annotated[int, Field(gt=3, lt=8)],
    Annotated[float, Field(ge=0.5, lt=1)],
    Annotated[Circle | Square, Field(discriminator="kind")],
]


def _composed(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        inner.map(lambda kind: list[kind]),
        inner.map(lambda kind: kind | None),
        inner.map(lambda kind: dict[str, kind]),
        inner.map(lambda kind: Annotated[list[kind], Field(min_length=1, max_length=3)]),
        st.tuples(inner, inner).map(lambda kinds: tuple[kinds[0], kinds[1]]),
        st.tuples(inner, inner).map(lambda kinds: kinds[0] | kinds[1]),
        inner.map(lambda kind: tuple[kind, ...]),
    )


TYPES = st.recursive(st.sampled_from(LEAVES), _composed, max_leaves=4)


@st.composite
def models(draw: st.DrawFn, name: str = "Made") -> type[BaseModel]:
    """Make a model of one to four fields, some of which may be left out."""
    fields: dict[str, Any] = {}
    for index, kind in enumerate(draw(st.lists(TYPES, min_size=1, max_size=4))):
        fields[f"field_{index}"] = (kind | None, None) if draw(st.booleans()) else (kind, ...)
    made: type[BaseModel] = create_model(name, **fields)
    return made


def applications(**options: Any) -> st.SearchStrategy[CovetPy]:
    """Make applications with one operation that takes a made model and returns another."""
    return st.builds(_application, models("Taken"), models("Given"), st.just(options))


def _application(taken: type[BaseModel], given: type[BaseModel], options: dict[str, Any]) -> CovetPy:
    app = CovetPy(**options)

    def change(item: taken, colour: Colour, low: Annotated[int | None, Field(gt=1)] = None) -> given: ...  # type: ignore[valid-type]

    app.post("/change")(change)
    return app
