"""The endpoints of a document: the document itself as JSON and YAML, its pages, and the files that they load.

`CovetPy` adds them as routes off the schema, before any route of the user's. An application is a source, and
so is each document of `add_document`. What makes them is loaded at the first request for one.
"""

from __future__ import annotations

import importlib
import importlib.util
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from covet.concurrency import run_in_threadpool
from covet.http_exceptions import HTTPException
from covet.logger import logger
from covet.openapi.bundles import MEDIA_TYPES, REDOC, SWAGGER_UI, Bundle
from covet.requests import Request
from covet.responses import HTMLResponse, JSONResponse, Response
from covet.route_path import get_route_path

__all__ = ["Source", "endpoints_of"]

CDN = {
    SWAGGER_UI: "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5",
    REDOC: "https://cdn.jsdelivr.net/npm/redoc@2/bundles",
}
_YEAR = 365 * 24 * 3600
_told: set[str] = set()

Endpoint = Callable[[Request], Any]


class Source(Protocol):
    """What has a document, its address and the addresses of its pages."""

    title: str
    openapi_url: str | None
    docs_url: str | None
    redoc_url: str | None
    swagger_ui_oauth2_redirect_url: str | None

    def openapi(self) -> dict[str, Any]:
        """Return the document."""


def endpoints_of(app: Any, source: Source) -> Iterator[tuple[str, Endpoint]]:
    """Yield the path and the endpoint of everything that shows a source's document.

    Settings that all documents share are the application's; they are read at each request.
    """
    if not source.openapi_url:
        return
    yield source.openapi_url, _openapi(app, source)
    if importlib.util.find_spec("yaml"):
        yield _yaml_url(source.openapi_url), _openapi_yaml(app, source)
    if source.docs_url:
        yield source.docs_url, _swagger_ui(app, source)
        yield _files_path(source.docs_url, SWAGGER_UI), _files(SWAGGER_UI)
        if source.swagger_ui_oauth2_redirect_url:
            yield source.swagger_ui_oauth2_redirect_url, _swagger_ui_redirect(app)
    if source.redoc_url:
        yield source.redoc_url, _redoc(app, source)
        yield _files_path(source.redoc_url, REDOC), _files(REDOC)


def _openapi(app: Any, source: Source) -> Endpoint:
    async def openapi(req: Request) -> JSONResponse:
        return JSONResponse(_with_server(app, req, source.openapi()))

    return openapi


def _openapi_yaml(app: Any, source: Source) -> Endpoint:
    # PyYAML takes its time, so the last text is kept with what it was made of.
    last: tuple[dict[str, Any], str, str] = ({}, "", "")

    async def openapi_yaml(req: Request) -> Response:
        nonlocal last
        document, root_path = source.openapi(), _root_path(req)
        known, known_root, text = last
        if document is not known or root_path != known_root:
            shown = _with_server(app, req, document)
            text = await run_in_threadpool(_loaded("covet.openapi.yaml_text").to_yaml, shown)
            last = (document, root_path, text)
        return Response(text, media_type="application/yaml")

    return openapi_yaml


def _with_server(app: Any, request: Request, document: dict[str, Any]) -> dict[str, Any]:
    """Return a document that names the prefix which a proxy strips as its first server."""
    root_path = _root_path(request)
    if not root_path or not app.root_path_in_servers:
        return document
    servers = document.get("servers", [])
    if root_path in {server.get("url") for server in servers}:
        return document
    return {**document, "servers": [{"url": root_path}, *servers]}


def _swagger_ui(app: Any, source: Source) -> Endpoint:
    async def swagger_ui_html(req: Request) -> Any:
        root_path = _root_path(req)
        redirect_url = source.swagger_ui_oauth2_redirect_url
        common = {
            "openapi_url": f"{root_path}{source.openapi_url}",
            "title": f"{source.title} - Swagger UI",
            "oauth2_redirect_url": root_path + redirect_url if redirect_url else redirect_url,
            "init_oauth": app.swagger_ui_init_oauth,
        }
        make = app._maker("get_swagger_ui_html")
        if make is not None:
            return make(**common, swagger_ui_parameters=app.swagger_ui_parameters)
        files, pages = _files_url(req, SWAGGER_UI), _loaded("covet.openapi.pages")
        page = pages.SwaggerPage(
            **common,
            js=f"{files}/swagger-ui-bundle.js",
            css=f"{files}/swagger-ui.css",
            preset_js=f"{files}/swagger-ui-standalone-preset.js",
            favicon=pages.FAVICON,
            parameters=app.swagger_ui_parameters,
            theme=app.docs_theme,
            entries=_entries(app, root_path, "docs_url"),
        )
        return HTMLResponse(page.render())

    return swagger_ui_html


def _redoc(app: Any, source: Source) -> Endpoint:
    async def redoc_html(req: Request) -> Any:
        root_path = _root_path(req)
        common = {"openapi_url": f"{root_path}{source.openapi_url}", "title": f"{source.title} - ReDoc"}
        make = app._maker("get_redoc_html")
        if make is not None:
            return make(**common)
        pages = _loaded("covet.openapi.pages")
        page = pages.RedocPage(
            **common,
            js=f"{_files_url(req, REDOC)}/redoc.standalone.js",
            favicon=pages.FAVICON,
            theme=app.docs_theme,
            entries=_entries(app, root_path, "redoc_url"),
        )
        return HTMLResponse(page.render())

    return redoc_html


def _entries(app: Any, root_path: str, page: str) -> list[Any]:
    """Return what the selector of a page offers: nothing where the application has only one document."""
    if not app.documents:
        return []
    entry = _loaded("covet.openapi.pages").Entry
    named = [(app.title, app)] * bool(app.openapi_url) + [(each.name, each) for each in app.documents]
    return [
        entry(name, f"{root_path}{source.openapi_url}", root_path + (getattr(source, page) or ""))
        for name, source in named
        if getattr(source, page)
    ]


def _swagger_ui_redirect(app: Any) -> Endpoint:
    # The page that OAuth2 providers send users of Swagger UI back to.
    async def swagger_ui_redirect(req: Request) -> Any:
        make = app._maker("get_swagger_ui_oauth2_redirect_html")
        return (make or _loaded("covet.openapi.docs").get_swagger_ui_oauth2_redirect_html)()

    return swagger_ui_redirect


def _files(bundle: Bundle) -> Endpoint:
    def docs_file(req: Request) -> Response:
        name = req.path_params["name"]
        if name not in bundle.files or not bundle.path(name).is_file():
            raise HTTPException(404)
        content = bundle.path(name).read_bytes()
        headers = {
            "cache-control": f"public, max-age={_YEAR}, immutable",
            "vary": "accept-encoding",
            "x-content-type-options": "nosniff",
        }
        if takes_gzip(req.headers.get("accept-encoding", "")):
            headers["content-encoding"] = "gzip"
        else:
            content = zlib.decompress(content, wbits=zlib.MAX_WBITS | 16)  # 16: with gzip's frame
        return Response(content, headers=headers, media_type=MEDIA_TYPES[Path(name).suffix])

    return docs_file


def takes_gzip(accepted: str) -> bool:
    """Say whether an Accept-Encoding allows gzip: RFC 9110, section 12.5.3."""
    weights = {}
    for item in accepted.lower().split(","):
        coding, _, parameter = item.partition(";")
        weights[coding.strip()] = parameter.partition("=")[2].strip() or "1"
    weight = weights.get("gzip", weights.get("*", "0"))
    try:
        return float(weight) > 0
    except ValueError:
        return False


def _files_path(page_url: str, bundle: Bundle) -> str:
    return f"{page_url.rstrip('/')}/{bundle.label}/{{name}}"


def _files_url(request: Request, bundle: Bundle) -> str:
    """Return where a page loads its files from: below its own address, or a CDN where none are packaged."""
    if bundle.is_packaged():
        # One slash in front: two would name a host, and some page addresses take what the client wrote.
        page = quote(get_route_path(request.scope).strip("/"))
        return f"{_root_path(request)}{'/' * bool(page)}{page}/{bundle.label}"
    if bundle.label not in _told:
        _told.add(bundle.label)
        logger.warning(
            "%s is not packaged, so the page loads it from %s; to package it run scripts/fetch-ui.py",
            bundle.label,
            CDN[bundle],
        )
    return CDN[bundle]


def _yaml_url(openapi_url: str) -> str:
    return openapi_url.removesuffix(".json") + ".yaml"


def _root_path(request: Request) -> str:
    root_path: str = request.scope.get("root_path", "")
    return root_path.rstrip("/")


def _loaded(module: str) -> Any:
    # Loaded when the first page or document is made: no request of an API needs it.
    return importlib.import_module(module)
