"""Examples that are made from schemas: valid, always the same, and only where somebody asked for them."""

import json
from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import BaseModel, Field

from covet import CovetPy, Query
from covet.openapi.examples import NoExample, example_for
from covet.openapi.pattern_text import text_for
from covet.testclient import TestClient

from .strategies import applications
from .test_downgrade import SCHEMAS, errors

SLOW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ITEM = {"type": "object", "properties": {"a": {"type": "string"}}}


def is_valid(value: Any, schema: Any, document: dict[str, Any]) -> bool:
    whole = {"allOf": [schema], "components": document.get("components", {})}
    return Draft202012Validator(whole, format_checker=FormatChecker()).is_valid(value)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, "string"),
        ({"type": "string", "examples": ["mine"]}, "mine"),
        ({"type": "string", "default": "mine"}, "mine"),
        ({"const": 3}, 3),
        ({"enum": ["b", "a"]}, "b"),
        ({"type": "string", "format": "date"}, "2026-01-05"),
        ({"type": "string", "maxLength": 3}, "str"),
        ({"type": "string", "minLength": 8}, "stringgg"),
        ({"type": "string", "pattern": "^[A-Z]{3}-\\d+$"}, "AAA-0"),
        ({"type": "integer"}, 1),
        ({"type": "integer", "exclusiveMinimum": 5}, 6),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "integer", "minimum": 7, "multipleOf": 5}, 10),
        ({"type": "integer", "exclusiveMaximum": 10, "multipleOf": 10}, 0),
        ({"type": "number", "exclusiveMinimum": 0.5, "exclusiveMaximum": 1}, 0.75),
        ({"type": "number", "exclusiveMinimum": 1}, 2),
        ({"type": "boolean"}, True),
        ({"type": ["null", "string"]}, "string"),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 1),
        ({"type": "array", "items": {"type": "integer"}}, [1]),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 3, "uniqueItems": True}, [1, 2, 3]),
        ({"type": "array", "items": {"enum": [4, 5]}, "minItems": 2, "uniqueItems": True}, [4, 5]),
        ({"type": "array", "maxItems": 0}, []),
        ({"type": "array", "prefixItems": [{"type": "integer"}, {"const": "x"}]}, [1, "x"]),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"key": 1}),
        ({"type": "object", "additionalProperties": {"const": 1}, "minProperties": 2}, {"key": 1, "key2": 1}),
        (
            {
                "type": "object",
                "additionalProperties": {"const": 1},
                "propertyNames": {"pattern": "^x[0-9]$"},
            },
            {"x0": 1},
        ),
        ({"allOf": [ITEM, {"required": ["b"], "properties": {"b": {"const": 2}}}]}, {"a": "string", "b": 2}),
        (
            {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": {"const": {"a": 1}},
            },
            '{"a": 1}',
        ),
    ],
    ids=str,
)
def test_an_example_is_the_simplest_value(schema, expected):
    assert example_for(schema, {}) == expected
    assert is_valid(expected, schema, {})


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"enum": []},
        {"type": "integer", "minimum": 3, "maximum": 2},
        {"type": "string", "minLength": 3, "maxLength": 2},
        {"type": "string", "pattern": "(?=a)b"},
        {"type": "array", "items": False, "minItems": 1},
        {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "uniqueItems": True},
        {"type": "object", "required": ["a"], "properties": {"a": False}},
        {"type": "object", "maxProperties": 0, "required": ["a"]},
        {"type": "object", "properties": 3},
        {"type": "new"},
        {"not": {}},
        {"$ref": "#/nowhere"},
    ],
    ids=str,
)
def test_where_none_can_be_made_there_is_none(schema):
    with pytest.raises(NoExample):
        example_for(schema, {})


@pytest.mark.parametrize("kind", ["integer", ["integer"], ["null", "integer"]])
def test_a_whole_number_is_whole_however_its_type_is_written(kind):
    assert example_for({"type": kind, "minimum": 0.5, "maximum": 3.5}, {}) == 1
    with pytest.raises(NoExample):
        example_for({"type": kind, "exclusiveMinimum": 0, "exclusiveMaximum": 1}, {})


def test_schemas_that_lead_to_themselves_end():
    node = {"$ref": "#/components/schemas/Node"}
    schema = {
        "type": "object",
        "properties": {"a": {"const": 1}, "next": node, "more": {"type": "array", "items": node}},
    }
    document = {"components": {"schemas": {"Node": schema}}}
    assert example_for(node, document) == {"a": 1, "more": []}
    schema["required"] = ["next"]
    with pytest.raises(NoExample):
        example_for(node, document)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^a+$", "a"),
        ("^(ab|cd){2}x?$", "abab"),
        (r"^\d{4}-[01]\d$", "0000-00"),
        ("^[^a-z]$", "0"),
        ("^(?:a|b)(?P<x>c)$", "ac"),
        (r"^\.[\]x]{2,}?$", ".xx"),
        ("^a{,2}b$", "b"),
        ("a{x", "a{x"),
        ("[", None),
        ("^[[]$", "["),
        ("(", None),
        ("^a{300}$", None),
        (r"(a)\1", None),
    ],
)
def test_a_text_that_a_pattern_finds(pattern, text):
    assert text_for(pattern) == text


@given(st.text("ab01[](){}|*+?.^$\\d-,", max_size=12))
def test_any_pattern_has_a_text_or_none(pattern):
    text = text_for(pattern)
    assert text is None or len(text) <= 200


@given(SCHEMAS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_schema_has_a_valid_example_or_none(schema):
    # Keywords without a type say nothing of other types, which is not what an example is made for.
    try:
        value = example_for(schema, {})
    except NoExample:
        return
    if not {"const", "enum", "allOf", "anyOf", "oneOf", "items", "properties"} & set(
        json.dumps(schema).split('"')
    ):
        assert is_valid(value, schema, {})


@given(applications(generate_examples=True))
@SLOW
def test_examples_of_made_models_are_valid_and_accepted(app):
    document = app.openapi()
    assert errors(document) == []
    operation = document["paths"]["/change"]["post"]
    content = operation["requestBody"]["content"]["application/json"]
    assert is_valid(content["example"], content["schema"], document)
    answer = operation["responses"]["200"]["content"]["application/json"]
    assert is_valid(answer["example"], answer["schema"], document)
    (colour,) = (each["example"] for each in operation["parameters"] if each["required"])
    client = TestClient(app, raise_server_exceptions=False)
    # The handler returns nothing, which its model refuses: 500 says that the input was accepted.
    assert client.post("/change", params={"colour": colour}, json=content["example"]).status_code == 500


def test_examples_are_made_on_demand_only():
    class Item(BaseModel):
        name: str

    def build(**options: Any) -> dict[str, Any]:
        app = CovetPy(**options)

        @app.post("/{number}")
        def add(item: Item, number: int, q: Annotated[str, Query()] = "") -> list[Item]: ...

        return app.openapi()["paths"]["/{number}"]["post"]

    assert "example" not in json.dumps(build())
    found = build(generate_examples=True)
    assert found["requestBody"]["content"]["application/json"]["example"] == {"name": "string"}
    assert found["responses"]["200"]["content"]["application/json"]["example"] == [{"name": "string"}]
    assert [parameter.get("example") for parameter in found["parameters"]] == [1, None]


def test_the_authors_examples_stay():
    class Item(BaseModel):
        name: Annotated[str, Field(examples=["Ada"])]

    app = CovetPy(generate_examples=True)

    @app.post("/", responses={200: {"content": {"application/json": {"example": "mine"}}}})
    def add(item: Item) -> Item: ...

    found = app.openapi()["paths"]["/"]["post"]
    assert found["requestBody"]["content"]["application/json"]["example"] == {"name": "Ada"}
    assert found["responses"]["200"]["content"]["application/json"]["example"] == "mine"


def test_examples_are_in_the_older_version_and_in_callbacks_too():
    app = CovetPy(generate_examples=True, openapi_version="3.0.3")
    callbacks = CovetPy().router

    @callbacks.post("{$callback_url}")
    def done(number: Annotated[int, Field(gt=1)]) -> int: ...

    app.post("/", callbacks=callbacks.routes)(lambda: None)
    document = app.openapi()
    assert errors(document) == []
    (callback,) = document["paths"]["/"]["post"]["callbacks"]["done"].values()
    assert callback["post"]["parameters"][0]["example"] == 2
