"""Values out of requests: models of parameters, aliases, bodies, forms, files."""

from typing import Annotated, Any

import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, Json, Tag

from covet import Body, Cookie, CovetPy, File, Form, Header, Path, Query, UploadFile
from covet.testclient import TestClient


def client_of(endpoint, path="/", method="POST", **options):
    app = CovetPy()
    app.api_route(path, methods=[method], **options)(endpoint)
    return TestClient(app)


def errors(response):
    assert response.status_code == 422, response.text
    return [(error["type"], tuple(error["loc"])) for error in response.json()["detail"]]


class Filters(BaseModel):
    limit: int = 10
    tags: list[str] = []


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    limit: int = 10


class ByName(BaseModel):
    model_config = ConfigDict(validate_by_name=True)
    limit: int = Field(alias="l")


class OnlyName(BaseModel):
    model_config = ConfigDict(validate_by_alias=False, validate_by_name=True)
    limit: int = Field(alias="l")


def test_a_model_groups_query_parameters():
    def endpoint(filters: Annotated[Filters, Query()]):
        return filters

    client = client_of(endpoint, method="GET")
    assert client.get("/?limit=5&tags=a&tags=b").json() == {"limit": 5, "tags": ["a", "b"]}
    assert errors(client.get("/?limit=x")) == [("int_parsing", ("query", "limit"))]


def test_extra_parameters_are_the_models_affair():
    def endpoint(filters: Annotated[Closed, Query()]):
        return filters

    assert errors(client_of(endpoint, method="GET").get("/?other=1&other=2")) == [
        ("extra_forbidden", ("query", "other"))
    ]


@pytest.mark.parametrize(("model", "good", "bad"), [(ByName, "limit", "nothing"), (OnlyName, "limit", "l")])
def test_models_may_be_filled_by_name(model, good, bad):
    def endpoint(filters: Annotated[model, Query()]):
        return filters.limit

    client = client_of(endpoint, method="GET")
    assert client.get(f"/?{good}=5").json() == 5
    assert client.get(f"/?{bad}=5").status_code == 422


def test_an_optional_model_is_none_when_nothing_came():
    def endpoint(filters: Annotated[Filters | None, Query()] = None):
        return filters

    client = client_of(endpoint, method="GET")
    assert client.get("/").json() is None
    assert client.get("/?limit=1").json() == {"limit": 1, "tags": []}


class Headers(BaseModel):
    x_token: int
    plain: str = ""


def test_header_models_use_hyphens_and_name_the_header():
    def endpoint(headers: Annotated[Headers, Header()]):
        return headers

    client = client_of(endpoint, method="GET")
    assert client.get("/", headers={"x-token": "5"}).json()["x_token"] == 5
    assert errors(client.get("/", headers={"x-token": "x"})) == [("int_parsing", ("header", "x-token"))]
    assert errors(client.get("/", headers={"x_token": "5"})) == [("missing", ("header", "x-token"))]


def test_cookie_models():
    def endpoint(cookies: Annotated[Closed, Cookie()]):
        return cookies

    app = CovetPy()
    app.get("/")(endpoint)
    assert TestClient(app, cookies={"limit": "3"}).get("/").json() == {"limit": 3}
    assert TestClient(app, cookies={"other": "3"}).get("/").status_code == 422


def test_alias_choices_are_tried_in_order():
    def endpoint(q: Annotated[str, Query(validation_alias=AliasChoices("first", "second"))]):
        return q

    client = client_of(endpoint, method="GET")
    assert client.get("/?second=b").json() == "b"
    assert client.get("/?second=b&first=a").json() == "a"
    assert errors(client.get("/")) == [("missing", ("query", "first"))]


def test_a_path_parameter_may_be_one_of_its_choices():
    def endpoint(item: Annotated[str, Path(validation_alias=AliasChoices("nope", "item"))]):
        return item

    assert client_of(endpoint, "/{item}", "GET").get("/x").json() == "x"


def test_json_in_a_string():
    def endpoint(q: Annotated[Json[list[int]], Query()]):
        return q

    assert client_of(endpoint, method="GET").get("/?q=[1,2]").json() == [1, 2]


def test_defaults_are_copied_or_validated():
    def endpoint(
        items: Annotated[list[str], Query()] = [],  # noqa: B006
        number: Annotated[int, Query(validate_default=True)] = "x",  # type: ignore[assignment]
    ): ...

    assert errors(client_of(endpoint, method="GET").get("/")) == [("int_parsing", ("query", "number"))]


class Item(BaseModel):
    name: str


def test_one_body_parameter_is_the_body():
    def endpoint(item: Item):
        return item

    client = client_of(endpoint)
    assert client.post("/", json={"name": "x"}).json() == {"name": "x"}
    assert errors(client.post("/")) == [("missing", ("body",))]
    assert errors(client.post("/", json={})) == [("missing", ("body", "name"))]


def test_several_body_parameters_are_its_keys():
    def endpoint(item: Item, count: Annotated[int, Body()] = 1):
        return [item.name, count]

    client = client_of(endpoint)
    assert client.post("/", json={"item": {"name": "x"}, "count": 2}).json() == ["x", 2]
    assert errors(client.post("/", json=[])) == [
        ("missing", ("body", "item")),
        ("missing", ("body", "count")),
    ]
    assert errors(client.post("/", content=b"text", headers={"content-type": "text/plain"})) == [
        ("missing", ("body", "item"))
    ]


def test_an_embedded_body_may_be_aliased():
    def endpoint(item: Annotated[str, Body(embed=True, validation_alias=AliasChoices("a", "b"))]):
        return item

    assert client_of(endpoint).post("/", json={"b": "x"}).json() == "x"


def test_json_needs_its_content_type_unless_told_otherwise():
    def endpoint(item: Item):
        return item

    content = b'{"name": "x"}'
    assert client_of(endpoint).post("/", content=content).status_code == 422
    for content_type in ("application/json", "application/problem+json; charset=utf-8"):
        assert (
            client_of(endpoint).post("/", content=content, headers={"content-type": content_type}).is_success
        )
    app = CovetPy(strict_content_type=False)
    app.post("/")(endpoint)
    assert TestClient(app).post("/", content=content).is_success


def test_broken_json_says_where():
    def endpoint(item: Item): ...

    response = client_of(endpoint).post("/", content=b"{", headers={"content-type": "application/json"})
    assert errors(response) == [("json_invalid", ("body", 1))]


def test_an_unreadable_body_is_400():
    def endpoint(item: Item): ...

    response = client_of(endpoint).post("/", content=b'"\xff', headers={"content-type": "application/json"})
    assert (response.status_code, response.json()) == (400, {"detail": "There was an error parsing the body"})


def test_forms_and_files():
    async def endpoint(
        name: Annotated[str, Form()],
        data: Annotated[bytes, File()],
        many: Annotated[list[bytes], File()],
        upload: UploadFile,
        ages: Annotated[list[int], Form()] = [],  # noqa: B006
    ):
        return [name, data.decode(), [each.decode() for each in many], upload.filename, ages]

    files = [("data", b"d"), ("many", b"1"), ("many", b"2"), ("upload", ("u.txt", b"u"))]
    response = client_of(endpoint).post("/", data={"name": "n", "ages": ["1", "2"]}, files=files)
    assert response.json() == ["n", "d", ["1", "2"], "u.txt", [1, 2]]


def test_empty_form_fields_and_files_are_missing():
    def endpoint(name: Annotated[str, Form()], upload: UploadFile | None = None):
        return upload is None

    client = client_of(endpoint)
    assert errors(client.post("/", data={"name": ""})) == [("missing", ("body", "name"))]
    assert client.post("/", data={"name": "x"}, files={"upload": ("", b"")}).json() is True


class Login(BaseModel):
    user: str
    roles: list[str] = []


class Token(BaseModel):
    token: str


def test_a_form_model():
    def endpoint(login: Annotated[Login, Form()]):
        return login

    client = client_of(endpoint)
    assert client.post("/", data={"user": "a", "roles": ["x", "y"]}).json() == {
        "user": "a",
        "roles": ["x", "y"],
    }
    assert errors(client.post("/", data={"roles": "x"})) == [("missing", ("body", "user"))]


def test_a_form_of_models_and_fields():
    def endpoint(
        login: Annotated[Login, Form()], token: Annotated[Token | None, Form()] = None, n: int = Form(1)
    ):
        return [login.user, token, n]

    client = client_of(endpoint)
    assert client.post("/", data={"user": "a"}).json() == ["a", None, 1]
    assert client.post("/", data={"user": "a", "token": "t", "n": "2"}).json() == ["a", {"token": "t"}, 2]
    schema = client.get("/openapi.json").json()["components"]["schemas"]["Body_endpoint__post"]
    assert len(schema["allOf"]) == 2
    assert list(schema["properties"]) == ["n"]


def test_a_union_of_form_models_takes_the_branch_that_fits():
    def endpoint(data: Annotated[Annotated[Login, Tag("login")] | Token, Form()]):
        return type(data).__name__

    client = client_of(endpoint)
    assert client.post("/", data={"user": "a"}).json() == "Login"
    assert client.post("/", data={"token": "t"}).json() == "Token"


class ByChoice(BaseModel):
    model_config = ConfigDict(validate_by_name=True, extra="allow")
    user: str = Field(validation_alias=AliasChoices("login", "name"))


def test_form_schemas_use_the_names_that_are_accepted():
    def endpoint(data: Annotated[ByChoice | None, Form()] = None):
        return data

    client = client_of(endpoint)
    assert client.post("/", data={"name": "x"}).json()["user"] == "x"
    assert client.post("/").json() is None
    text = client.get("/openapi.json").text
    assert "maxProperties" in text
    assert "login" in text


def test_an_alias_path_is_left_to_pydantic():
    class Nested(BaseModel):
        first: int = Field(validation_alias=AliasPath("items", 0))
        either: int = Field(1, validation_alias=AliasChoices("e", AliasPath("items", 1)))

    def endpoint(data: Annotated[Nested, Query()]): ...

    assert client_of(endpoint, method="GET").get("/").status_code == 422


def test_uploads_are_read_from_where_they_are():
    from covet.dependencies.utils import _read_file_bytes

    async def endpoint(upload: UploadFile):
        await upload.seek(1)
        first = await _read_file_bytes(upload)
        return [first.decode(), (await upload.read()).decode()]

    assert client_of(endpoint).post("/", files={"upload": b"abc"}).json() == ["bc", "bc"]


def test_an_unannotated_value_is_text():
    def endpoint(q: Any):
        return q

    assert client_of(endpoint, method="GET").get("/?q=1").json() == "1"
