"""What `covet routes` says of middleware."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Covet = Callable[..., Any]

MAIN = """
from covet import CovetPy
from covet.middleware.base import BaseHTTPMiddleware
from covet.middleware.cors import CORSMiddleware
from covet.middleware.gzip import GZipMiddleware

class Audit:
    def __init__(self, app): self.app = app
    async def __call__(self, scope, receive, send): await self.app(scope, receive, send)

class Own(GZipMiddleware): ...

class Watch(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next): return await call_next(request)

class Wrapped(Watch):
    async def __call__(self, scope, receive, send): await super().__call__(scope, receive, send)

async def timing(request, call_next): return await call_next(request)

app = CovetPy({options})
for cls in reversed([{layers}]):
    if cls is timing: app.middleware("http")(timing)
    else: app.add_middleware(cls)
sub = CovetPy()
sub.middleware("http")(timing)
"""


@pytest.fixture
def told(covet: Covet, tmp_path: Path) -> Callable[..., Any]:
    """Return a function that makes an application with these layers and gives what is said of each."""

    def tell(layers: str, options: str = "", more: str = "") -> Any:
        source = MAIN.replace("{layers}", layers).replace("{options}", options) + more
        (tmp_path / "main.py").write_text(source)
        answer = covet("routes", "main:app", "--middleware", "--json")
        assert answer.returncode == 0, answer.stderr
        return [(row["name"], row["runs"], row["why"]) for row in json.loads(answer.stdout)]

    return tell


def test_native_middleware_and_functions_run_in_the_engine(told: Any) -> None:
    assert told("CORSMiddleware, timing, GZipMiddleware, Watch") == [
        ("CORSMiddleware", "native", ""),
        ("timing", "step", ""),
        ("GZipMiddleware", "native", ""),
        ("Watch", "step", ""),
    ]


def test_a_plain_class_takes_with_it_what_is_not_native_outside_of_it_all(told: Any) -> None:
    beside = "beside Audit, which only ASGI can run"
    assert told("CORSMiddleware, timing, GZipMiddleware, Audit") == [
        ("CORSMiddleware", "native", ""),
        ("timing", "asgi", beside),
        ("GZipMiddleware", "asgi", beside),
        ("Audit", "asgi", "a plain ASGI class"),
    ]


def test_what_is_overridden_is_named(told: Any) -> None:
    assert [why for _, _, why in told("Own, Wrapped")] == [
        "a subclass, a replaced method or a value that only Python can follow",
        "Wrapped.__call__ is overridden",
    ]


def test_what_keeps_all_of_it_with_asgi_is_said_of_each(told: Any) -> None:
    limited = "the application has max_body_size, which stands outside of its middleware"
    assert told("CORSMiddleware, timing", "max_body_size=10") == [
        ("CORSMiddleware", "asgi", limited),
        ("timing", "asgi", limited),
    ]
    assert told("timing", more="\napp.router.not_found = app.router.not_found\n") == [
        ("timing", "asgi", "APIRouter.not_found is replaced")
    ]


def test_a_mounted_application_runs_as_asgi(told: Any) -> None:
    assert told("CORSMiddleware", more="\napp.mount('/sub', sub)\n") == [
        ("CORSMiddleware", "native", ""),
        ("timing", "asgi", "a mounted application"),
    ]


def test_the_table_of_routes_is_followed_by_the_middleware(covet: Covet, told: Any) -> None:
    told("timing")
    routes, middleware = covet("routes", "main:app").stdout.split("\n\n")
    assert routes.startswith("METHOD")
    headings, row = middleware.splitlines()
    assert headings.split() == ["MIDDLEWARE", "APPLICATION", "WHERE", "RUNS", "WHY"]
    assert row.split() == ["timing", "/", "main.py:19", "step"]
