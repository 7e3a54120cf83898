"""What monitoring tools and extension libraries do to the framework, each as a stand-in of a few lines."""

import functools
from typing import Annotated

import pytest

import covet.routing
from covet import APIRouter, CovetPy, Depends, Response
from covet.dependencies.models import Dependant
from covet.dependencies.utils import get_dependant, get_parameterless_sub_dependant
from covet.params import Depends as DependsClass
from covet.routing import APIRoute, request_response
from covet.testclient import TestClient


def handler():
    return "x"


def client_of(endpoint=handler, **options):
    app = CovetPy()
    app.get("/", **options)(endpoint)
    return app, TestClient(app)


def test_a_replaced_get_request_handler_makes_the_handlers_of_new_routes(monkeypatch):
    seen = []
    original = covet.routing.get_request_handler

    def patched(*args, **kwargs):
        dependant = kwargs["dependant"]
        call = dependant.call

        @functools.wraps(call)
        def traced(**values):
            seen.append(call.__name__)
            return call(**values)

        dependant.call = traced
        return original(*args, **kwargs)

    monkeypatch.setattr(covet.routing, "get_request_handler", patched)
    _, client = client_of()
    assert client.get("/").json() == "x"
    assert seen == ["handler"]


def test_wrapped_functions_are_called_for_routes_that_exist(monkeypatch):
    seen = []
    _, client = client_of(lambda q=1: q)
    client.get("/")
    solve, run = covet.routing.solve_dependencies, covet.routing.run_endpoint_function

    class Values(dict): ...

    async def solving(*, request, dependant, **options):
        solved = await solve(request=request, dependant=dependant, **options)
        solved.values = Values(solved.values)
        return solved

    async def running(*, dependant, values, is_coroutine):
        seen.append(type(values))
        copied = Dependant(call=dependant.call)
        return await run(dependant=copied, values=values, is_coroutine=is_coroutine)

    with monkeypatch.context() as patch:
        patch.setattr(covet.routing, "solve_dependencies", solving)
        patch.setattr(covet.routing, "run_endpoint_function", running)
        assert client.get("/?q=5").json() == "5"
    assert seen == [Values]
    client.get("/")
    assert len(seen) == 1


@pytest.mark.parametrize("name", ["run_in_threadpool", "serialize_response"])
def test_other_replaced_functions_are_called(monkeypatch, name):
    seen = []
    original = getattr(covet.routing, name)

    async def counted(*args, **kwargs):
        seen.append(name)
        return await original(*args, **kwargs)

    _, client = client_of()
    monkeypatch.setattr(covet.routing, name, counted)
    assert client.get("/").json() == "x"
    assert name in seen


def test_a_wrapped_handle_is_called_per_request(monkeypatch):
    seen = []
    original = APIRoute.handle

    async def traced(self, scope, receive, send):
        seen.append(self.path)
        await original(self, scope, receive, send)

    router = APIRouter()
    router.get("/y")(handler)
    app, client = client_of()
    app.include_router(router, prefix="/p")
    client.get("/")
    monkeypatch.setattr(APIRoute, "handle", traced)
    app.router._mark_routes_changed()
    assert client.get("/").json() == client.get("/p/y").json() == "x"
    assert seen == ["/", "/y"]


def test_a_dependency_added_to_a_dependant_runs():
    seen = []
    app, client = client_of()
    client.get("/")
    depends = DependsClass(lambda: seen.append(1))
    app.routes[-1].dependant.dependencies.append(get_parameterless_sub_dependant(depends=depends, path="/"))
    client.get("/")
    assert seen == [1]


def test_a_replaced_call_runs():
    app, client = client_of()
    client.get("/")
    app.routes[-1].dependant.call = lambda: "replaced"
    assert client.get("/").json() == "replaced"


def test_a_route_may_get_another_application():
    app, client = client_of()
    route = app.routes[-1]
    route.dependant = get_dependant(path=route.path_format, call=lambda q="new": q)
    route.app = request_response(route.get_route_handler())
    assert client.get("/").json() == "new"


def test_a_route_may_move():
    app, client = client_of()
    client.get("/")
    route = app.routes[-1]
    route.path = "/moved"
    route.path_regex, route.path_format, route.param_convertors = covet.routing.compile_path("/moved")
    assert client.get("/moved").json() == "x"
    assert client.get("/").status_code == 404


def test_the_injected_response_may_be_the_answer():
    def cached(response: Response):
        response.status_code = 304
        response.headers["etag"] = "1"
        return response

    _, client = client_of(cached)
    answer = client.get("/")
    assert (answer.status_code, answer.headers["etag"]) == (304, "1")


def test_the_injected_responses_headers_are_a_live_list():
    def dependency(response: Response):
        response.headers.raw.extend([(b"x-a", b"1"), (b"x-a", b"2")])

    def endpoint(value: Annotated[None, Depends(dependency)]):
        return "x"

    _, client = client_of(endpoint)
    assert client.get("/").headers.get_list("x-a") == ["1", "2"]


def test_signatures_may_be_changed_before_the_route_is_made():
    import inspect

    from covet import Request

    def wrapped(**values):
        return sorted(values)

    parameters = [
        inspect.Parameter("q", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=int),
        inspect.Parameter("__request", inspect.Parameter.KEYWORD_ONLY, annotation=Request),
    ]
    wrapped.__signature__ = inspect.Signature(parameters)
    _, client = client_of(wrapped)
    assert client.get("/?q=1").json() == ["__request", "q"]


def test_dependencies_are_told_by_their_class():
    declared = Depends(handler)
    assert isinstance(declared, DependsClass)
    assert declared.dependency is handler


def test_routes_offer_what_instrumentations_read():
    app, _ = client_of(status_code=201)
    route = app.routes[-1]
    match, child = route.matches({"type": "http", "method": "GET", "path": "/"})
    assert match is covet.routing.Match.FULL
    assert child["endpoint"] is handler
    assert (route.path, route.methods, route.status_code) == ("/", {"GET"}, 201)
    assert (route.unique_id, route.body_field, route._embed_body_fields) == ("handler__get", None, False)
