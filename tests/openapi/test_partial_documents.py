"""Documents of parts of an API: what is in them, where they are, and the selector of their pages."""

import json
import re

import pytest

from covet import APIRouter, CovetPy
from covet.testclient import TestClient


def make_app(**options):
    app = CovetPy(title="Books", version="9", openapi_tags=[{"name": "a"}, {"name": "b"}], **options)
    for version in ("v1", "v2"):
        router = APIRouter(prefix=f"/{version}")
        router.get("/books/{number}", tags=["a" if version == "v1" else "b"])(lambda number: number)
        router.get("/{name}")(lambda name: name)
        app.include_router(router)
    app.get("/v10/other", tags=["b"])(lambda: None)
    return app


def test_a_document_has_the_operations_below_its_prefix():
    app = make_app()
    document = app.add_document("v1", title="Old books", version="1.2", description="D")
    client = TestClient(app)
    found = client.get("/v1/openapi.json").json()
    assert found == document.openapi()
    assert list(found["paths"]) == ["/v1/books/{number}", "/v1/{name}"]
    assert found["info"] == {"title": "Old books", "version": "1.2", "description": "D"}
    assert found["tags"] == [{"name": "a"}]
    assert len(client.get("/openapi.json").json()["paths"]) == 5


def test_operations_can_be_selected_otherwise():
    app = make_app()
    app.add_document("bs", select=lambda route: "b" in route.tags)
    found = TestClient(app).get("/bs/openapi.json").json()
    assert list(found["paths"]) == ["/v2/books/{number}", "/v10/other"]


def test_its_pages_come_before_the_users_routes():
    app = make_app()
    app.add_document("v1")
    client = TestClient(app, root_path="/api")
    assert "url: '/api/v1/openapi.json'" in client.get("/v1/docs").text
    assert "'/api/v1/openapi.json'" in client.get("/v1/redoc").text
    assert "swaggerUIRedirectOauth2" in client.get("/v1/docs/oauth2-redirect").text
    assert client.get("/v1/else").json() == "else"


def test_every_page_offers_all_documents():
    app = make_app()
    app.add_document("v1")
    app.add_document("v2", redoc_url=None)
    client = TestClient(app, root_path="/api")
    for path, name in (("/docs", "Books"), ("/v1/docs", "v1"), ("/v2/docs", "v2")):
        page = client.get(path).text
        (urls,) = re.findall(r'"urls": (\[.*\]),', page)
        assert json.loads(urls) == [
            {"url": "/api/openapi.json", "name": "Books"},
            {"url": "/api/v1/openapi.json", "name": "v1"},
            {"url": "/api/v2/openapi.json", "name": "v2"},
        ]
        assert f'"urls.primaryName": "{name}"' in page
        assert '"validatorUrl": null' in page
    assert re.findall(r'<option value="([^"]*)"( selected)?>(\w+)<', client.get("/v1/redoc").text) == [
        ("/api/redoc", "", "Books"),
        ("/api/v1/redoc", " selected", "v1"),
    ]


def test_an_application_with_one_document_has_no_selector():
    client = TestClient(make_app())
    assert '"urls"' not in client.get("/docs").text
    assert "<select" not in client.get("/redoc").text


def test_what_the_application_does_not_show_is_not_shown_in_parts():
    for setting, path in (
        ("openapi_url", "/part/openapi.json"),
        ("docs_url", "/part/docs"),
        ("redoc_url", "/part/redoc"),
    ):
        app = CovetPy(**{setting: None})
        app.add_document("part")
        assert TestClient(app).get(path).status_code == 404
    app = CovetPy(docs_url=None)
    app.add_document("part", docs_url="/pages/part")
    assert TestClient(app).get("/pages/part").status_code == 200


def test_a_later_route_is_in_the_document():
    app = make_app()
    document = app.add_document("v1")
    assert document.openapi() is document.openapi()
    app.get("/v1/late")(lambda: None)
    assert "/v1/late" in document.openapi()["paths"]


def test_settings_of_the_application_are_those_of_its_documents():
    app = make_app(openapi_version="3.0.3", servers=[{"url": "/s"}])
    found = app.add_document("v1").openapi()
    assert found["openapi"] == "3.0.3"
    assert found["servers"] == [{"url": "/s"}]


def test_a_name_is_taken_once():
    app = make_app()
    app.add_document("v1")
    with pytest.raises(ValueError, match="there is a document of this name already"):
        app.add_document("v1")


@pytest.mark.parametrize("prefix", ["v1", "/v1/", "/", ""])
def test_a_prefix_is_a_path(prefix):
    with pytest.raises(ValueError, match="must be like '/v1'"):
        make_app().add_document("v1", prefix=prefix)
