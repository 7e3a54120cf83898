"""When a middleware describes itself to the engine, and when only the Python object can follow its rules."""

import re
from collections.abc import Callable, Collection
from typing import Any

import pytest

from covet.datastructures.headers import Headers
from covet.middleware import gzip
from covet.middleware.cors import CORSMiddleware
from covet.middleware.gzip import GZipMiddleware, GZipResponder, IdentityResponder


async def app(scope: Any, receive: Any, send: Any) -> None:
    raise NotImplementedError


def described(middleware: Any) -> dict[str, Any]:
    """The data of a middleware that has a description."""
    description = middleware.native()
    assert description is not None
    data: dict[str, Any] = description[1]
    return data


def replacement(*args: Any, **kwargs: Any) -> Any:
    raise NotImplementedError


class SubCORS(CORSMiddleware):
    """Changes nothing, but could."""


class SubGZip(GZipMiddleware):
    """Changes nothing, but could."""


@pytest.mark.parametrize("middleware", [SubCORS(app), SubGZip(app)])
def test_a_subclass_is_not_described(middleware: Any) -> None:
    assert middleware.native() is None


@pytest.mark.parametrize("name", ["__call__", "is_allowed_origin", "preflight_response", "send"])
def test_replaced_methods_of_cors_are_noticed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(CORSMiddleware, name, replacement)
    assert CORSMiddleware(app).native() is None


@pytest.mark.parametrize("cls", [GZipMiddleware, IdentityResponder, GZipResponder])
def test_replaced_methods_of_gzip_are_noticed(monkeypatch: pytest.MonkeyPatch, cls: type[Any]) -> None:
    monkeypatch.setattr(cls, "__call__", replacement)
    assert GZipMiddleware(app).native() is None


def test_a_replaced_responder_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Responder(GZipResponder):
        content_encoding = "x-gzip"

    monkeypatch.setattr(gzip, "GZipResponder", Responder)
    assert GZipMiddleware(app).native() is None


def test_another_encoding_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GZipResponder, "content_encoding", "x-gzip")
    assert GZipMiddleware(app).native() is None


def test_a_method_replaced_on_the_object_is_noticed() -> None:
    middleware = CORSMiddleware(app)
    middleware.is_allowed_origin = replacement  # type: ignore[method-assign]
    assert middleware.native() is None


def test_a_wrapper_that_claims_to_be_equal_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrapper:
        """As monitoring tools make them."""

        def __init__(self, wrapped: Callable[..., Any]) -> None:
            self.wrapped = wrapped

        def __eq__(self, other: object) -> bool:
            return self.wrapped == other

        def __hash__(self) -> int:
            return hash(self.wrapped)

    monkeypatch.setattr(CORSMiddleware, "send", Wrapper(CORSMiddleware.send))
    assert CORSMiddleware(app).native() is None


def test_what_was_replaced_may_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    middleware = CORSMiddleware(app)
    with monkeypatch.context() as patch:
        patch.setattr(CORSMiddleware, "send", replacement)
        assert middleware.native() is None
    assert middleware.native() is not None


def test_attributes_are_read_when_asked() -> None:
    cors = CORSMiddleware(app, allow_origins=["http://a"])
    cors.allow_origins = {"http://b"}
    cors.allow_origin_regex = re.compile("http://c")
    cors.simple_headers["X-A"] = "b"
    cors.preflight_headers["Access-Control-Max-Age"] = "1"
    data = described(cors)
    assert data["allow_origins"] == {"http://b"}
    assert data["allow_origin_regex"]("http://c")
    assert (b"x-a", b"b") in data["simple_headers"]
    assert (b"access-control-max-age", b"1") in data["preflight_headers"]
    compression = GZipMiddleware(app)
    compression.minimum_size = 7
    assert described(compression)["minimum_size"] == 7


class EveryOrigin(Collection[str]):
    """Decides when it is asked."""

    def __contains__(self, origin: object) -> bool:
        return origin != "*"

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0


class Text(str):
    """Equal to whatever it likes."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("allow_origins", EveryOrigin()),
        ("allow_origins", "http://a"),
        ("allow_origins", [Text("http://a")]),
        ("allow_origins", ["http://\udc80"]),
        ("allow_methods", "GET"),
        ("allow_headers", [1]),
        ("allow_origin_regex", re.compile(b"a")),
        ("allow_origin_regex", EveryOrigin()),
        ("simple_headers", {"X-A": "\u20ac"}),
        ("simple_headers", {"X-A": 1}),
        ("preflight_headers", {"Content-type": "text/html"}),
        ("preflight_headers", {"access-control-allow-origin": "*"}),
    ],
)
def test_cors_with_values_of_other_kinds_is_not_described(attribute: str, value: object) -> None:
    middleware = CORSMiddleware(app)
    setattr(middleware, attribute, value)
    assert middleware.native() is None


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("minimum_size", -1),
        ("minimum_size", 0.5),
        ("minimum_size", True),
        ("minimum_size", 1 << 63),
        ("thread_minimum_size", "1"),
        ("compresslevel", 10),
        ("compresslevel", -2),
        ("compresslevel", "9"),
        ("exclude_content_types", ["text/plain"]),
        ("exclude_content_types", (b"text/plain",)),
    ],
)
def test_gzip_with_values_of_other_kinds_is_not_described(attribute: str, value: object) -> None:
    middleware = GZipMiddleware(app)
    setattr(middleware, attribute, value)
    assert middleware.native() is None


def test_zlibs_own_level_is_six() -> None:
    assert described(GZipMiddleware(app, compresslevel=-1))["compresslevel"] == 6


def test_the_predicate_is_the_patterns() -> None:
    data = described(CORSMiddleware(app, allow_origin_regex="https?://a"))
    assert data["allow_origin_regex"]("http://a")
    assert not data["allow_origin_regex"]("http://ab")


def test_a_description_changes_nothing() -> None:
    middleware = CORSMiddleware(app, allow_origins=["http://a"])
    before = middleware.preflight_response(_preflight()).raw_headers
    described(middleware)["preflight_headers"].clear()
    assert middleware.preflight_response(_preflight()).raw_headers == before


def _preflight() -> Headers:
    return Headers({"origin": "http://a", "access-control-request-method": "GET"})
