"""What is said to have changed between two documents, and what of it is breaking."""

import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from covet.openapi.changes import Change, DocumentError, find_changes, read_document
from covet.openapi.downgrade import downgrade
from covet.openapi.reading import MAX_DEPTH, MAX_SIZE

from .strategies import applications

NULL = {"type": "null"}
SLOW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def document(paths: Any = None, **components: Any) -> dict[str, Any]:
    info = {"title": "T", "version": "1"}
    return {"openapi": "3.1.0", "info": info, "paths": paths or {}, "components": components}


def operation(**parts: Any) -> dict[str, Any]:
    return document({"/a": {"post": {"responses": {}, **parts}}})


def sent(schema: Any) -> dict[str, Any]:
    return operation(requestBody={"content": {"application/json": {"schema": schema}}})


def received(schema: Any) -> dict[str, Any]:
    return operation(responses={"200": {"content": {"application/json": {"schema": schema}}}})


def breaking(changes: list[Change]) -> list[str]:
    return [change.kind for change in changes if change.breaking]


def kinds(changes: list[Change]) -> list[str]:
    return [change.kind for change in changes]


NARROWER = [
    ({"type": "number"}, {"type": "integer"}, "type-narrowed"),
    ({}, {"type": "string"}, "type-narrowed"),
    ({"type": ["string", "null"]}, {"type": "string"}, "alternative-removed"),
    ({"anyOf": [{"type": "string"}, NULL]}, {"type": "string"}, "alternative-removed"),
    ({"type": "string", "nullable": True}, {"type": "string"}, "alternative-removed"),
    ({"anyOf": [{"type": "string"}, {"type": "number"}]}, {"type": "number"}, "alternative-removed"),
    ({"enum": ["a", "b"]}, {"enum": ["a"]}, "enum-narrowed"),
    ({"type": "string"}, {"type": "string", "const": "a"}, "enum-narrowed"),
    ({"type": "string", "minLength": 1}, {"type": "string", "minLength": 2}, "minLength-changed"),
    ({"type": "string"}, {"type": "string", "maxLength": 9}, "maxLength-changed"),
    ({"type": "string"}, {"type": "string", "pattern": "^a"}, "pattern-changed"),
    ({"type": "string"}, {"type": "string", "format": "date"}, "format-changed"),
    ({"type": "integer", "minimum": 1}, {"type": "integer", "exclusiveMinimum": 1}, "minimum-changed"),
    (
        {"type": "integer", "maximum": 5},
        {"type": "integer", "maximum": 5, "exclusiveMaximum": True},
        "maximum-changed",
    ),
    ({"type": "integer", "multipleOf": 2}, {"type": "integer", "multipleOf": 4}, "multipleOf-changed"),
    (
        {"type": "array", "items": {}},
        {"type": "array", "items": {}, "uniqueItems": True},
        "uniqueItems-changed",
    ),
    (
        {"type": "array", "items": {"type": "number"}},
        {"type": "array", "items": {"type": "integer"}},
        "type-narrowed",
    ),
    (
        {"type": "object", "additionalProperties": {"type": "number"}},
        {"type": "object", "additionalProperties": {"type": "integer"}},
        "type-narrowed",
    ),
    (
        {"properties": {"a": {"type": "string"}}},
        {"properties": {"a": {"type": "string"}}, "required": ["a"]},
        "property-required",
    ),
    (
        {"properties": {"a": {"anyOf": [{"type": "array", "items": {"enum": [1, 2]}}, NULL]}}},
        {"properties": {"a": {"anyOf": [{"type": "array", "items": {"enum": [1]}}, NULL]}}},
        "enum-narrowed",
    ),
    (
        {"type": "array", "prefixItems": [{"type": "number"}]},
        {"type": "array", "prefixItems": [{"type": "integer"}]},
        "type-narrowed",
    ),
    (
        {"allOf": [{"properties": {"a": {}}}, {"required": []}]},
        {"allOf": [{"properties": {"a": {}}}, {"required": ["a"]}]},
        "property-required",
    ),
]


@pytest.mark.parametrize(("wide", "narrow", "kind"), NARROWER, ids=str)
def test_narrowing_breaks_senders_and_widening_receivers(wide, narrow, kind):
    assert breaking(find_changes(sent(wide), sent(narrow))) == [kind]
    assert breaking(find_changes(received(wide), received(narrow))) == []
    assert breaking(find_changes(sent(narrow), sent(wide))) == []
    assert len(breaking(find_changes(received(narrow), received(wide)))) == 1
    for one, other in ((wide, narrow), (narrow, wide)):
        assert find_changes(sent(one), sent(other)) != []


BREAKING_BOTH = [
    ({"type": "string"}, {"type": "integer"}, "type-changed"),
    ({"properties": {"a": {}}}, {"properties": {}}, "property-removed"),
    ({"type": "string", "pattern": "a"}, {"type": "string", "pattern": "b"}, "pattern-changed"),
    ({"type": "integer", "multipleOf": 2}, {"type": "integer", "multipleOf": 3}, "multipleOf-changed"),
    ({"not": {"type": "string"}}, {"not": {"type": "integer"}}, "not-changed"),
    (
        {"type": "array", "prefixItems": [{}]},
        {"type": "array", "prefixItems": [{}, {}]},
        "prefixItems-changed",
    ),
]


@pytest.mark.parametrize(("old", "new", "kind"), BREAKING_BOTH, ids=str)
def test_what_cannot_go_on_breaks_both_sides(old, new, kind):
    for place in (sent, received):
        assert breaking(find_changes(place(old), place(new))) == [kind]


UNBREAKING = [
    ({"description": "a", "title": "b", "examples": [1]}, {"description": "c"}, []),
    ({"properties": {"a": {}}}, {"properties": {"a": {}, "b": {"type": "string"}}}, ["property-added"]),
    ({"type": "string", "default": "a"}, {"type": "string", "default": "b"}, ["default-changed"]),
    ({"type": "object", "additionalProperties": False}, {"type": "object"}, ["additionalProperties-changed"]),
]


@pytest.mark.parametrize(("old", "new", "expected"), UNBREAKING, ids=str)
def test_what_nobody_stumbles_over_is_not_breaking(old, new, expected):
    for place in (sent, received):
        changes = find_changes(place(old), place(new))
        assert kinds(changes) == expected
        assert breaking(changes) == []


QUERY = {"name": "q", "in": "query", "schema": {"type": "string"}}
KEY = {"type": "apiKey", "in": "header", "name": "k"}
OPERATIONS = [
    (document({"/a": {"get": {}}}), document(), ["path-removed"], True),
    (document({"/a": {"get": {}, "put": {}}}), document({"/a": {"get": {}}}), ["operation-removed"], True),
    (document(), document({"/a": {"get": {}}}), ["path-added"], False),
    (document({"/a": {}}), document({"/a": {"get": {}}}), ["operation-added"], False),
    (operation(parameters=[QUERY]), operation(), ["parameter-removed"], True),
    (operation(), operation(parameters=[QUERY]), ["parameter-added"], False),
    (operation(), operation(parameters=[QUERY | {"required": True}]), ["parameter-added"], True),
    (
        operation(parameters=[QUERY]),
        operation(parameters=[QUERY | {"required": True}]),
        ["parameter-required"],
        True,
    ),
    (
        operation(parameters=[QUERY | {"required": True}]),
        operation(parameters=[QUERY]),
        ["parameter-optional"],
        False,
    ),
    (
        operation(parameters=[QUERY]),
        operation(parameters=[QUERY | {"explode": False}]),
        ["parameter-serialised-otherwise"],
        True,
    ),
    (operation(), operation(requestBody={"content": {}}), ["body-added"], False),
    (operation(), operation(requestBody={"content": {}, "required": True}), ["body-added"], True),
    (operation(requestBody={"content": {}}), operation(), ["body-removed"], True),
    (
        operation(requestBody={"content": {"a/b": {}}}),
        operation(requestBody={"content": {"c/d": {}}}),
        ["media-type-removed", "media-type-added"],
        True,
    ),
    (operation(responses={"200": {}}), operation(responses={}), ["response-removed"], True),
    (
        operation(responses={"200": {}}),
        operation(responses={"200": {}, "404": {}}),
        ["response-added"],
        False,
    ),
    (
        operation(responses={"200": {"headers": {"X-A": {"required": True}}}}),
        operation(responses={"200": {"headers": {"x-a": {}}}}),
        ["header-optional"],
        True,
    ),
    (
        operation(responses={"200": {"headers": {"X-A": {}}}}),
        operation(responses={"200": {}}),
        ["header-removed"],
        True,
    ),
    (operation(), operation(security=[{"k": []}]), ["security-changed"], True),
    (operation(security=[{"k": []}]), operation(security=[{"k": []}, {}]), ["security-changed"], False),
    (operation(security=[{"k": ["a"]}]), operation(security=[{"k": ["a", "b"]}]), ["security-changed"], True),
    (
        operation(security=[{"k": ["a", "b"]}]),
        operation(security=[{"k": ["a"]}]),
        ["security-changed"],
        False,
    ),
    ({**operation(), "security": [{"k": []}]}, operation(security=[{"k": []}]), [], False),
    (
        document(securitySchemes={"k": KEY}),
        document(securitySchemes={"k": KEY | {"name": "other"}}),
        ["security-scheme-changed"],
        True,
    ),
    (document(securitySchemes={"k": KEY}), document(), ["security-scheme-removed"], False),
    (
        document(securitySchemes={"o": {"type": "oauth2", "flows": {"password": {"scopes": {"a": ""}}}}}),
        document(securitySchemes={"o": {"type": "oauth2", "flows": {"password": {"scopes": {}}}}}),
        ["scope-removed"],
        True,
    ),
    (operation(operationId="a"), operation(operationId="b"), ["operationId-changed"], False),
    (operation(), operation(deprecated=True), ["deprecated-changed"], False),
    (document() | {"webhooks": {"w": {"post": {}}}}, document(), ["webhook-removed"], True),
    (operation(callbacks={"c": {}}), operation(), ["callback-removed"], True),
]


@pytest.mark.parametrize(("old", "new", "expected", "breaks"), OPERATIONS, ids=lambda value: str(value)[:60])
def test_operations_are_compared(old, new, expected, breaks):
    changes = find_changes(old, new)
    assert kinds(changes) == expected
    assert bool(breaking(changes)) is breaks


def test_names_of_path_parameters_do_not_matter():
    def items(name: str) -> dict[str, Any]:
        schema = {"type": "integer"}
        parameter = {"name": name, "in": "path", "required": True, "schema": schema}
        return document({f"/items/{{{name}}}": {"get": {"parameters": [parameter]}}})

    assert find_changes(items("id"), items("item_id")) == []


def test_what_a_webhook_sends_is_received():
    def hook(schema: Any) -> dict[str, Any]:
        body = {"content": {"application/json": {"schema": schema}}}
        return document() | {"webhooks": {"w": {"post": {"requestBody": body}}}}

    wide, narrow = {"type": "number"}, {"type": "integer"}
    assert breaking(find_changes(hook(wide), hook(narrow))) == []
    assert breaking(find_changes(hook(narrow), hook(wide))) == ["type-widened"]


def test_a_shared_schema_is_reported_once_and_by_its_name():
    def books(*required: str) -> dict[str, Any]:
        body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Book"}}}}
        paths = {f"/{index}": {"post": {"requestBody": body}} for index in range(3)}
        return document(paths, schemas={"Book": {"properties": {"title": {}}, "required": list(required)}})

    (change,) = find_changes(books(), books("title"))
    assert str(change) == "Book: property 'title' is required now"


def test_breaking_changes_come_first():
    old, new = document({"/a": {"get": {}}}), document({"/b": {"get": {}}})
    assert [change.breaking for change in find_changes(old, new)] == [True, False]


def tree(kind: str) -> dict[str, Any]:
    node = {
        "properties": {
            "value": {"type": kind},
            "children": {"anyOf": [{"type": "array", "items": {"$ref": "#/components/schemas/Node"}}, NULL]},
        }
    }
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}}
    return document({"/a": {"post": {"requestBody": body}}}, schemas={"Node": node})


def test_schemas_may_lead_to_themselves():
    assert find_changes(tree("string"), tree("string")) == []
    assert breaking(find_changes(tree("number"), tree("integer"))) == ["type-narrowed"]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"$ref": "#/components/schemas/Loop"}, "leads to reference after reference"),
        ({"$ref": "#/components/schemas/None"}, "points to nothing"),
        ({"$ref": "https://example.com/a.json"}, "does not point into the document"),
        ({"$ref": ["a"]}, "does not point into the document"),
        ({"$ref": "#/components/schemas/Within"}, "nested deeper"),
    ],
    ids=str,
)
def test_references_that_lead_nowhere_are_refused(schema, message):
    old = sent(schema)
    old["components"]["schemas"] = {
        "Loop": {"$ref": "#/components/schemas/Back"},
        "Back": {"$ref": "#/components/schemas/Loop"},
        "Within": {"allOf": [{"$ref": "#/components/schemas/Within"}]},
    }
    with pytest.raises(DocumentError, match=message):
        find_changes(old, sent({"type": "string"}))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is not JSON"),
        (b"[]", "is not a JSON object"),
        (b"{}", "openapi is null"),
        (b'{"openapi": "2.0"}', 'openapi is "2.0"'),
        (b'{"openapi": "3.1.0", "x": NaN}', "no number of JSON's"),
        (b"\xff\xfe\xff", "is not UTF-8"),
        (b'{"a":' * (MAX_DEPTH + 1), "nested deeper than 200"),
        (b'{"openapi": "3.1.0", "x": ' + b"9" * 5000 + b"}", "is not JSON"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_document_is_refused_with_a_reason(content, message):
    with pytest.raises(DocumentError, match=message):
        read_document(content)


def test_a_document_past_the_size_is_not_read():
    with pytest.raises(DocumentError, match="more than 33554432 are not read"):
        read_document(b" " * (MAX_SIZE + 1))


def test_brackets_inside_of_text_are_no_depth():
    content = b'{"openapi": "3.1.0", "x": "' + b'[\\"' * 500 + b'"}'
    assert read_document(content)["openapi"] == "3.1.0"


@given(applications())
@SLOW
def test_a_document_never_differs_from_itself(app):
    for made in (app.openapi(), downgrade(app.openapi())):
        assert find_changes(made, read_document(json.dumps(made).encode())) == []


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


def nodes(part: Any) -> list[Any]:
    """Every object and list inside, itself included."""
    inner = part.values() if isinstance(part, dict) else part
    return [part] + [node for each in inner if isinstance(each, dict | list) for node in nodes(each)]


@given(applications(), st.data())
@SLOW
def test_documents_of_any_shape_are_compared_or_refused(app, data):
    old, new = app.openapi(), copy.deepcopy(app.openapi())
    for _ in range(data.draw(st.integers(1, 3))):
        node = data.draw(st.sampled_from([each for each in nodes(new) if each]))
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        node[key] = data.draw(JSON)
    for one, other in ((old, new), (new, old)):
        try:
            changes = find_changes(one, other)
        except DocumentError:
            continue
        assert all(isinstance(change, Change) and str(change) for change in changes)


@given(
    st.binary(max_size=60) | JSON.map(lambda value: json.dumps({"openapi": "3.1.0", "paths": value}).encode())
)
def test_any_bytes_are_a_document_or_refused(content):
    with contextlib.suppress(DocumentError):
        assert read_document(content)["openapi"].startswith("3.")


def add_optional(document: dict[str, Any], choice: int) -> None:
    """Add something that nobody has to know of."""
    item = document["paths"]["/change"]
    operation = item["post"]
    additions = [
        lambda: document["paths"].setdefault("/other", {"get": {"responses": {}}}),
        lambda: item.setdefault("get", {"responses": {}}),
        lambda: operation["parameters"].append({"name": "more", "in": "query", "schema": {"enum": [1]}}),
        lambda: operation["responses"].setdefault("418", {"description": "tea"}),
        lambda: operation["responses"]["200"].setdefault("headers", {"X-More": {"schema": {}}}),
        lambda: operation["responses"]["200"]["content"].setdefault("text/csv", {"schema": {}}),
        lambda: operation["requestBody"]["content"].setdefault("text/csv", {"schema": {}}),
        lambda: operation.setdefault("callbacks", {"done": {}}),
        *(
            lambda schema=schema: schema["properties"].setdefault("more", {"type": "string"})
            for schema in document["components"]["schemas"].values()
            if "properties" in schema
        ),
    ]
    additions[choice % len(additions)]()


@given(applications(), st.lists(st.integers(0, 50), min_size=1, max_size=5))
@SLOW
def test_adding_something_optional_is_never_breaking(app, choices):
    new = copy.deepcopy(app.openapi())
    for choice in choices:
        add_optional(new, choice)
    changes = find_changes(app.openapi(), new)
    assert changes
    assert breaking(changes) == []
