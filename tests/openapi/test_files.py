"""The files that the pages load from the package, and how they are fetched and checked."""

import base64
import gzip
import hashlib
import importlib.util
import io
import logging
import re
import tarfile
import tomllib
from pathlib import Path

import pytest

from covet import CovetPy
from covet.openapi import bundles, endpoints
from covet.openapi.bundles import REDOC, SWAGGER_UI
from covet.openapi.endpoints import takes_gzip
from covet.testclient import TestClient

ROOT = Path(__file__).resolve().parents[2]
CONTENT = b"const answer = 42\n"


@pytest.fixture
def packaged(tmp_path, monkeypatch):
    """The package with small files of the same names, so that nothing need be fetched."""
    monkeypatch.setattr(bundles, "UI_FOLDER", tmp_path)
    for bundle in bundles.BUNDLES:
        (tmp_path / bundle.label).mkdir()
        for name in bundle.files:
            bundle.path(name).write_bytes(gzip.compress(CONTENT))


@pytest.fixture
def fetch_ui():
    spec = importlib.util.spec_from_file_location("fetch_ui", ROOT / "scripts/fetch-ui.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def loaded(page: str) -> list[str]:
    """The addresses from which a page loads scripts and style sheets."""
    return re.findall(r'<(?:script src|link rel="stylesheet"[^>]* href)="([^"]+)"', page)


@pytest.mark.usefixtures("packaged")
@pytest.mark.parametrize("root_path", ["", "/api"])
@pytest.mark.parametrize(
    "paths", [("/docs", "/redoc"), ("/", "/r/"), ("/{tenant}/docs", "/{tenant}/redoc")], ids=str
)
def test_pages_load_nothing_from_elsewhere(root_path, paths):
    docs, redoc = paths
    client = TestClient(CovetPy(docs_url=docs, redoc_url=redoc), root_path=root_path)
    for path in (docs, redoc):
        page = client.get(path.replace("{tenant}", "a b")).text
        assert len(loaded(page)) == (2 if path == docs else 1)
        for url in loaded(page):
            assert url.startswith(f"{root_path}/")
            assert client.get(url.removeprefix(root_path)).content == CONTENT
        assert "http" not in re.sub(r"http://www.w3.org/2000/svg|HTTP", "", page)


@pytest.mark.usefixtures("packaged")
def test_a_path_cannot_send_a_page_elsewhere():
    client = TestClient(CovetPy(docs_url="/{rest:path}/docs"))
    for url in loaded(client.get("http://testserver//example.com/docs").text):
        assert url.startswith("/example.com/docs/")


@pytest.mark.usefixtures("packaged")
def test_files_are_sent_compressed_to_those_who_take_it():
    client = TestClient(CovetPy())
    url = f"/docs/{SWAGGER_UI.label}/swagger-ui.css"
    answer = client.get(url, headers={"accept-encoding": "br, gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == CONTENT
    plain = client.get(url, headers={"accept-encoding": "gzip;q=0"})
    assert "content-encoding" not in plain.headers
    assert plain.content == CONTENT
    for each in (answer, plain):
        assert each.headers["content-type"] == "text/css; charset=utf-8"
        assert each.headers["vary"] == "accept-encoding"
        assert each.headers["x-content-type-options"] == "nosniff"
        assert each.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        ("gzip", True),
        ("GZIP;q=0.5", True),
        ("*", True),
        ("br;q=1, gzip;q=0.0", False),
        ("gzip;q=0, *", False),
        ("", False),
        ("identity", False),
        ("gzip;q=x", False),
    ],
)
def test_accept_encoding_is_weighed(accepted, taken):
    assert takes_gzip(accepted) is taken


@pytest.mark.usefixtures("packaged")
def test_only_the_listed_files_are_served():
    client = TestClient(CovetPy())
    for name in ("SOURCE", "..%2f..%2fpages.py", "redoc.standalone.js.gz", "redoc.standalone.js"):
        assert client.get(f"/docs/{SWAGGER_UI.label}/{name}").status_code == 404
    assert client.get(f"/redoc/{REDOC.label}/redoc.standalone.js").status_code == 200


@pytest.mark.usefixtures("packaged")
@pytest.mark.parametrize("setting", ["openapi_url", "docs_url"])
def test_without_pages_there_are_no_files(setting):
    client = TestClient(CovetPy(**{setting: None}))
    assert client.get(f"/docs/{SWAGGER_UI.label}/swagger-ui.css").status_code == 404


def test_files_are_no_routes_of_the_users():
    app = CovetPy()
    files = [route for route in app.routes if "@" in route.path]
    assert len(files) == 2
    assert not any(route.include_in_schema for route in files)
    assert app.openapi()["paths"] == {}


def test_without_files_the_pages_name_a_cdn_and_the_log_says_so_once(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(bundles, "UI_FOLDER", tmp_path)
    monkeypatch.setattr(endpoints, "_told", set())
    client = TestClient(CovetPy())
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            swagger, redoc = loaded(client.get("/docs").text), loaded(client.get("/redoc").text)
            folders = {url.rpartition("/")[0] for url in swagger}
            assert folders == {"https://cdn.jsdelivr.net/npm/swagger-ui-dist@5"}
            assert redoc == ["https://cdn.jsdelivr.net/npm/redoc@2/bundles/redoc.standalone.js"]
    assert len(caplog.messages) == 2
    assert "run scripts/fetch-ui.py" in caplog.messages[0]


def archive(place: Path, files: dict[str, bytes]) -> Path:
    path = place / "archive.tgz"
    with tarfile.open(path, "w:gz") as packed:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
    return path


def pinned(path: Path, **changes):
    digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    options = {"files": ("a.js",), "licences": ("../LICENSE",), "folder": "bundles", "replaced": ()}
    return REDOC._replace(sha512=digest, **(options | changes))


def test_an_archive_with_another_hash_is_refused(fetch_ui, tmp_path):
    path = archive(tmp_path, {"bundles/a.js": CONTENT, "LICENSE": b"free"})
    with pytest.raises(fetch_ui.FetchError, match="not to the pinned"):
        fetch_ui.unpack(pinned(path)._replace(sha512="other"), path, tmp_path / "ui/made")
    assert not (tmp_path / "ui/made").exists()


def test_an_archive_is_unpacked_without_its_maps_and_with_its_licence(fetch_ui, tmp_path):
    text = CONTENT + b"load('https://elsewhere')\n//# sourceMappingURL=a.js.map"
    path = archive(tmp_path, {"bundles/a.js": text, "LICENSE": b"free", "bundles/a.js.map": b"{}"})
    bundle = pinned(path, replaced=(("https://elsewhere", "data:,"),))
    fetch_ui.unpack(bundle, path, tmp_path / "ui/made")
    assert {entry.name for entry in (tmp_path / "ui/made").iterdir()} == {"a.js.gz", "LICENSE", "SOURCE"}
    assert gzip.decompress((tmp_path / "ui/made/a.js.gz").read_bytes()) == CONTENT + b"load('data:,')\n"


def test_a_replacement_that_does_not_fit_is_refused(fetch_ui, tmp_path):
    path = archive(tmp_path, {"bundles/a.js": CONTENT, "LICENSE": b"free"})
    with pytest.raises(fetch_ui.FetchError, match="does not have https://elsewhere once"):
        fetch_ui.unpack(pinned(path, replaced=(("https://elsewhere", ""),)), path, tmp_path / "ui/made")


def test_without_npm_the_message_names_the_way_to_it(fetch_ui, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(fetch_ui.FetchError, match="apt-get install npm"):
        fetch_ui.download(REDOC, tmp_path)


def test_what_is_there_is_not_fetched_again(fetch_ui, tmp_path, monkeypatch):
    module = fetch_ui.load_bundles()
    monkeypatch.setattr(module, "UI_FOLDER", tmp_path)
    monkeypatch.setenv("PATH", "")
    for bundle in module.BUNDLES:
        (tmp_path / bundle.label).mkdir()
        (tmp_path / bundle.label / "SOURCE").write_text(fetch_ui.source_of(bundle))
        for name in bundle.files:
            bundle.path(name).write_bytes(b"")
    (tmp_path / "redoc@2.0.0").mkdir()
    assert fetch_ui.fetch_missing(module) == []
    assert not (tmp_path / "redoc@2.0.0").exists()


def test_the_files_are_in_every_distribution_and_in_no_commit():
    (entry,) = (
        entry
        for entry in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["maturin"]["include"]
        if entry["path"].endswith("/ui/**/*")
    )
    folder = bundles.UI_FOLDER.relative_to(ROOT)
    assert entry == {"path": f"{folder}/**/*", "format": ["sdist", "wheel"]}
    assert f"/{folder}/" in (ROOT / ".gitignore").read_text().splitlines()
