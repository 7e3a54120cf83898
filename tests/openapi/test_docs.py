"""The pages that show documents."""

import pytest

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
