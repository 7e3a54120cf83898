"""Static files: what is found, what is not, nothing outside of the directory."""

import os
from pathlib import Path
from typing import Any

import pytest

from covet.starlette.applications import Starlette
from covet.starlette.routing import Mount
from covet.staticfiles import StaticFiles
from covet.websockets import WebSocketDisconnect


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "dir").mkdir(parents=True)
    (root / "a.txt").write_text("content")
    (root / "dir" / "index.html").write_text("<h1>dir</h1>")
    (tmp_path / "secret.txt").write_text("secret")
    return root


def app_of(root: Path, **options: Any) -> Starlette:
    return Starlette(routes=[Mount("/s", app=StaticFiles(directory=root, **options), name="s")])


def test_files_are_served(client_for: Any, root: Path) -> None:
    client = client_for(app_of(root))
    assert client.get("/s/a.txt").text == "content"
    assert client.head("/s/a.txt").headers["content-length"] == "7"
    assert client.get("/s/none.txt").status_code == 404
    assert client.get("/s/a.txt/below").status_code == 404
    assert client.get("/s/dir").status_code == 404
    refused = client.post("/s/a.txt")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["../secret.txt", "dir/../../secret.txt", "/etc/hosts", "a%00b", "x" * 300])
def test_nothing_outside_is_served(client_for: Any, root: Path, path: str) -> None:
    async def ask(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope["path"] = "/s/" + path.replace("%00", "\0")
        await app_of(root)(scope, receive, send)

    assert client_for(ask).get("/").status_code == 404


def test_links_out_are_followed_when_asked(client_for: Any, root: Path) -> None:
    os.symlink(root.parent / "secret.txt", root / "link.txt")
    assert client_for(app_of(root)).get("/s/link.txt").status_code == 404
    assert client_for(app_of(root, follow_symlink=True)).get("/s/link.txt").text == "secret"


def test_what_the_client_has_is_not_sent(client_for: Any, root: Path) -> None:
    client = client_for(app_of(root))
    first = client.get("/s/a.txt")
    tag, date = first.headers["etag"], first.headers["last-modified"]
    for headers in (
        {"if-none-match": tag},
        {"if-none-match": f'"x", W/{tag}'},
        {"if-none-match": "*"},
        {"if-modified-since": date},
    ):
        again = client.get("/s/a.txt", headers=headers)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    for headers in ({"if-none-match": '"x"', "if-modified-since": date}, {"if-modified-since": "bad"}):
        assert client.get("/s/a.txt", headers=headers).status_code == 200


def test_directories_have_pages(client_for: Any, root: Path) -> None:
    client = client_for(app_of(root, html=True))
    assert client.get("/s/dir/").text == "<h1>dir</h1>"
    assert client.get("/s/dir", follow_redirects=False).headers["location"] == "http://testserver/s/dir/"
    assert client.get("/s/").status_code == 404
    (root / "404.html").write_text("nowhere")
    missing = client.get("/s/none")
    assert (missing.status_code, missing.text) == (404, "nowhere")


def test_packages_have_files(client_for: Any) -> None:
    app = Starlette(routes=[Mount("/", app=StaticFiles(packages=[("covet", "starlette")]))])
    assert client_for(app).get("/mirror.py").status_code == 200
    for packages, text in [
        (["covet"], "Directory"),
        (["none_such"], "Package"),
        ([("covet", "none")], "Directory"),
    ]:
        with pytest.raises(AssertionError, match=text):
            StaticFiles(packages=packages)  # type: ignore[arg-type]


def test_a_missing_directory_is_told(client_for: Any, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="does not exist"):
        StaticFiles(directory=tmp_path / "none")
    late = app_of(tmp_path / "none", check_dir=False)
    with pytest.raises(RuntimeError, match="does not exist"):
        client_for(late).get("/s/x")
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(RuntimeError, match="is not a directory"):
        client_for(app_of(file, check_dir=False)).get("/s/x")


@pytest.mark.parametrize(("error", "status"), [(PermissionError, 401), (OSError, None)])
def test_errors_of_the_file_system(
    client_for: Any, root: Path, error: type[OSError], status: int | None
) -> None:
    class Broken(StaticFiles):
        def lookup_path(self, path: str) -> Any:
            raise error

    app = Starlette(routes=[Mount("/s", app=Broken(directory=root))])
    if status is None:
        with pytest.raises(OSError):  # noqa: PT011
            client_for(app).get("/s/x")
    else:
        assert client_for(app).get("/s/x").status_code == status


def test_a_session_is_refused(client_for: Any, root: Path) -> None:
    with pytest.raises(WebSocketDisconnect), client_for(app_of(root)).websocket_connect("/s/a.txt"):
        pass
