"""The finder, the loader and the metadata of compatibility, each by itself; nothing is installed here."""

import importlib.util
import sys
from importlib.metadata import DistributionFinder
from types import ModuleType

import pytest

import covet.sse
from covet.compat.finder import Finder
from covet.compat.loader import AliasLoader, StandIn


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """`fastapi.sse` as an import hook gets it; the names of this process are put back afterwards."""
    monkeypatch.setitem(sys.modules, "fastapi.sse", ModuleType("fastapi.sse"))
    spec = Finder().find_spec("fastapi.sse", None)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert isinstance(module, StandIn)
    return module


def test_other_names_are_left_to_other_finders() -> None:
    assert Finder().find_spec("json", None) is None


@pytest.mark.parametrize(
    "name", ["fastapi.server", "fastapi.nothing", "starlette.mirror", "starlette.nothing"]
)
def test_unknown_modules_do_not_exist(name: str) -> None:
    with pytest.raises(ModuleNotFoundError, match="covet stands in") as caught:
        Finder().find_spec(name, None)
    assert caught.value.name == name


def test_the_loaded_module_is_covets(loaded: StandIn) -> None:
    assert sys.modules["fastapi.sse"] is covet.sse
    assert loaded.__name__ == "fastapi.sse"
    assert covet.sse.__name__ == "covet.sse"


def test_what_a_hook_assigns_arrives(loaded: StandIn) -> None:
    loaded.patched = 1
    assert vars(covet.sse)["patched"] == 1
    del loaded.patched
    assert not hasattr(covet.sse, "patched")
    assert dir(loaded) == dir(covet.sse)


def test_a_hook_may_mark_the_module_without_marking_covets(loaded: StandIn) -> None:
    loaded.__marked__ = True
    assert not hasattr(covet.sse, "__marked__")
    del loaded.__marked__
    with pytest.raises(AttributeError, match=r"module 'fastapi\.sse' has no attribute '__marked__'"):
        loaded.__marked__  # noqa: B018


def test_packages_and_code_are_those_of_covet() -> None:
    package = Finder().find_spec("fastapi.security", None)
    assert package is not None
    assert isinstance(package.loader, AliasLoader)
    assert package.loader.is_package("fastapi.security")
    assert package.loader.get_resource_reader("fastapi.security") is not None
    assert "import" in (package.loader.get_source("fastapi.security") or "")
    assert package.loader.get_code("fastapi.security") is not None


@pytest.mark.parametrize(
    ("name", "found"), [("FastAPI", ["fastapi"]), (None, ["fastapi", "starlette"]), ("x", [])]
)
def test_distributions_by_name(name: str | None, found: list[str]) -> None:
    context = DistributionFinder.Context(name=name) if name else DistributionFinder.Context()
    distributions = list(Finder().find_distributions(context))
    assert [entry.metadata["Name"] for entry in distributions] == found
    assert all(entry.read_text("RECORD") is None and entry.requires for entry in distributions)
