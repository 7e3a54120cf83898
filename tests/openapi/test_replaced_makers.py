"""Functions that people put in place of those by which `covet.applications` makes pages and documents."""

import functools

import pytest

import covet.applications
import covet.openapi.docs
from covet import CovetPy
from covet.responses import HTMLResponse
from covet.testclient import TestClient


@pytest.fixture
def calls(monkeypatch):
    """Replace all of them with functions that note what they were given."""
    noted = {}

    def replace(name, answer):
        def mine(**given):
            noted[name] = given
            return answer

        monkeypatch.setattr(covet.applications, name, mine)

    for name in ("get_swagger_ui_html", "get_redoc_html", "get_swagger_ui_oauth2_redirect_html"):
        replace(name, HTMLResponse(f"my {name}"))
    replace("get_openapi", {"openapi": "3.1.0", "info": {"title": "mine"}, "paths": {}})
    return noted


def test_replaced_functions_make_the_pages_with_fastapis_arguments(calls):
    app = CovetPy(title="T", swagger_ui_init_oauth={"a": 1}, swagger_ui_parameters={"b": 2})
    client = TestClient(app, root_path="/api")
    assert client.get("/docs").text == "my get_swagger_ui_html"
    assert calls["get_swagger_ui_html"] == {
        "openapi_url": "/api/openapi.json",
        "title": "T - Swagger UI",
        "oauth2_redirect_url": "/api/docs/oauth2-redirect",
        "init_oauth": {"a": 1},
        "swagger_ui_parameters": {"b": 2},
    }
    assert client.get("/redoc").text == "my get_redoc_html"
    assert calls["get_redoc_html"] == {"openapi_url": "/api/openapi.json", "title": "T - ReDoc"}
    assert client.get("/docs/oauth2-redirect").text == "my get_swagger_ui_oauth2_redirect_html"


def test_a_replaced_get_openapi_makes_the_document_with_fastapis_arguments(calls):
    app = CovetPy(title="T", version="2")
    assert app.openapi()["info"] == {"title": "mine"}
    assert calls["get_openapi"].keys() == {
        "title",
        "version",
        "openapi_version",
        "summary",
        "description",
        "terms_of_service",
        "contact",
        "license_info",
        "routes",
        "webhooks",
        "tags",
        "servers",
        "separate_input_output_schemas",
        "external_docs",
    }


def test_further_documents_are_made_by_the_same_functions(calls):
    app = CovetPy()
    app.add_document("v1")
    client = TestClient(app)
    assert client.get("/v1/openapi.json").json()["info"] == {"title": "mine"}
    assert client.get("/v1/docs").text == "my get_swagger_ui_html"
    assert calls["get_swagger_ui_html"]["openapi_url"] == "/v1/openapi.json"


def test_applications_that_exist_already_take_a_replacement(monkeypatch):
    client = TestClient(CovetPy())
    assert "swagger-ui-bundle" in client.get("/docs").text
    mine = functools.partial(covet.openapi.docs.get_swagger_ui_html, swagger_js_url="/static/mine.js")
    monkeypatch.setattr(covet.applications, "get_swagger_ui_html", mine)
    assert 'src="/static/mine.js"' in client.get("/docs").text


def test_a_wrapper_of_the_original_is_a_replacement(monkeypatch):
    original = covet.applications.get_redoc_html

    @functools.wraps(original)
    def mine(**given):
        return original(**given, redoc_js_url="/static/redoc.js")

    # As some do, in both places.
    monkeypatch.setattr(covet.openapi.docs, "get_redoc_html", mine)
    monkeypatch.setattr(covet.applications, "get_redoc_html", mine)
    assert 'src="/static/redoc.js"' in TestClient(CovetPy()).get("/redoc").text


def test_the_original_put_back_makes_covets_own_page(monkeypatch):
    original = covet.openapi.docs.get_swagger_ui_html
    monkeypatch.setattr(covet.applications, "get_swagger_ui_html", original)
    assert "prefers-color-scheme" in TestClient(CovetPy()).get("/docs").text
