"""The pages that show documents."""

import importlib.util

import pytest
import yaml

from covet import CovetPy
from covet.openapi.docs import get_redoc_html, get_swagger_ui_html
from covet.testclient import TestClient


def test_the_pages_are_served():
    client = TestClient(CovetPy(title="T"))
    assert "swagger-ui-dist" in client.get("/docs").text
    assert "window.location.origin + '/docs/oauth2-redirect'" in client.get("/docs").text
    assert "redoc@2" in client.get("/redoc").text
    assert "window.opener.swaggerUIRedirectOauth2" in client.get("/docs/oauth2-redirect").text


@pytest.mark.parametrize(
    ("setting", "gone"),
    [
        ("openapi_url", ["/openapi.json", "/docs", "/redoc"]),
        ("docs_url", ["/docs", "/docs/oauth2-redirect"]),
        ("redoc_url", ["/redoc"]),
        ("swagger_ui_oauth2_redirect_url", ["/docs/oauth2-redirect"]),
    ],
)
def test_pages_can_be_switched_off(setting, gone):
    client = TestClient(CovetPy(**{setting: None}))
    for path in gone:
        assert client.get(path).status_code == 404


def test_the_root_path_is_in_addresses_and_servers():
    client = TestClient(CovetPy(), root_path="/api/")
    assert "url: '/api/openapi.json'" in client.get("/docs").text
    assert client.get("/openapi.json").json()["servers"] == [{"url": "/api"}]
    without = TestClient(CovetPy(root_path_in_servers=False), root_path="/api")
    assert "servers" not in without.get("/openapi.json").json()
    known = TestClient(CovetPy(servers=[{"url": "/api"}]), root_path="/api")
    assert known.get("/openapi.json").json()["servers"] == [{"url": "/api"}]


def test_settings_are_written_as_json():
    page = get_swagger_ui_html(
        openapi_url="/o",
        title="T",
        swagger_ui_parameters={"syntaxHighlight": False, "x": "</script>"},
        init_oauth={"clientId": "me"},
    ).body.decode()
    assert '"syntaxHighlight": false,' in page
    assert '"dom_id": "#swagger-ui",' in page
    assert '</script>"' not in page
    assert 'ui.initOAuth({"clientId": "me"})' in page
    assert "oauth2RedirectUrl" not in page


def test_what_comes_from_outside_is_escaped():
    hostile = "'\"><script>"
    for page in (
        get_swagger_ui_html(openapi_url=hostile, title=hostile, oauth2_redirect_url=hostile),
        get_redoc_html(openapi_url=hostile, title=hostile),
    ):
        assert b"><script>" not in page.body.replace(b">\n<script>", b"")


def test_redoc_without_fonts_of_others():
    assert b"fonts.googleapis.com" in get_redoc_html(openapi_url="/o", title="T").body
    assert (
        b"fonts.googleapis.com"
        not in get_redoc_html(openapi_url="/o", title="T", with_google_fonts=False).body
    )


def test_a_document_needs_title_and_version():
    for missing in ("title", "version"):
        with pytest.raises(AssertionError, match=f"A {missing} must be provided"):
            CovetPy(**{missing: ""})
        CovetPy(**{missing: "", "openapi_url": None})


def test_an_unknown_theme_is_refused():
    with pytest.raises(ValueError, match="docs_theme is 'blue'; it must be 'auto', 'light' or 'dark'"):
        CovetPy(docs_theme="blue")


def test_a_page_follows_the_chosen_theme():
    for theme, question in (("auto", "preference.matches"), ("light", "false"), ("dark", "true")):
        client = TestClient(CovetPy(docs_theme=theme))
        assert f"toggle('dark-mode', {question})" in client.get("/docs").text
        assert f"const dark = {question}\n" in client.get("/redoc").text


def test_the_document_is_served_as_yaml_too():
    app = CovetPy(title="Bücher")
    app.get("/x")(lambda: None)
    client = TestClient(app, root_path="/api")
    for _ in range(2):
        answer = client.get("/openapi.yaml")
        assert answer.headers["content-type"] == "application/yaml"
        assert yaml.safe_load(answer.text) == client.get("/openapi.json").json()
    app.get("/y")(lambda: None)
    assert "/y" in yaml.safe_load(client.get("/openapi.yaml").text)["paths"]
    assert list(app.openapi()["paths"]) == ["/x", "/y"]


@pytest.mark.parametrize("root_path", ["", "/api"])
def test_the_yaml_is_made_once_for_a_document(monkeypatch, root_path):
    made = []
    monkeypatch.setattr(yaml, "dump", lambda document, **options: made.append(document) or "text")
    client = TestClient(CovetPy(), root_path=root_path)
    assert [client.get("/openapi.yaml").text for _ in range(3)] == ["text"] * 3
    assert len(made) == 1


def test_without_pyyaml_there_is_no_yaml(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert TestClient(CovetPy()).get("/openapi.yaml").status_code == 404
