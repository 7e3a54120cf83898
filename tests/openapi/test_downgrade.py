"""Documents of OpenAPI 3.0.3, and that those of both versions are what a validator calls valid."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator, OAS31Validator
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from covet import CovetPy
from covet.openapi.downgrade import downgrade
from covet.openapi.schema_downgrade import downgrade_schema
from covet.testclient import TestClient

from ..compat.test_tutorials import ENVIRONMENT, fetch
from .strategies import applications

HERE = Path(__file__).parent
SAMPLE = 24
BINARY = {"contentMediaType": "application/octet-stream"}


def errors(document: dict[str, Any]) -> list[str]:
    """What a validator of the document's own version has against it."""
    older = document["openapi"].startswith("3.0.")
    validator = OpenAPIV30SpecValidator if older else OpenAPIV31SpecValidator
    return [str(error) for error in validator(document).iter_errors()]


def minimal(**parts: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {}, **parts}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (True, {}),
        (False, {"not": {}}),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["string", "integer"]}, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        (
            {"type": ["array", "null", "string"]},
            {
                "anyOf": [
                    {"type": "array", "items": {}, "nullable": True},
                    {"type": "string", "nullable": True},
                ]
            },
        ),
        ({"type": "null"}, {"type": "object", "nullable": True, "enum": [None]}),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "A"},
            {"type": "string", "nullable": True, "title": "A"},
        ),
        (
            {"anyOf": [{"$ref": "#/components/schemas/A"}, {"type": "null"}]},
            {"nullable": True, "allOf": [{"$ref": "#/components/schemas/A"}]},
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
            {"anyOf": [{"type": "string", "nullable": True}, {"type": "integer"}]},
        ),
        (
            {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]},
            {"type": "string", "enum": ["a", None], "nullable": True},
        ),
        ({"const": 3}, {"enum": [3]}),
        ({"exclusiveMinimum": 3}, {"minimum": 3, "exclusiveMinimum": True}),
        ({"exclusiveMaximum": 3, "maximum": 2}, {"maximum": 2}),
        ({"exclusiveMaximum": 3, "maximum": 3}, {"maximum": 3, "exclusiveMaximum": True}),
        ({"examples": [1, 2]}, {"example": 1}),
        ({"type": "string", **BINARY}, {"type": "string", "format": "binary"}),
        (
            {"type": "string", **BINARY, "contentEncoding": "base64"},
            {"type": "string", "format": "byte"},
        ),
        ({"$ref": "#/a", "description": "d"}, {"description": "d", "allOf": [{"$ref": "#/a"}]}),
        ({"$ref": "#/a"}, {"$ref": "#/a"}),
        (
            {"type": "array", "prefixItems": [{"type": "string"}, {"const": 1}], "maxItems": 2},
            {"type": "array", "items": {"anyOf": [{"type": "string"}, {"enum": [1]}]}, "maxItems": 2},
        ),
        (
            {"type": "array", "prefixItems": [{"type": "string"}], "items": False},
            {"type": "array", "items": {"type": "string"}, "maxItems": 1},
        ),
        ({"type": "array"}, {"type": "array", "items": {}}),
        (
            {"type": "object", "patternProperties": {"^a": {"const": 1}}, "additionalProperties": False},
            {"type": "object", "additionalProperties": {"enum": [1]}},
        ),
        ({"type": "object", "patternProperties": {"^a": {"const": 1}}}, {"type": "object"}),
        ({"type": "object", "propertyNames": {"minLength": 1}, "required": []}, {"type": "object"}),
        ({"default": {"const": 1, "type": ["x"]}}, {"default": {"const": 1, "type": ["x"]}}),
    ],
    ids=str,
)
def test_a_schema_is_written_in_the_older_words(schema, expected):
    before = copy.deepcopy(schema)
    assert downgrade_schema(schema) == expected
    assert schema == before


def test_what_the_older_version_has_no_word_for_is_kept_as_an_extension():
    hook = {
        "post": {"responses": {"200": {"description": "", "content": {"a/b": {"itemSchema": {"const": 1}}}}}}
    }
    document = minimal(
        info={
            "title": "T",
            "version": "1",
            "summary": "S",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        jsonSchemaDialect="https://spec.openapis.org/oas/3.1/dialect/base",
        webhooks={"new": hook},
    )
    found = downgrade(document)
    assert errors(found) == []
    assert found["info"]["x-summary"] == "S"
    assert found["info"]["license"] == {"name": "MIT", "url": "https://spdx.org/licenses/MIT.html"}
    content = found["x-webhooks"]["new"]["post"]["responses"]["200"]["content"]["a/b"]
    assert content == {"schema": {"type": "string"}, "x-itemSchema": {"enum": [1]}}
    assert "jsonSchemaDialect" not in found


def test_path_items_of_components_are_written_where_they_are_used():
    item = {
        "get": {"security": [{"cert": []}]},
        "parameters": [{"$ref": "#/components/parameters/q", "summary": "S"}],
    }
    document = minimal(
        paths={"/a": {"$ref": "#/components/pathItems/A"}},
        components={
            "pathItems": {"A": item},
            "parameters": {"q": {"name": "q", "in": "query", "schema": {"const": 1}}},
        },
    )
    found = downgrade(document)
    assert errors(found) == []
    assert found["paths"]["/a"]["parameters"] == [{"$ref": "#/components/parameters/q"}]
    assert found["components"]["parameters"]["q"]["schema"] == {"enum": [1]}


def test_certificates_and_roles_are_left_out_of_requirements():
    document = minimal(
        security=[{"cert": []}, {"key": ["admin"], "cert": []}, {}],
        components={
            "securitySchemes": {
                "cert": {"type": "mutualTLS"},
                "key": {"type": "apiKey", "name": "k", "in": "header"},
            }
        },
    )
    found = downgrade(document)
    assert errors(found) == []
    assert found["security"] == [{"key": []}, {}]
    assert list(found["components"]["securitySchemes"]) == ["key"]


def test_every_part_of_a_document_is_rewritten():
    schema = {"type": ["string", "null"]}
    media = {"a/b": {"schema": schema, "encoding": {"x": {"headers": {"h": {"schema": schema}}}}}}
    operation = {
        "parameters": [{"name": "q", "in": "query", "content": {"a/b": {"schema": schema}}}],
        "requestBody": {"content": media},
        "responses": {
            "200": {"description": "", "headers": {"h": {"schema": schema}}, "content": media, "links": {}},
            "404": {"$ref": "#/components/responses/R", "description": "more"},
        },
        "callbacks": {
            "c": {"{$url}": {"post": {"responses": {"200": {"description": "", "content": media}}}}}
        },
    }
    components = {
        "schemas": {"S": schema},
        "headers": {"H": {"schema": schema}},
        "requestBodies": {"B": {"content": media}},
        "responses": {"R": {"description": "", "content": media}},
        "callbacks": {"C": operation["callbacks"]["c"]},
        "examples": {"E": {"value": schema}},
    }
    found = downgrade(minimal(paths={"/a": {"post": operation}}, components=components))
    assert errors(found) == []
    example = found["components"].pop("examples")
    assert example == {"E": {"value": schema}}
    assert 'null"' not in json.dumps(found)


def test_a_document_of_the_older_version_stays_as_it_is():
    document = {**minimal(), "openapi": "3.0.1"}
    assert downgrade(document) is document


def test_an_application_serves_the_older_version():
    app = CovetPy(openapi_version="3.0.3")

    @app.get("/{number}")
    def read(number: int | None, colours: list[str] | None = None) -> dict[str, int]: ...

    found = TestClient(app).get("/openapi.json").json()
    assert found["openapi"] == "3.0.3"
    assert errors(found) == []


@given(applications())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_made_applications_have_valid_documents_of_both_versions(app):
    document = app.openapi()
    assert errors(document) == []
    assert errors(downgrade(document)) == []


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-3, 12),
        st.floats(-2, 2),
        st.sampled_from(["a", "abc", "", "ab12"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYWORDS = {
    "type": st.one_of(
        st.sampled_from(["string", "integer", "object", "array", "null", "number"]),
        st.lists(
            st.sampled_from(["string", "null", "array", "integer"]), min_size=1, max_size=3, unique=True
        ),
    ),
    "exclusiveMinimum": st.integers(-2, 3),
    "minimum": st.integers(-2, 3),
    "maximum": st.integers(0, 9),
    "exclusiveMaximum": st.integers(0, 9),
    "const": VALUES,
    "enum": st.lists(VALUES, min_size=1, max_size=3),
    "minLength": st.integers(0, 2),
    "required": st.lists(st.sampled_from(["a", "b"]), max_size=2, unique=True),
    "maxItems": st.integers(0, 3),
    "uniqueItems": st.booleans(),
}


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    one_or_two = st.lists(inner, min_size=1, max_size=2)
    parts = {
        "anyOf": one_or_two,
        "oneOf": one_or_two,
        "allOf": one_or_two,
        "not": inner,
        "items": inner,
        "prefixItems": one_or_two,
        "properties": st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "b$"]), inner, max_size=2),
        "additionalProperties": inner,
    }
    return st.fixed_dictionaries({}, optional=KEYWORDS | parts)


SCHEMAS = st.recursive(
    st.one_of(st.booleans(), st.fixed_dictionaries({}, optional=KEYWORDS)), _schemas, max_leaves=5
)


@example({"type": "string", "additionalProperties": False, "patternProperties": {}})
@given(SCHEMAS)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_schema_becomes_a_valid_one(schema):
    older = downgrade(minimal(components={"schemas": {"S": schema}}))
    # The validator asks for the properties of what is required; neither version does.
    assert [error for error in errors(older) if "Required list" not in error] == []


@given(SCHEMAS, VALUES)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_a_schema_allows_is_allowed_in_the_older_words(schema, value):
    # What allows more inside of these allows less outside.
    assume("not" not in json.dumps(schema) and "oneOf" not in json.dumps(schema))
    if OAS31Validator(schema).is_valid(value):
        assert OAS30Validator(downgrade_schema(schema)).is_valid(value)


@pytest.mark.timeout(600)
def test_tutorial_applications_have_valid_documents_of_both_versions():
    folder = fetch()
    modules = sorted(
        ".".join(path.relative_to(folder).with_suffix("").parts)
        for path in (folder / "docs_src").rglob("*.py")
    )
    if not os.environ.get("COVET_ALL_TUTORIALS"):
        modules = modules[:: len(modules) // SAMPLE]
    command = [sys.executable, str(HERE / "tutorial_documents.py"), str(folder), *modules]
    made = subprocess.run(command, capture_output=True, text=True, env=os.environ | ENVIRONMENT)
    assert made.returncode == 0, made.stderr
    documents = json.loads(made.stdout)
    assert len(documents) >= len(modules) * 0.6
    wrong = {}
    for module, document in documents.items():
        # FastAPI describes streams with a word of OpenAPI 3.2, and so do we.
        own = [error for error in errors(document) if "itemSchema" not in error]
        wrong[module] = own + errors(downgrade(document))
    assert not any(wrong.values()), {module: found for module, found in wrong.items() if found}
