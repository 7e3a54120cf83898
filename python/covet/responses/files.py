"""Responses that send a file: whole, by ranges, by the server itself (`pathsend`), or its head only."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from mimetypes import guess_type
from urllib.parse import quote

import anyio
import anyio.to_thread

from covet.background import BackgroundTask
from covet.datastructures.headers import Headers, MutableHeaders
from covet.http_dates import format_http_date
from covet.responses.base import PlainTextResponse, Response
from covet.responses.ranges import (
    MalformedRangeHeader,
    RangeNotSatisfiable,
    byteranges_body,
    parse_range_header,
    parse_ranges,
)
from covet.responses.streaming import reports_disconnect, until_first
from covet.scope_keys import IN_TASK
from covet.separate_task import run_isolated
from covet.types import Receive, Scope, Send

__all__ = ["FileResponse", "guess_type"]

SendFile = Callable[[], Awaitable[None]]


class FileResponse(Response):
    """A response with a file's content, its length, date and entity tag; answers Range on GET and HEAD."""

    chunk_size = 64 * 1024
    max_ranges = 100

    def __init__(
        self,
        path: str | os.PathLike[str],
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
        filename: str | None = None,
        stat_result: os.stat_result | None = None,
        content_disposition_type: str = "attachment",
    ) -> None:
        self.path = path
        self.status_code = status_code
        self.filename = filename
        self.media_type = media_type or guess_type(filename or path)[0] or "application/octet-stream"
        self.background = background
        self.init_headers(headers)
        self.headers.setdefault("accept-ranges", "bytes")
        if filename is not None:
            disposition = _content_disposition(content_disposition_type, filename)
            self.headers.setdefault("content-disposition", disposition)
        self.stat_result = stat_result
        if stat_result is not None:
            self.set_stat_headers(stat_result)

    def set_stat_headers(self, stat_result: os.stat_result) -> None:
        """Set length, date and entity tag, unless they are set."""
        tag_source = f"{stat_result.st_mtime}-{stat_result.st_size}".encode()
        tag = hashlib.md5(tag_source, usedforsecurity=False).hexdigest()
        self.headers.setdefault("content-length", str(stat_result.st_size))
        self.headers.setdefault("last-modified", format_http_date(stat_result.st_mtime))
        self.headers.setdefault("etag", f'"{tag}"')

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stat_result = await self._stat()
        is_http = scope["type"] == "http"
        if not is_http:
            send = self._wrap_websocket_denial_send(send)
        method = scope["method"].upper() if is_http else ""
        header_only = method == "HEAD"
        pathsend = is_http and "http.response.pathsend" in scope.get("extensions", {})
        ranges: list[tuple[int, int]] = []
        wanted = self._wanted_range(scope, method)
        if wanted is not None:
            try:
                ranges = self._parse_range_header(wanted, stat_result.st_size)
            except MalformedRangeHeader as exc:
                await PlainTextResponse(exc.content, status_code=400)(scope, receive, send)
                return
            except RangeNotSatisfiable as exc:
                refusal = {"Content-Range": f"bytes */{exc.max_size}"}
                await PlainTextResponse(status_code=416, headers=refusal)(scope, receive, send)
                return
        pathsend = pathsend and not ranges
        send_file = self._sender(send, ranges, stat_result.st_size, header_only, pathsend)
        if not is_http or header_only or pathsend or reports_disconnect(scope):
            await send_file()
        elif scope.get(IN_TASK):
            await run_isolated(self, scope, receive, send)
            return
        else:
            await until_first(send_file, partial(_until_disconnect, receive))
        await self._run_background(scope)

    async def _stat(self) -> os.stat_result:
        if self.stat_result is not None:
            return self.stat_result
        try:
            stat_result = await anyio.to_thread.run_sync(os.stat, self.path)
        except FileNotFoundError:
            raise RuntimeError(f"File at path {self.path} does not exist.") from None
        if not stat.S_ISREG(stat_result.st_mode):
            raise RuntimeError(f"File at path {self.path} is not a file.")
        self.set_stat_headers(stat_result)
        return stat_result

    def _wanted_range(self, scope: Scope, method: str) -> str | None:
        """Return the Range field if it is to be honoured (RFC 9110, section 14.2)."""
        if self.status_code != 200 or (scope["type"] == "http" and method not in ("GET", "HEAD")):
            return None
        headers = Headers(scope=scope)
        condition = headers.get("if-range")
        if condition is not None and not self._should_use_range(condition):
            return None
        wanted: str | None = headers.get("range")
        return wanted

    def _sender(
        self, send: Send, ranges: list[tuple[int, int]], size: int, header_only: bool, pathsend: bool
    ) -> SendFile:
        if not ranges:
            return partial(self._handle_simple, send, header_only, pathsend)
        if len(ranges) == 1:
            return partial(self._handle_single_range, send, *ranges[0], size, header_only)
        return partial(self._handle_multiple_ranges, send, ranges, size, header_only)

    @asynccontextmanager
    async def _open_file(self) -> AsyncIterator[anyio.AsyncFile[bytes]]:
        file = await anyio.open_file(self.path, mode="rb")
        try:
            yield file
        finally:
            # A cancelled transfer must not leave the file open.
            with anyio.CancelScope(shield=True):
                await file.aclose()

    async def _handle_simple(self, send: Send, send_header_only: bool, send_pathsend: bool) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if send_header_only:
            await send(_body(b"", more=False))
        elif send_pathsend:
            await send({"type": "http.response.pathsend", "path": str(self.path)})
        else:
            async with self._open_file() as file:
                more = True
                while more:
                    chunk = await file.read(self.chunk_size)
                    more = len(chunk) == self.chunk_size
                    await send(_body(chunk, more=more))

    async def _handle_single_range(
        self, send: Send, start: int, end: int, file_size: int, send_header_only: bool
    ) -> None:
        headers = MutableHeaders(raw=list(self.raw_headers))
        headers["content-range"] = f"bytes {start}-{end - 1}/{file_size}"
        headers["content-length"] = str(end - start)
        await send({"type": "http.response.start", "status": 206, "headers": headers.raw})
        if send_header_only:
            await send(_body(b"", more=False))
            return
        async with self._open_file() as file:
            await file.seek(start)
            more = True
            while more:
                chunk = await file.read(min(self.chunk_size, end - start))
                start += len(chunk)
                more = len(chunk) == self.chunk_size and start < end
                await send(_body(chunk, more=more))

    async def _handle_multiple_ranges(
        self, send: Send, ranges: list[tuple[int, int]], file_size: int, send_header_only: bool
    ) -> None:
        boundary = os.urandom(13).hex()
        length, part_head = self.generate_multipart(ranges, boundary, file_size, self.headers["content-type"])
        headers = MutableHeaders(raw=list(self.raw_headers))
        headers["content-type"] = f"multipart/byteranges; boundary={boundary}"
        headers["content-length"] = str(length)
        await send({"type": "http.response.start", "status": 206, "headers": headers.raw})
        if send_header_only:
            await send(_body(b"", more=False))
            return
        async with self._open_file() as file:
            for start, end in ranges:
                await send(_body(part_head(start, end), more=True))
                await self._send_part(send, file, start, end)
                await send(_body(b"\r\n", more=True))
        await send(_body(f"--{boundary}--".encode("latin-1"), more=False))

    async def _send_part(self, send: Send, file: anyio.AsyncFile[bytes], start: int, end: int) -> None:
        await file.seek(start)
        while start < end:
            chunk = await file.read(min(self.chunk_size, end - start))
            if not chunk:
                raise RuntimeError(f"File at path {self.path} is shorter than expected.")
            start += len(chunk)
            await send(_body(chunk, more=True))

    def _should_use_range(self, http_if_range: str) -> bool:
        # A weak tag cannot vouch for bytes (RFC 9110, section 13.1.5).
        if http_if_range.startswith("W/"):
            return False
        return http_if_range in (self.headers["last-modified"], self.headers["etag"])

    @classmethod
    def _parse_range_header(cls, http_range: str, file_size: int) -> list[tuple[int, int]]:
        return parse_range_header(http_range, file_size, cls.max_ranges)

    @classmethod
    def _parse_ranges(cls, range_: str, file_size: int) -> list[tuple[int, int]]:
        return parse_ranges(range_, file_size)

    def generate_multipart(
        self, ranges: Sequence[tuple[int, int]], boundary: str, max_size: int, content_type: str
    ) -> tuple[int, Callable[[int, int], bytes]]:
        """Return the length of a multipart/byteranges body and the writer of its part heads."""
        return byteranges_body(ranges, boundary, max_size, content_type)


def _body(body: bytes, *, more: bool) -> dict[str, object]:
    return {"type": "http.response.body", "body": body, "more_body": more}


def _content_disposition(kind: str, filename: str) -> str:
    quoted = quote(filename)
    if quoted == filename:
        return f'{kind}; filename="{filename}"'
    return f"{kind}; filename*=utf-8''{quoted}"


async def _until_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
