"""`ModelField`: names, defaults, validation, serialisation, and when its validator is built."""

from collections.abc import Sequence
from enum import Enum
from typing import Annotated, Any, ForwardRef

import pytest
from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo

from covet import Query
from covet._compat import v2
from covet.exceptions import FastAPIError
from covet.validation.errors import get_missing_field_error
from covet.validation.fields import (
    ModelField,
    Undefined,
    copy_field_info,
    create_body_model,
    create_model_field,
    evaluate_forwardref,
    get_cached_model_fields,
    serialize_sequence_value,
)


class Item(BaseModel):
    a: int = Field(alias="A")
    b: list["Item"] = []


class Colour(Enum):
    RED = "red"


def field(annotation, **options):
    return create_model_field("name", annotation, **options)


def test_names():
    plain = field(int)
    assert (plain.alias, plain.validation_alias, plain.serialization_alias) == ("name", None, None)
    named = ModelField(
        FieldInfo(annotation=int, alias="x", validation_alias="y", serialization_alias="z"), "n"
    )
    assert (named.alias, named.validation_alias, named.serialization_alias) == ("x", "y", "z")


def test_defaults():
    assert field(int).default is Undefined
    assert field(int, default=3).default == 3
    made = ModelField(FieldInfo(annotation=list, default_factory=list), "n")
    assert made.default == []
    assert made.default is not made.default


def test_validation_returns_errors_with_their_place():
    assert field(int).validate("5") == (5, [])
    value, errors = field(list[int]).validate(["x"], loc=("query", "q"))
    assert value is None
    assert errors[0]["loc"] == ("query", "q", 0)
    assert "url" not in errors[0]


def test_serialisation():
    model = field(Item, mode="serialization")
    value = Item(A=1)
    assert model.serialize(value) == {"A": 1, "b": []}
    assert model.serialize(value, by_alias=False, exclude_unset=True) == {"a": 1}
    assert model.serialize_json(value, include={"a"}) == b'{"A":1}'


@pytest.mark.parametrize("annotation", [int, str | None, list[int], dict[str, Item], Colour, Item])
def test_a_validator_that_cannot_fail_is_built_when_it_is_needed(annotation):
    made = field(annotation)
    assert made._adapter is None
    assert made._type_adapter is made._type_adapter


@pytest.mark.parametrize("annotation", [Any, Annotated[int, Field(gt=1)], Sequence[int]])
def test_other_validators_are_built_at_once(annotation):
    info = FieldInfo.from_annotation(annotation)
    assert ModelField(info, "n")._adapter is not None


def test_what_pydantic_refuses_is_explained():
    class Unknown: ...

    with pytest.raises(FastAPIError, match="Invalid args for response field"):
        field(Unknown)


def test_fields_are_compared_by_identity():
    first, second = field(int), field(int)
    assert first != second
    assert len({first, second}) == 2


def test_metadata_around_a_declaration_is_merged():
    declared = Query(title="T")
    merged = copy_field_info(field_info=declared, annotation=Annotated[int, Field(ge=3), declared])
    assert merged.title == "T"
    assert type(merged) is type(declared)
    assert merged.metadata
    assert merged.annotation is int


def test_forward_references():
    assert evaluate_forwardref(ForwardRef("list[Item]"), globals()) == list[Item]
    unknown = ForwardRef("Unknown")
    assert evaluate_forwardref(unknown, globals()) is unknown


def test_sequences_take_the_form_of_their_annotation():
    assert serialize_sequence_value(field=field(tuple[int, ...]), value=[1]) == (1,)
    assert serialize_sequence_value(field=field(None | set[int]), value=[1, 1]) == {1}


def test_models_of_bodies():
    model = create_body_model(fields=[field(int)], model_name="Body_x")
    assert model.__name__ == "Body_x"
    assert model(name=1).model_dump() == {"name": 1}


def test_fields_of_models_are_remembered():
    assert get_cached_model_fields(Item) is get_cached_model_fields(Item)
    assert [each.name for each in get_cached_model_fields(Item)] == ["a", "b"]


def test_missing_values_look_as_pydantic_writes_them():
    assert get_missing_field_error(("query", "q")) == {
        "type": "missing",
        "loc": ("query", "q"),
        "msg": "Field required",
        "input": None,
    }


def test_fastapis_names_are_there():
    assert v2.ModelField is ModelField
    assert v2.get_model_name_map({Item}) == {Item: "Item"}
    assert v2.get_flat_models_from_fields([field(list[Item])], known_models=set()) == {Item}
    assert v2.get_flat_models_from_model(Item) == {Item}
    assert v2.get_flat_models_from_annotation(dict[str, Colour], set()) == {Colour}
    assert v2.get_flat_models_from_annotation(int, set()) == set()
    assert v2.is_scalar_field(field(int))
    assert v2.normalize_name("a[b]") == "a_b_"
