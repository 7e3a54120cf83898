"""The files of a single-page front end: as static files, with a fallback page for addresses the browser
routes.

Made by `frontend` for each directory. It answers requests that nothing else fits, so whatever is not a file
here is 404, or the fallback for a browser that navigates.
"""

from __future__ import annotations

import errno
import importlib
import os
import stat
import warnings
from collections.abc import Iterator
from typing import Literal

from covet.concurrency import run_in_threadpool
from covet.datastructures import URL
from covet.http_exceptions import HTTPException
from covet.requests import Request
from covet.responses import RedirectResponse, Response
from covet.routing.fastapi_scope import FRONTEND_PATH, fastapi_scope
from covet.staticfiles import StaticFiles
from covet.types import Scope

__all__ = ["Fallback", "FrontendFiles", "resolve_check_dir"]

Fallback = Literal["auto", "index.html", "404.html"] | None
PathLike = str | os.PathLike[str]


def _resolved(path: PathLike) -> str:
    return os.path.realpath(os.fspath(path))


def _no_directory(directory: PathLike) -> str:
    where = f"Resolved absolute path: '{_resolved(directory)}'"
    return f"Frontend directory '{directory}' does not exist. {where}"


def resolve_check_dir(*, directory: PathLike, check_dir: bool | Literal["auto"], stacklevel: int = 3) -> bool:
    """Return whether a missing directory is an error: not in development, where the front end may not be
    built yet.
    """
    if check_dir != "auto":
        return check_dir
    if os.environ.get("FASTAPI_ENV") != "development":
        return True
    if not os.path.isdir(directory):
        warnings.warn(
            _no_directory(directory),
            stacklevel=stacklevel,
        )
    return False


class FrontendFiles(StaticFiles):
    """A directory of a front end; the path below it comes from the route, not from the mount."""

    def __init__(self, *, directory: PathLike, fallback: Fallback, check_dir: bool) -> None:
        self.fallback = fallback
        if check_dir and not os.path.isdir(directory):
            raise RuntimeError(_no_directory(directory))
        super().__init__(directory=directory, html=True, check_dir=check_dir, follow_symlink=False)
        if (
            check_dir
            and fallback in ("index.html", "404.html")
            and not _is_file(self.lookup_path(fallback)[1])
        ):
            raise self._no_fallback(fallback)

    def _no_fallback(self, fallback: str) -> RuntimeError:
        assert self.directory is not None
        return RuntimeError(
            f"Frontend fallback file '{fallback}' does not exist in directory '{self.directory}'."
            f" Resolved absolute directory: '{_resolved(self.directory)}'"
        )

    def get_path(self, scope: Scope) -> str:
        """Return the path of the wanted file, below the directory."""
        path = fastapi_scope(scope).get(FRONTEND_PATH, "")
        assert isinstance(path, str)
        return os.path.normpath(os.path.join(*path.split("/")))

    async def get_response_for_scope(self, scope: Scope) -> Response:
        """Return the answer to a request that the front end fits."""
        if not self.config_checked:
            await self.check_config()
            self.config_checked = True
        return await self.get_response(self.get_path(scope), scope)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, its directory's index, or the fallback; raise 404 or 405."""
        found = await self._find(path)
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(status_code=404 if found is None else 405)
        if found is not None:
            full_path, stat_result, is_index = found
            if is_index and not scope["path"].endswith("/"):
                url = URL(scope=scope)
                return RedirectResponse(url=url.replace(path=url.path + "/"))
            return self.file_response(full_path, stat_result, scope)
        if self.fallback == "404.html" or await self._chooses("404.html"):
            return await self._fall_back("404.html", scope, 404)
        may_fall_back = self.fallback == "index.html" or await self._chooses("index.html")
        if may_fall_back and _navigates(scope):
            return await self._fall_back("index.html", scope, 200)
        raise HTTPException(status_code=404)

    async def _chooses(self, fallback: str) -> bool:
        if self.fallback != "auto":
            return False
        return _is_file((await run_in_threadpool(self.lookup_path, fallback))[1])

    async def _look_up(self, path: str) -> tuple[str, os.stat_result | None]:
        try:
            return await run_in_threadpool(self.lookup_path, path)
        except PermissionError:
            raise HTTPException(status_code=401) from None
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                raise HTTPException(status_code=404) from None
            raise
        except ValueError:  # a null byte in the path
            raise HTTPException(status_code=404) from None

    async def _find(self, path: str) -> tuple[str, os.stat_result, bool] | None:
        """Return the file of a path and whether it is the index of the directory that the path names."""
        full_path, stat_result = await self._look_up(path)
        if stat_result is None:
            return None
        if stat.S_ISREG(stat_result.st_mode):
            return full_path, stat_result, False
        if stat.S_ISDIR(stat_result.st_mode):
            full_path, index = await self._look_up(os.path.join(path, "index.html"))
            if index is not None and stat.S_ISREG(index.st_mode):
                return full_path, index, True
        return None

    async def _fall_back(self, fallback: str, scope: Scope, status_code: int) -> Response:
        full_path, stat_result = await run_in_threadpool(self.lookup_path, fallback)
        if stat_result is None or not stat.S_ISREG(stat_result.st_mode):
            raise self._no_fallback(fallback)
        return self.file_response(full_path, stat_result, scope, status_code=status_code)


def _is_file(stat_result: os.stat_result | None) -> bool:
    return stat_result is not None and stat.S_ISREG(stat_result.st_mode)


def _accepted(accept: str) -> Iterator[tuple[str, float]]:
    """Yield each media type of an Accept field with its weight (RFC 9110, 12.5.1)."""
    # Imported when a browser asks for a page: its parser of headers is large, and no API needs it.
    make_message = importlib.import_module("email.message").Message
    for part in accept.split(","):
        message = make_message()
        message["content-type"] = part.strip()
        weight = message.get_param("q")
        try:
            quality = float(weight) if isinstance(weight, str) else 1.0
        except ValueError:
            quality = 1.0
        yield f"{message.get_content_maintype()}/{message.get_content_subtype()}", quality


def _navigates(scope: Scope) -> bool:
    """Say whether a browser asks for a page, rather than a script for data."""
    pages = ("text/html", "application/xhtml+xml")
    accept = Request(scope).headers.get("accept", "")
    return any(media_type in pages and quality != 0 for media_type, quality in _accepted(accept))
