"""Documents: parameters, bodies, responses, security, names of schemas, and what is kept between two."""

import enum
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, computed_field

from covet import APIRouter, Body, CovetPy, Depends, Header, Query, Security
from covet.exceptions import FastAPIDeprecationWarning
from covet.openapi import models
from covet.openapi.plain import plain_document
from covet.openapi.utils import generate_operation_id, get_openapi
from covet.responses import EventSourceResponse, JSONResponse, Response
from covet.routing import APIRoute
from covet.security import APIKeyHeader, OAuth2PasswordBearer
from covet.utils import deep_dict_update, generate_operation_id_for_path, generate_unique_id


class Colour(enum.Enum):
    RED = "red"


class Child(BaseModel):
    name: str
    colour: Colour | None = None


class Item(BaseModel):
    """An item.\f Not for the document."""

    child: Child
    note: str | None = None


def document(*endpoints, **options):
    app = CovetPy(**options)
    for endpoint in endpoints:
        app.post(f"/{endpoint.__name__}")(endpoint)
    return app.openapi()


def operation(endpoint, **options):
    app = CovetPy()
    app.post("/x", **options)(endpoint)
    return app.openapi()["paths"]["/x"]["post"]


def test_a_route_becomes_an_operation():
    def read_item(
        q: Annotated[int, Query(ge=1, description="how many", deprecated=True)],
        x_token: Annotated[str | None, Header()] = None,
        hidden: Annotated[str, Query(include_in_schema=False)] = "",
    ) -> Item:
        """Read it.\f Not for the document."""

    found = operation(read_item)
    assert found["summary"] == "Read Item"
    assert found["description"] == "Read it."
    assert found["operationId"] == "read_item_x_post"
    assert found["parameters"] == [
        {
            "name": "q",
            "in": "query",
            "required": True,
            "schema": {
                "type": "integer",
                "minimum": 1,
                "description": "how many",
                "deprecated": True,
                "title": "Q",
            },
            "description": "how many",
            "deprecated": True,
        },
        {
            "name": "x-token",
            "in": "header",
            "required": False,
            "schema": {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "X-Token"},
        },
    ]
    assert found["responses"]["200"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Item"
    }
    assert "422" in found["responses"]


def test_examples_of_both_kinds():
    def read(
        a: Annotated[str, Query(openapi_examples={"one": {"value": "x"}})],
        item: Annotated[Item, Body(openapi_examples={"two": {"value": {"note": None}}})],
    ): ...

    found = operation(read)
    assert found["parameters"][0]["examples"] == {"one": {"value": "x"}}
    assert found["requestBody"]["content"]["application/json"]["examples"] == {"two": {"value": {}}}
    with pytest.warns(FastAPIDeprecationWarning):
        old = Annotated[str, Query(example="x")]

    def reads(a: old): ...

    assert operation(reads)["parameters"][0]["example"] == "x"


def test_a_parameter_of_two_dependencies_is_required_if_one_needs_it():
    def first(q: str = ""): ...
    def second(q: str): ...
    def read(a: Annotated[Any, Depends(first)], b: Annotated[Any, Depends(second)]): ...

    (parameter,) = operation(read)["parameters"]
    assert parameter["required"] is True


def test_additional_responses_join_those_that_are_there():
    responses = {
        404: {"model": Child},
        "5XX": {"description": "broken"},
        "default": {"content": {"text/x": {}}},
        200: {"description": "fine"},
    }

    def read() -> Item: ...

    found = operation(read, responses=responses, openapi_extra={"x-extra": [1]})
    assert found["x-extra"] == [1]
    assert found["responses"]["200"]["description"] == "fine"
    assert found["responses"]["404"]["description"] == "Not Found"
    assert "$ref" in str(found["responses"]["404"])
    assert found["responses"]["5XX"] == {"description": "broken"}
    assert found["responses"]["default"]["description"] == "Default Response"


def test_a_described_error_keeps_ours_away():
    def read(q: int): ...

    assert "422" not in operation(read, responses={"4XX": {"description": "no"}})["responses"]


def test_callbacks_are_described():
    callbacks = APIRouter()
    callbacks.post("{$callback_url}/done")(lambda item: None)

    @callbacks.get("/other")
    def other(item: Item): ...

    def read(): ...

    found = operation(read, callbacks=[*callbacks.routes, object.__new__(APIRoute.__mro__[2])])
    assert set(found["callbacks"]) == {"<lambda>", "other"}


def test_webhooks_and_settings_are_in_the_document():
    app = CovetPy(
        title="T",
        summary="S",
        description="D",
        terms_of_service="http://t.org/",
        contact={"name": "me", "url": "http://c.org"},
        license_info={"name": "MIT"},
        servers=[{"url": "/api"}],
        openapi_tags=[{"name": "a"}],
        openapi_external_docs={"url": "http://e.org"},
    )

    @app.webhooks.post("new")
    def new(item: Item): ...

    found = app.openapi()
    assert found["info"]["contact"]["url"] == "http://c.org/"
    assert found["info"]["termsOfService"] == "http://t.org/"
    assert found["externalDocs"] == {"url": "http://e.org/"}
    assert list(found["webhooks"]) == ["new"]
    assert found["tags"] == [{"name": "a"}]
    assert found["servers"] == [{"url": "/api"}]


def test_streams_describe_their_items():
    from collections.abc import AsyncIterable

    async def lines() -> AsyncIterable[Item]:
        yield

    async def anything():
        yield

    assert "itemSchema" in operation(lines)["responses"]["200"]["content"]["application/jsonl"]
    assert operation(anything)["responses"]["200"]["content"]["application/jsonl"] == {"itemSchema": {}}
    events = operation(lines, response_class=EventSourceResponse)["responses"]["200"]["content"]
    data = events["text/event-stream"]["itemSchema"]["properties"]["data"]
    assert data["contentSchema"] == {"$ref": "#/components/schemas/Item"}


def test_response_classes_tell_media_type_and_status():
    class Created(JSONResponse):
        def __init__(self, content=None, status_code=201, **options):
            super().__init__(content, status_code, **options)

    class Silent(Response):
        def __init__(self, *args, **kwargs): ...

    def read(): ...

    assert list(operation(read, response_class=Created)["responses"]) == ["201"]
    assert operation(read, response_class=Silent)["responses"] == {
        "200": {"description": "Successful Response"}
    }
    assert "content" not in operation(read, status_code=204)["responses"]["204"]


def test_security_schemes_and_their_scopes():
    oauth = OAuth2PasswordBearer("token", scopes={"a": "A"})
    key = APIKeyHeader(name="x-key")

    def user(token: Annotated[str, Depends(oauth)]): ...

    def read(
        user: Annotated[Any, Security(user, scopes=["a"])],
        key: Annotated[str, Security(key)],
        again: Annotated[Any, Depends(oauth)],
    ): ...

    found = document(read)
    assert found["paths"]["/read"]["post"]["security"] == [
        {"OAuth2PasswordBearer": ["a"]},
        {"APIKeyHeader": []},
    ]
    assert set(found["components"]["securitySchemes"]) == {"OAuth2PasswordBearer", "APIKeyHeader"}


def test_duplicate_operation_ids_are_reported():
    app = CovetPy()

    @app.get("/a", operation_id="same")
    def first(): ...

    @app.get("/b", operation_id="same")
    def second(): ...

    places = [f"{each.__name__} ({__file__}:{each.__code__.co_firstlineno})" for each in (second, first)]
    with pytest.warns(UserWarning, match="Duplicate Operation ID same for function second") as caught:
        app.openapi()
    assert str(caught[0].message) == (
        f"Duplicate Operation ID same for function {places[0]}; {places[1]} has it already. "
        "Give one of them an operation_id of its own"
    )


def test_one_model_in_and_out_has_one_schema_unless_they_differ():
    class Differs(BaseModel):
        a: Decimal

    def same(item: Child) -> Child: ...
    def differs(item: Differs) -> Differs: ...

    names = set(document(same, differs)["components"]["schemas"])
    assert {"Child", "Colour", "Differs-Input", "Differs-Output"} <= names
    names = set(document(same, differs, separate_input_output_schemas=False)["components"]["schemas"])
    assert {"Child", "Differs"} <= names


def test_computed_fields_keep_input_and_output_apart():
    class Area(BaseModel):
        side: int

        @computed_field
        @property
        def size(self) -> int:
            return self.side**2

    class Outer(BaseModel):
        areas: list[Area]

    def read(item: Outer) -> Outer: ...

    names = set(document(read, separate_input_output_schemas=False)["components"]["schemas"])
    assert {"Outer-Input", "Outer-Output", "Area-Input", "Area-Output"} <= names


def test_models_of_one_name_are_told_apart():
    def make():
        return type("Twin", (BaseModel,), {"__annotations__": {"a": int}, "__module__": "one"}), type(
            "Twin", (BaseModel,), {"__annotations__": {"b": int}, "__module__": "two"}
        )

    first, second = make()

    def read(a: first, b: second): ...

    names = {name for name in document(read)["components"]["schemas"] if "Twin" in name}
    assert names == {"one__Twin", "two__Twin"}


def test_recursive_models():
    class Tree(BaseModel):
        children: "list[Tree]" = []

    Tree.model_rebuild(_types_namespace={"Tree": Tree})

    def read(tree: Tree): ...

    assert "Tree" in document(read)["components"]["schemas"]


def test_binary_strings_have_a_content_type():
    class Blob(BaseModel):
        raw: bytes

    class Encoded(BaseModel):
        model_config = ConfigDict(val_json_bytes="base64")
        raw: bytes

    def read(a: Blob, b: Encoded): ...

    schemas = document(read)["components"]["schemas"]
    assert schemas["Blob"]["properties"]["raw"]["contentMediaType"] == "application/octet-stream"
    assert schemas["Encoded"]["properties"]["raw"]["contentEncoding"] == "base64"


def test_descriptions_end_at_a_form_feed():
    def read(item: Item): ...

    assert document(read)["components"]["schemas"]["Item"]["description"] == "An item."


def test_a_changed_document_does_not_change_the_next():
    app = CovetPy()

    @app.post("/")
    def read(item: Item, q: Literal["a"] = "a"): ...

    first = app.openapi()
    first["components"]["schemas"]["Item"]["title"] = "changed"
    app.openapi_schema = None
    assert app.openapi()["components"]["schemas"]["Item"]["title"] == "Item"


def test_a_new_route_makes_a_new_document():
    app = CovetPy()
    assert app.openapi() is app.openapi()
    app.get("/x")(lambda: None)
    assert "/x" in app.openapi()["paths"]


def test_hidden_routes_are_not_described():
    app = CovetPy()
    app.get("/x", include_in_schema=False)(lambda: None)
    assert app.openapi()["paths"] == {}


def test_a_document_of_routes_alone():
    found = get_openapi(title="T", version="1", routes=[APIRoute("/x", lambda: None)])
    assert list(found) == ["openapi", "info", "paths"]


def test_plain_documents_have_no_objects():
    found = plain_document(
        {
            "a": None,
            "minimum": 1,
            "example": {"b": None, "minimum": 1},
            "c": [Colour.RED, None],
            "examples": [Colour.RED],
        }
    )
    assert found == {"minimum": 1.0, "example": {"minimum": 1}, "c": ["red", None], "examples": ["red"]}
    assert type(found["minimum"]) is float
    assert type(found["example"]["minimum"]) is int


def test_the_models_read_a_document():
    def read(item: Item, q: int = 1) -> Item: ...

    found = document(read)
    assert models.OpenAPI(**found).info.title == "FastAPI"
    assert models.PathItem(**found["paths"]["/read"]).post.operationId == "read_read_post"
    assert models.Schema(type="string").type == "string"
    assert models._AnyText._validate(5, None) == "5"
    assert models._AnyText.__get_pydantic_json_schema__({}, None)["format"] == "email"
    assert models._AnyText.__get_pydantic_core_schema__(str, len)


def test_documents_are_merged_deeply():
    main = {"a": {"b": [1]}, "c": 1}
    deep_dict_update(main, {"a": {"b": [2], "d": 3}, "c": 2})
    assert main == {"a": {"b": [1, 2], "d": 3}, "c": 2}


def test_old_names_of_operation_ids_warn():
    route = APIRoute("/x", lambda: None, name="n", operation_id="own")
    with pytest.warns(FastAPIDeprecationWarning):
        assert generate_operation_id(route=route, method="GET") == "own"
    route.operation_id = None
    with pytest.warns(FastAPIDeprecationWarning):
        assert generate_operation_id(route=route, method="GET") == "n_x_get"
    with pytest.warns(FastAPIDeprecationWarning):
        assert generate_operation_id_for_path(name="n", path="/x", method="GET") == "n_x_get"
    assert generate_unique_id(route) == "n_x_get"


def test_bounds_of_parameters_stay_whole_numbers_as_in_fastapis_documents():
    def read(limit: Annotated[int, Query(ge=1)], count: Annotated[int, Body(ge=1)]): ...

    found = operation(read)
    assert type(found["parameters"][0]["schema"]["minimum"]) is int
    assert type(found["requestBody"]["content"]["application/json"]["schema"]["minimum"]) is float
    assert type(plain_document({"itemSchema": {"minimum": 1}})["itemSchema"]["minimum"]) is int
