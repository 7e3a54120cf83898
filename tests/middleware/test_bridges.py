"""Middleware that leads elsewhere: WSGI applications, OpenTelemetry; and how one is declared."""

import importlib
import sys
import warnings
from collections.abc import Iterable
from typing import Any

import pytest

from covet.http_exceptions import StarletteDeprecationWarning
from covet.middleware.gzip import GZipMiddleware
from covet.requests import Request
from covet.responses import PlainTextResponse, Response
from covet.starlette.applications import Starlette
from covet.starlette.middleware import Middleware
from covet.starlette.routing import Mount, Route


def test_a_declaration_is_unpacked_and_shown() -> None:
    declared = Middleware(GZipMiddleware, 10, compresslevel=1)
    cls, args, kwargs = declared
    assert (cls, args, kwargs) == (GZipMiddleware, (10,), {"compresslevel": 1})
    assert repr(declared) == "Middleware(GZipMiddleware, 10, compresslevel=1)"


@pytest.fixture
def wsgi() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StarletteDeprecationWarning)
        return importlib.import_module("covet.middleware.wsgi")


def test_wsgi_is_deprecated(wsgi: Any) -> None:
    with pytest.warns(StarletteDeprecationWarning, match="a2wsgi"):
        importlib.reload(wsgi)


def test_a_wsgi_application_answers(client_for: Any, wsgi: Any) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("201 Created", [("X-Path", environ["PATH_INFO"])])
        start_response("201 Created", [])
        yield environ["REQUEST_METHOD"].encode()
        yield environ["wsgi.input"].read()

    response = client_for(wsgi.WSGIMiddleware(app)).post("/p", content=b" body")
    assert (response.status_code, response.headers["x-path"], response.text) == (201, "/p", "POST body")


def test_an_error_of_a_wsgi_application_is_raised(client_for: Any, wsgi: Any) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            raise ValueError("inside")
        except ValueError:
            start_response("500 Error", [], sys.exc_info())
        return [b"sorry"]

    with pytest.raises(ValueError, match="inside"):
        client_for(wsgi.WSGIMiddleware(app)).get("/")


def test_an_environment_is_built(wsgi: Any) -> None:
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": "/root/é",
        "root_path": "/root",
        "query_string": b"a=1",
        "headers": [(b"x-a", b"1"), (b"x-a", b"2"), (b"content-type", b"t"), (b"content-length", b"0")],
        "client": ("9.9.9.9", 1),
        "server": None,
    }
    environ = wsgi.build_environ(scope, b"")
    assert environ["SCRIPT_NAME"] == "/root"
    assert environ["PATH_INFO"].encode("latin1").decode() == "/é"
    assert (environ["HTTP_X_A"], environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"]) == ("1,2", "t", "0")
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"], environ["REMOTE_ADDR"]) == (
        "localhost",
        80,
        "9.9.9.9",
    )


@pytest.fixture
def spans() -> Any:
    pytest.importorskip("opentelemetry.sdk.trace")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider, exporter


def traced(provider: Any, **options: Any) -> Starlette:
    from covet.middleware.opentelemetry import OpenTelemetryMiddleware

    def hello(request: Request) -> Response:
        if "fail" in request.query_params:
            raise ValueError
        return PlainTextResponse("x", int(request.query_params.get("status", 200)))

    routes: list[Any] = [Route("/items/{id}", hello), Mount("/m", app=PlainTextResponse("m"))]
    twice = [Middleware(OpenTelemetryMiddleware, tracer_provider=provider, **options)] * 2
    return Starlette(routes=routes, middleware=twice)


def test_requests_become_spans(client_for: Any, spans: Any) -> None:
    provider, exporter = spans
    client = client_for(traced(provider, excluded_urls="healthz, skip"), raise_server_exceptions=False)
    for path in ("/items/1?a=b", "/items/2?status=503", "/items/3?fail", "/m/x", "/none", "/items/skip"):
        client.get(path)
    client.request("get", "/items/4")
    found = exporter.get_finished_spans()
    route = "GET /items/{id}"
    assert [span.name for span in found] == [route, route, route, "GET /m", "GET", route]
    first = found[0].attributes
    assert first["http.route"] == "/items/{id}"
    assert first["url.query"] == "a=b"
    assert first["http.response.status_code"] == 200
    assert first["server.address"] == "testserver"
    assert first["server.port"] == 80
    assert found[1].attributes["error.type"] == "503"
    assert found[2].attributes["error.type"] == "ValueError"


def test_no_tracer_means_no_spans(client_for: Any) -> None:
    trace = pytest.importorskip("opentelemetry.trace")
    assert client_for(traced(trace.NoOpTracerProvider())).get("/items/1").text == "x"
