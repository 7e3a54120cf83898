"""Front ends: static files of a single-page application behind all routes."""

from pathlib import Path
from typing import Annotated

import pytest

from covet import APIRouter, BackgroundTasks, CovetPy, Depends, Header, Response
from covet.routing import Match, NoMatchFound
from covet.routing.frontend import normalize_frontend_path
from covet.testclient import TestClient

PAGE = {"accept": "text/html"}


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text("index")
    (tmp_path / "app.js").write_text("script")
    (tmp_path / "manual").mkdir()
    (tmp_path / "manual" / "index.html").write_text("manual")
    (tmp_path / "empty").mkdir()
    return tmp_path


def client_of(dist, **options):
    app = CovetPy()
    app.frontend("/", directory=dist, **options)
    app.get("/api")(lambda: "api")
    return TestClient(app)


def test_routes_go_first(dist):
    client = client_of(dist)
    assert client.get("/api").json() == "api"
    assert client.get("/app.js").text == "script"
    assert client.get("/").text == "index"


def test_directories_redirect_to_their_index(dist):
    client = client_of(dist)
    assert client.get("/manual/").text == "manual"
    assert client.get("/manual", follow_redirects=False).headers["location"].endswith("/manual/")
    assert client.get("/empty").status_code == 404


def test_pages_of_the_browser_fall_back_to_the_index(dist):
    client = client_of(dist)
    assert client.get("/some/page", headers=PAGE).text == "index"
    assert client.get("/some/page", headers={"accept": "text/html;q=x"}).text == "index"
    assert client.get("/some/page", headers={"accept": "text/html;q=0, */*"}).status_code == 404
    assert client.get("/data.json").status_code == 404
    assert client_of(dist, fallback="index.html").get("/x", headers=PAGE).text == "index"
    assert client_of(dist, fallback=None).get("/x", headers=PAGE).status_code == 404


def test_a_404_page_keeps_its_status(dist):
    (dist / "404.html").write_text("not here")
    for fallback in ("auto", "404.html"):
        response = client_of(dist, fallback=fallback).get("/x", headers=PAGE)
        assert (response.status_code, response.text) == (404, "not here")


def test_other_methods_are_refused(dist):
    client = client_of(dist)
    assert client.head("/app.js").status_code == 200
    assert client.post("/app.js").status_code == 405
    assert client.post("/nothing").status_code == 404


def test_odd_paths_are_404(dist):
    client = client_of(dist)
    assert client.get("/" + "x" * 300).status_code == 404
    assert client.get("/%00").status_code == 404
    assert client.get("/../secret").status_code == 404


def test_a_fallback_that_vanishes_is_an_error(dist):
    client = client_of(dist, fallback="index.html")
    (dist / "index.html").unlink()
    with pytest.raises(RuntimeError, match=r"Frontend fallback file 'index.html' does not exist"):
        client.get("/x", headers=PAGE)


def test_what_is_missing_is_named_at_once(dist):
    with pytest.raises(RuntimeError, match=r"Frontend directory .* does not exist"):
        client_of(dist / "nope")
    with pytest.raises(RuntimeError, match=r"Frontend fallback file '404.html'"):
        client_of(dist, fallback="404.html")
    with pytest.raises(AssertionError, match="fallback must be"):
        client_of(dist, fallback="other.html")


def test_development_may_come_before_the_build(dist, monkeypatch):
    monkeypatch.setenv("FASTAPI_ENV", "development")
    with pytest.warns(UserWarning, match="does not exist"):
        CovetPy().frontend("/", directory=dist / "later")
    CovetPy().frontend("/", directory=dist)


def test_paths_are_checked():
    assert normalize_frontend_path("/app/") == "/app"
    for wrong in ("", "app"):
        with pytest.raises(AssertionError):
            normalize_frontend_path(wrong)


def test_dependencies_guard_the_files(dist):
    def guard(token: Annotated[str, Header()], response: Response, tasks: BackgroundTasks):
        response.headers["x-guard"] = token
        tasks.add_task(len, "x")

    router = APIRouter(prefix="/admin", dependencies=[Depends(guard)])
    router.frontend("/", directory=dist)
    app = CovetPy()
    app.include_router(router, prefix="/v1")
    client = TestClient(app)
    assert client.get("/v1/admin/app.js").status_code == 422
    response = client.get("/v1/admin/app.js", headers={"token": "t"})
    assert (response.text, response.headers["x-guard"]) == ("script", "t")
    assert client.post("/v1/admin/app.js").status_code == 405
    assert client.get("/v1/other").status_code == 404


def test_the_longest_path_answers(dist, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "index.html").write_text("other")
    inner = APIRouter()
    inner.frontend("/sub", directory=other)
    app = CovetPy()
    app.frontend("/", directory=dist)
    app.include_router(inner, prefix="/deep")
    client = TestClient(app)
    assert client.get("/deep/sub").text == "other"
    assert client.get("/deep/sub/x", headers=PAGE).text == "other"
    assert client.get("/deep/app").status_code == 404
    assert app.router._low_priority_routes[0].matches({"type": "websocket"})[0] is Match.NONE


def test_files_have_no_names(dist):
    app = CovetPy()
    app.frontend("/", directory=dist)
    group = app.router._low_priority_routes[0]
    for route in (group, group.routes[0]):
        with pytest.raises(NoMatchFound):
            route.url_path_for("x")
    assert group.routes[0].matches({"type": "http", "path": "/x", "method": "GET"})[0] is Match.FULL
    assert TestClient(group).get("/app.js").text == "script"


def test_an_api_route_may_wait_too():
    app = CovetPy()
    router = APIRouter()
    router.get("/x")(lambda: "low")
    app.router._low_priority_routes.append(router.routes[0])
    assert TestClient(app).get("/x").json() == "low"
