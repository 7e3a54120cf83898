"""Files of a directory, or of packages, as an ASGI application.

A path never leads out of the directories; looking up a file runs in a worker thread.
"""

from __future__ import annotations

import errno
import importlib.util
import os
import stat
from typing import Union

import anyio.to_thread

from covet.datastructures.headers import Headers
from covet.datastructures.url import URL
from covet.http_dates import parse_http_date
from covet.http_exceptions import HTTPException
from covet.responses.base import RedirectResponse, Response
from covet.responses.files import FileResponse
from covet.route_path import get_route_path
from covet.types import Receive, Scope, Send
from covet.websockets import WebSocketClose

__all__ = ["NotModifiedResponse", "PathLike", "StaticFiles"]

PathLike = Union[str, "os.PathLike[str]"]


class NotModifiedResponse(Response):
    """A 304 with those fields of the full response that belong to it (RFC 9110, section 15.4.5)."""

    NOT_MODIFIED_HEADERS = ("cache-control", "content-location", "date", "etag", "expires", "vary")

    def __init__(self, headers: Headers) -> None:
        kept = {name: value for name, value in headers.items() if name in self.NOT_MODIFIED_HEADERS}
        super().__init__(status_code=304, headers=kept)


class StaticFiles:
    """Serve the files below `directory` and in `packages` (a name, or a name and a directory in it).

    With `html` a directory answers with its `index.html`, and a missing file with `404.html`.
    """

    def __init__(
        self,
        *,
        directory: PathLike | None = None,
        packages: list[str | tuple[str, str]] | None = None,
        html: bool = False,
        check_dir: bool = True,
        follow_symlink: bool = False,
    ) -> None:
        self.directory = directory
        self.packages = packages
        self.all_directories = self.get_directories(directory, packages)
        self.html = html
        self.config_checked = False
        self.follow_symlink = follow_symlink
        if check_dir and directory is not None and not os.path.isdir(directory):
            raise RuntimeError(f"Directory '{directory}' does not exist")

    def get_directories(
        self,
        directory: PathLike | None = None,
        packages: list[str | tuple[str, str]] | None = None,
    ) -> list[PathLike]:
        """Return every directory that files are looked for in, in order."""
        directories: list[PathLike] = [] if directory is None else [directory]
        for package in packages or ():
            name, statics = (package, "statics") if isinstance(package, str) else package
            directories.append(_package_directory(name, statics))
        return directories

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        assert scope["type"] == "http"
        if not self.config_checked:
            await self.check_config()
            self.config_checked = True
        response = await self.get_response(self.get_path(scope), scope)
        await response(scope, receive, send)

    def get_path(self, scope: Scope) -> str:
        """Return the path below the mount in the form of the operating system, without `..`."""
        return os.path.normpath(os.path.join(*get_route_path(scope).split("/")))

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the response for a path, or raise an HTTPException."""
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(status_code=405, headers={"Allow": "GET, HEAD"})
        full_path, stat_result = await self._look_up(path)
        if stat_result and stat.S_ISREG(stat_result.st_mode):
            return self.file_response(full_path, stat_result, scope)
        if self.html:
            is_directory = stat_result is not None and stat.S_ISDIR(stat_result.st_mode)
            response = await self._index(path, scope) if is_directory else None
            response = response or await self._not_found_page()
            if response is not None:
                return response
        raise HTTPException(status_code=404)

    async def _look_up(self, path: str) -> tuple[str, os.stat_result | None]:
        try:
            return await anyio.to_thread.run_sync(self.lookup_path, path)
        except PermissionError:
            raise HTTPException(status_code=401) from None
        except OSError as exc:
            if exc.errno == errno.ENAMETOOLONG:
                raise HTTPException(status_code=404) from None
            raise
        except ValueError:
            # The operating system allows no name with a null character.
            raise HTTPException(status_code=404) from None

    async def _index(self, path: str, scope: Scope) -> Response | None:
        full_path, stat_result = await anyio.to_thread.run_sync(
            self.lookup_path, os.path.join(path, "index.html")
        )
        if stat_result is None or not stat.S_ISREG(stat_result.st_mode):
            return None
        if scope["path"].endswith("/"):
            return self.file_response(full_path, stat_result, scope)
        # Relative links in the page need the slash.
        url = URL(scope=scope)
        return RedirectResponse(url=url.replace(path=url.path + "/"))

    async def _not_found_page(self) -> Response | None:
        full_path, stat_result = await anyio.to_thread.run_sync(self.lookup_path, "404.html")
        if stat_result and stat.S_ISREG(stat_result.st_mode):
            return FileResponse(full_path, stat_result=stat_result, status_code=404)
        return None

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Return the file's full path and status, or an empty path; runs in a worker thread."""
        # Joining an absolute path would leave the directory.
        if path.startswith(("/", "\\")):
            return "", None
        resolve = os.path.abspath if self.follow_symlink else os.path.realpath
        for directory in self.all_directories:
            root = str(resolve(directory))
            full_path = str(resolve(os.path.join(directory, path)))
            if os.path.commonpath([full_path, root]) != root:
                continue
            try:
                return full_path, os.stat(full_path)
            except (FileNotFoundError, NotADirectoryError):
                continue
        return "", None

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Return the file, or 304 if the client has it."""
        response = FileResponse(full_path, status_code=status_code, stat_result=stat_result)
        if self.is_not_modified(response.headers, Headers(scope=scope)):
            return NotModifiedResponse(response.headers)
        return response

    async def check_config(self) -> None:
        """Raise if the directory is not there: better than an endless row of 404."""
        if self.directory is None:
            return
        try:
            stat_result = await anyio.to_thread.run_sync(os.stat, self.directory)
        except FileNotFoundError:
            raise RuntimeError(f"StaticFiles directory '{self.directory}' does not exist.") from None
        if not (stat.S_ISDIR(stat_result.st_mode) or stat.S_ISLNK(stat_result.st_mode)):
            raise RuntimeError(f"StaticFiles path '{self.directory}' is not a directory.")

    def is_not_modified(self, response_headers: Headers, request_headers: Headers) -> bool:
        """Tell whether the client has the file, by tag, else by date (RFC 9110, section 13.2.2)."""
        if tags := request_headers.get("if-none-match"):
            if tags.strip() == "*":
                return True
            return response_headers["etag"] in [tag.strip().removeprefix("W/") for tag in tags.split(",")]
        since = parse_http_date(request_headers.get("if-modified-since", ""))
        modified = parse_http_date(response_headers.get("last-modified", ""))
        return since is not None and modified is not None and since >= modified


def _package_directory(package: str, statics: str) -> str:
    spec = importlib.util.find_spec(package)
    assert spec is not None, f"Package {package!r} could not be found."
    assert spec.origin is not None, f"Package {package!r} could not be found."
    directory = os.path.normpath(os.path.join(spec.origin, "..", statics))
    assert os.path.isdir(directory), f"Directory '{statics!r}' in package {package!r} could not be found."
    return directory
