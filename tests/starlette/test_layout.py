"""`covet.starlette`: the modules and names of Starlette, and assignments that reach where names are used."""

import importlib
from typing import Any
from unittest import mock

import pytest

from covet import exceptions as own_exceptions
from covet._engine import generation
from covet.starlette import exceptions, formparsers, responses, routing
from covet.starlette.applications import Starlette


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("_exception_handler", ["wrap_app_handling_exceptions"]),
        ("_utils", ["create_collapsing_task_group", "get_route_path", "is_async_callable"]),
    ],
)
def test_private_modules_that_libraries_import_are_there(module: str, names: list[str]) -> None:
    found = importlib.import_module(f"covet.starlette.{module}")
    assert [name for name in names if not hasattr(found, name)] == []


def test_the_two_families_of_one_name() -> None:
    assert issubclass(own_exceptions.HTTPException, exceptions.HTTPException)
    assert own_exceptions.HTTPException is not exceptions.HTTPException


def test_an_assignment_reaches_the_home_of_a_name() -> None:
    def somebody() -> None: ...

    def nobody(endpoint: Any) -> str:
        return "nobody"

    before = generation()
    with mock.patch("covet.starlette.routing.get_name", nobody):
        assert routing.Route("/", nobody).name == "nobody"
        assert generation() > before
    assert routing.Route("/", somebody).name == "somebody"


def test_an_assignment_leaves_other_meanings_alone() -> None:
    home = importlib.import_module("covet.responses.base")
    with mock.patch.object(formparsers, "SpooledTemporaryFile", object()):
        parsers = importlib.import_module("covet.formparsers.parsers")
        assert parsers.SpooledTemporaryFile is formparsers.SpooledTemporaryFile
    with mock.patch.object(responses, "Response", object()):
        assert home.Response is responses.Response
    assert isinstance(home.Response, type)


def test_a_replaced_hop_carries_every_blocking_handler(client_for: Any) -> None:
    from covet.concurrency import run_in_threadpool
    from covet.requests import Request
    from covet.responses import PlainTextResponse, Response

    carried: list[Any] = []

    async def hop(func: Any, *args: Any, **kwargs: Any) -> Any:
        carried.append(func)
        return await run_in_threadpool(func, *args, **kwargs)

    def blocking(request: Request) -> Response:
        return PlainTextResponse("x")

    with mock.patch("covet.starlette.concurrency.run_in_threadpool", hop):
        app = Starlette(routes=[routing.Route("/", blocking)])
        assert client_for(app).get("/").text == "x"
    assert carried == [blocking]


def test_former_names_of_codes() -> None:
    module = importlib.import_module("covet.starlette.status")
    with pytest.warns(UserWarning, match="is deprecated"):
        assert module.HTTP_422_UNPROCESSABLE_ENTITY == 422
    with pytest.raises(AttributeError, match=r"module 'starlette\.status' has no attribute"):
        module.HTTP_999  # noqa: B018


def test_the_application_is_the_base_of_ours() -> None:
    assert isinstance(Starlette().routes, list)
