"""Fields that are declared alike share a validator; the slightest difference keeps them apart."""

import datetime
import gc
import weakref
from typing import Annotated, Any, Literal, Union

import pytest
from annotated_types import Ge
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter
from pydantic.fields import FieldInfo

from covet import CovetPy, Query
from covet.params import Query as QueryClass
from covet.validation.fields import ModelField


def adapter(annotation: Any, default: Any = ..., **options: Any) -> TypeAdapter[Any]:
    info = QueryClass(default, annotation=annotation, **options)
    return ModelField(info, "q")._type_adapter


@pytest.mark.parametrize(
    ("annotation", "options"),
    [
        (int, {}),
        (int, {"default": 10, "ge": 1, "le": 100}),
        (str | None, {"default": None, "max_length": 3}),
        (dict[str, list[int]], {"title": "T", "description": "D", "alias": "a"}),
        (tuple[int, ...], {}),
    ],
)
def test_fields_that_are_declared_alike_share_a_validator(annotation, options) -> None:
    assert adapter(annotation, **options) is adapter(annotation, **options)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((int, {}), (float, {})),
        ((int | str, {}), (str | int, {})),
        ((list[int | str], {}), (list[str | int], {})),
        ((int, {"ge": 1}), (int, {"ge": 1.0})),
        ((int, {"ge": 1}), (int, {"ge": True})),
        ((int, {"ge": 1}), (int, {"gt": 1})),
        ((int, {"ge": 1, "le": 2}), (int, {"le": 2, "ge": 1, "lt": 3})),
        ((int, {"default": 1}), (int, {"default": True})),
        ((int, {"default": 1}), (int, {"default": "1"})),
        ((float, {"default": 0.0}), (float, {"default": -0.0})),
        ((int, {"title": "a"}), (int, {"description": "a"})),
        ((int, {"alias": "a"}), (int, {"alias": "b"})),
    ],
)
def test_different_declarations_do_not(one, other) -> None:
    assert adapter(one[0], **one[1]) is not adapter(other[0], **other[1])


class Model(BaseModel):
    a: int


@pytest.mark.parametrize(
    ("annotation", "options"),
    [
        (Model, {}),  # a model may be rebuilt
        (Literal[1], {}),
        (datetime.date, {}),
        (Annotated[int, Ge(1)] | None, {}),
        (str, {"pattern": "a"}),
        (int, {"default_factory": int, "default": FieldInfo().default}),
        (int, {"json_schema_extra": {"a": 1}}),
        (int, {"examples": [1]}),
        (int, {"strict": True}),
    ],
)
def test_what_is_not_surely_the_same_is_not_shared(annotation, options) -> None:
    assert adapter(annotation, **options) is not adapter(annotation, **options)


SCALARS = st.sampled_from([int, str, float, bool, bytes, None])
ANNOTATIONS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        inner.map(lambda item: list[item]),  # type: ignore[valid-type]
        st.tuples(inner, inner).map(lambda pair: dict[str, Union[pair[0], pair[1], int]]),  # type: ignore[name-defined]  # noqa: UP007
    ),
    max_leaves=3,
)
DECLARATIONS = st.tuples(
    ANNOTATIONS,
    st.fixed_dictionaries(
        {},
        optional={
            "default": st.sampled_from([..., None, 0, 1, True, 1.0, "1", b"1"]),
            "title": st.sampled_from([None, "T"]),
            "description": st.sampled_from([None, "T"]),
        },
    ),
)


@given(DECLARATIONS, DECLARATIONS)
def test_a_shared_validator_has_the_schema_that_an_own_one_would_have(one, other) -> None:
    for annotation, options in (one, other):
        field = ModelField(QueryClass(options.pop("default", ...), annotation=annotation, **options), "q")
        own = field._new_adapter()
        assert repr(field._type_adapter.core_schema) == repr(own.core_schema)
        assert field._type_adapter.json_schema() == own.json_schema()


def test_a_shared_validator_goes_with_its_last_field() -> None:
    field = ModelField(QueryClass(12345, annotation=int), "q")
    gone = weakref.ref(field._type_adapter)
    del field
    gc.collect()
    assert gone() is None


def test_routes_that_declare_alike_keep_their_own_names_in_errors_and_documents() -> None:
    app = CovetPy()

    @app.get("/a")
    def a(limit: Annotated[int, Query(ge=1)] = 1): ...

    @app.get("/b")
    def b(size: Annotated[int, Query(ge=1)] = 1): ...

    parameters = [item["get"]["parameters"][0] for item in app.openapi()["paths"].values()]
    assert [(each["name"], each["schema"]["title"]) for each in parameters] == [
        ("limit", "Limit"),
        ("size", "Size"),
    ]


@pytest.mark.parametrize(
    "info",
    [FieldInfo(annotation=Model), QueryClass(annotation=Model), QueryClass(annotation=Model, alias="m")],
)
def test_a_bare_model_is_described_without_building_a_validator(info) -> None:
    field = ModelField(info, "m")
    assert field.core_schema is Model.__pydantic_core_schema__
    assert field._adapter is None
    assert repr(field.core_schema) == repr(field._type_adapter.core_schema)


@pytest.mark.parametrize(
    "info",
    [
        FieldInfo(annotation=Model, default=None),
        FieldInfo(annotation=Model, title="T"),
        FieldInfo.from_annotation(Annotated[Model, Field(strict=True)]),
    ],
)
def test_a_model_of_which_more_is_said_has_a_schema_of_its_own(info) -> None:
    assert ModelField(info, "m").core_schema is not Model.__pydantic_core_schema__
