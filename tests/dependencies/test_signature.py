"""Signatures: where each parameter comes from, and what contradicts itself."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from covet import (
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    Form,
    Header,
    Path,
    Query,
    Request,
    Response,
    Security,
    UploadFile,
    WebSocket,
    params,
)
from covet._engine import generation
from covet.dependencies import models
from covet.dependencies.models import Dependant
from covet.dependencies.utils import (
    get_dependant,
    get_flat_params,
    get_parameterless_sub_dependant,
    get_path_param_names,
    get_stream_item_type,
    get_typed_return_annotation,
    get_typed_signature,
)
from covet.exceptions import DependencyScopeError
from covet.requests import HTTPConnection
from covet.security import HTTPBearer, SecurityScopes


class Model(BaseModel):
    a: int


def names(fields):
    return [field.name for field in fields]


def test_parameters_are_filed_by_where_they_come_from():
    def endpoint(
        item: int,
        q: str,
        model: Model,
        h: Annotated[str, Header()],
        c: Annotated[str, Cookie()],
        b: Annotated[int, Body()],
        upload: UploadFile,
        anything,
        many: list[int] = Query(),
    ): ...

    dependant = get_dependant(path="/{item}", call=endpoint)
    assert names(dependant.path_params) == ["item"]
    assert names(dependant.query_params) == ["q", "anything", "many"]
    assert names(dependant.header_params) == ["h"]
    assert names(dependant.cookie_params) == ["c"]
    assert names(dependant.body_params) == ["model", "b", "upload"]
    assert isinstance(dependant.body_params[2].field_info, params.File)


def test_the_framework_gives_what_is_no_field():
    def endpoint(
        r: Request, w: WebSocket, c: HTTPConnection, s: Response, b: BackgroundTasks, o: SecurityScopes
    ): ...

    dependant = get_dependant(path="/", call=endpoint)
    assert dependant.request_param_name == "r"
    assert dependant.websocket_param_name == "w"
    assert dependant.http_connection_param_name == "c"
    assert dependant.response_param_name == "s"
    assert dependant.background_tasks_param_name == "b"
    assert dependant.security_scopes_param_name == "o"
    assert not get_flat_params(dependant)


def test_header_names_have_hyphens():
    def endpoint(
        x_token: Annotated[str, Header()], y_z: Annotated[str, Header(convert_underscores=False)]
    ): ...

    aliases = [field.alias for field in get_dependant(path="/", call=endpoint).header_params]
    assert aliases == ["x-token", "y_z"]


def test_pydantics_field_in_annotated_adds_constraints():
    def endpoint(q: Annotated[int, Field(ge=3)]): ...

    field = get_dependant(path="/", call=endpoint).query_params[0]
    assert field.validate("2", loc=("query", "q"))[1][0]["type"] == "greater_than_equal"


def test_a_type_alias_is_opened():
    namespace: dict[str, Any] = {}
    exec("from typing import TypeAliasType\nAlias = TypeAliasType('Alias', int)", namespace) if hasattr(
        __import__("typing"), "TypeAliasType"
    ) else pytest.skip("Python 3.11 has no type aliases")

    def endpoint(q): ...

    endpoint.__annotations__["q"] = namespace["Alias"]
    assert get_dependant(path="/", call=endpoint).query_params[0].field_info.annotation is int


def declared_twice(q: Annotated[str, Query()] = Query()): ...
def depends_twice(q: Annotated[str, Depends(len)] = Depends(len)): ...
def annotated_and_depends(q: Annotated[str, Query()] = Depends(len)): ...
def default_in_annotated(q: Annotated[str, Query("x")]): ...
def path_with_default(item: Annotated[int, Path()] = 3): ...
def query_in_path(item: Annotated[int, Query()]): ...
def declared_request(r: Annotated[Request, Query()]): ...
def depends_on_request(r: Annotated[Request, Depends(len)], s: Annotated[Response, Query()]): ...
def list_in_path(item: list[int]): ...
def model_list_in_query(q: Annotated[list[Model], Query()]): ...


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        (declared_twice, "Cannot specify FastAPI annotations in `Annotated` and default value"),
        (depends_twice, "Cannot specify `Depends` in `Annotated` and default value"),
        (annotated_and_depends, "Cannot specify a FastAPI annotation in `Annotated` and `Depends`"),
        (default_in_annotated, "`Query` default value cannot be set in `Annotated` for 'q'"),
        (path_with_default, "Path parameters cannot have default values"),
        (query_in_path, "Cannot use `Query` for path param 'item'"),
        (declared_request, "Cannot specify FastAPI annotation for type"),
        (depends_on_request, "Cannot specify FastAPI annotation for type"),
        (list_in_path, "Path params must be of one of the supported types"),
        (model_list_in_query, "Query parameter 'q' must be one of the supported types"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_contradictions_are_refused(endpoint, message):
    with pytest.raises(AssertionError, match=message):
        get_dependant(path="/{item}", call=endpoint)


def test_a_request_generator_may_not_use_what_closes_before_it():
    def short():
        yield

    def long(value: Annotated[None, Depends(short, scope="function")]):
        yield

    with pytest.raises(DependencyScopeError, match='"long" has a scope of "request"'):
        get_dependant(path="/", call=long)


def test_depends_without_a_callable_calls_the_type():
    class Pagination:
        def __init__(self, limit: int = 10): ...

    def endpoint(page: Annotated[Pagination, Depends()]): ...

    dependant = get_dependant(path="/", call=endpoint)
    assert dependant.dependencies[0].call is Pagination


def test_strings_are_evaluated_in_the_callables_module():
    def endpoint(q: "int | None" = None) -> "Model": ...

    assert get_typed_signature(endpoint).parameters["q"].annotation == int | None
    assert get_typed_return_annotation(endpoint) is Model


def test_an_unknown_name_stays_a_reference():
    def endpoint(q: "Unknown", n: "None" = None): ...  # noqa: F821

    parameters = get_typed_signature(endpoint).parameters
    assert "Unknown" in str(parameters["q"].annotation)
    assert parameters["n"].annotation is None


def test_no_return_annotation_is_none():
    def endpoint(): ...

    assert get_typed_return_annotation(endpoint) is None


def test_stream_annotations_name_their_items():
    from collections.abc import AsyncIterable, Generator

    assert get_stream_item_type(AsyncIterable[int]) is int
    assert get_stream_item_type(Generator[str, None, None]) is str
    assert get_stream_item_type(list[int]) is None
    assert get_stream_item_type(int) is None


def test_a_parameterless_dependency_must_be_callable():
    with pytest.raises(AssertionError, match="must have a callable dependency"):
        get_parameterless_sub_dependant(depends=params.Depends(None), path="/")


def test_path_names_are_found():
    assert get_path_param_names("/{a}/{b?}") == {"a", "b"}


def test_analysing_changes_nothing_that_plans_are_made_from():
    def below(q: int): ...

    def endpoint(r: Request, x: Annotated[int, Depends(below)], m: Model): ...

    before = generation()
    get_dependant(path="/", call=endpoint)
    assert generation() == before


@pytest.mark.parametrize(
    "change",
    [
        lambda dependant: setattr(dependant, "call", len),
        lambda dependant: dependant.dependencies.append(Dependant()),
        lambda dependant: dependant.query_params.clear(),
        lambda dependant: setattr(dependant, "dependencies", []),
    ],
)
def test_a_change_of_a_dependant_makes_plans_stale(change):
    dependant = Dependant()
    before = generation()
    change(dependant)
    assert generation() > before


def test_a_dependant_can_be_subclassed():
    class Mine(Dependant):
        extra: int = 1

    assert Mine(call=len, query_params=[]).extra == 1


def test_scopes_and_cache_keys():
    scheme = HTTPBearer()

    def user(token: Annotated[Any, Security(scheme, scopes=["a"])]): ...

    dependant = get_dependant(path="/", call=user, own_oauth_scopes=["b", "b"], parent_oauth_scopes=["c"])
    assert models._get_oauth_scopes(dependant=dependant) == ["c", "b"]
    assert models._uses_scopes(dependant=dependant)
    assert models._get_cache_key(dependant=dependant) == (user, ("b", "c"), "")
    assert models._get_computed_scope(dependant=dependant) is None
    below = dependant.dependencies[0]
    assert models._is_security_scheme(dependant=below)
    assert models._get_security_scheme(dependant=below) is scheme
    assert not models._is_security_scheme(dependant=Dependant())


def test_a_form_model_is_a_body():
    def endpoint(data: Annotated[Model, Form()]): ...

    assert isinstance(get_dependant(path="/", call=endpoint).body_params[0].field_info, params.Form)
