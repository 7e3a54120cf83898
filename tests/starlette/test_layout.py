"""`covet.starlette`: the modules and names of Starlette, and assignments that reach where names are used."""

import importlib
import inspect
import pkgutil
import warnings
from types import ModuleType
from typing import Any
from unittest import mock

import pytest

import covet.starlette
from covet import exceptions as own_exceptions
from covet._engine import generation
from covet.starlette import exceptions, formparsers, responses, routing
from covet.starlette.applications import Starlette


def modules_below(package: ModuleType) -> list[str]:
    return [info.name for info in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]


@pytest.fixture(scope="module")
def real() -> ModuleType:
    starlette = pytest.importorskip("starlette")
    if starlette.__version__ != covet.starlette.__version__:
        pytest.skip(f"Starlette {starlette.__version__} is installed")
    return starlette  # type: ignore[no-any-return]


def load(name: str) -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


# Of python-multipart, which is not needed; and styles of a page that is made anew.
ABSENT = {
    "starlette.middleware.errors": {"STYLES", "JS", "TEMPLATE", "FRAME_TEMPLATE", "LINE", "CENTER_LINE"},
}


def test_every_module_is_there(real: ModuleType) -> None:
    ours = {name.removeprefix("covet.") for name in modules_below(covet.starlette)}
    assert set(modules_below(real)) - ours == set()


def test_every_name_is_there(real: ModuleType) -> None:
    missing: list[str] = []
    for name in modules_below(real):
        theirs, ours = load(name), load(f"covet.{name}")
        for attribute, value in vars(theirs).items():
            defined_there = getattr(value, "__module__", name) == name
            if attribute.startswith("_") or isinstance(value, ModuleType) or not defined_there:
                continue
            if attribute in ABSENT.get(name, set()) or not (
                inspect.isclass(value) or inspect.isfunction(value)
            ):
                continue
            if not hasattr(ours, attribute):
                missing.append(f"{name}.{attribute}")
    assert missing == []


def signature(value: Any) -> list[tuple[str, Any, bool]]:
    parameters = inspect.signature(value).parameters.values()
    return [(p.name, p.kind, p.default is p.empty) for p in parameters]


def test_signatures_are_the_same(real: ModuleType) -> None:
    different: list[str] = []
    for name in (
        "applications",
        "background",
        "datastructures",
        "requests",
        "responses",
        "routing",
        "websockets",
    ):
        theirs, ours = load(f"starlette.{name}"), load(f"covet.starlette.{name}")
        for attribute in getattr(ours, "__all__"):  # noqa: B009
            value = getattr(theirs, attribute, None)
            if not inspect.isclass(value) or value.__module__ != theirs.__name__:
                continue
            for method, function in vars(value).items():
                public = method == "__init__" or not method.startswith("_")
                if public and inspect.isfunction(function):
                    mine = getattr(getattr(ours, attribute), method, None)
                    if mine is None or signature(function) != signature(mine):
                        different.append(f"{attribute}.{method}")
    assert different == []


def test_the_two_families_of_one_name() -> None:
    assert issubclass(own_exceptions.HTTPException, exceptions.HTTPException)
    assert own_exceptions.HTTPException is not exceptions.HTTPException


def test_an_assignment_reaches_the_home_of_a_name() -> None:
    def nobody(endpoint: Any) -> str:
        return "nobody"

    before = generation()
    with mock.patch("covet.starlette.routing.get_name", nobody):
        assert routing.Route("/", nobody).name == "nobody"
        assert generation() > before
    assert routing.Route("/", signature).name == "signature"


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


def test_former_names_of_codes(real: ModuleType) -> None:
    module = load("covet.starlette.status")
    with pytest.warns(UserWarning, match="is deprecated"):
        assert module.HTTP_422_UNPROCESSABLE_ENTITY == 422
    with pytest.raises(AttributeError, match=r"module 'starlette\.status' has no attribute"):
        module.HTTP_999  # noqa: B018


def test_the_application_is_the_base_of_ours() -> None:
    assert isinstance(Starlette().routes, list)
