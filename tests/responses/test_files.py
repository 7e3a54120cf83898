"""Files: whole, by ranges, head only, by the server; conditions; what is no file."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from covet.background import BackgroundTask
from covet.responses import FileResponse
from covet.responses.ranges import MalformedRangeHeader, RangeNotSatisfiable, parse_range_header
from covet.types import Message

TEXT = b"0123456789" * 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "naïve file.txt"
    file.write_bytes(TEXT)
    return file


def app_of(path: Path, **options: Any) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        response = FileResponse(path, **options)
        response.chunk_size = 64
        await response(scope, receive, send)

    return app


def test_a_file_is_sent_whole(client_for: Any, path: Path) -> None:
    done: list[int] = []
    response = client_for(app_of(path, background=BackgroundTask(done.append, 1))).get("/")
    assert response.content == TEXT
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["content-length"] == "200"
    assert response.headers["accept-ranges"] == "bytes"
    assert {"etag", "last-modified"} <= set(response.headers)
    assert done == [1]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.txt", 'attachment; filename="a.txt"'), ("é.txt", "attachment; filename*=utf-8''%C3%A9.txt")],
)
def test_a_file_has_a_name(path: Path, name: str, expected: str) -> None:
    assert FileResponse(path, filename=name).headers["content-disposition"] == expected


def test_a_head_has_no_body(client_for: Any, path: Path) -> None:
    response = client_for(app_of(path)).head("/")
    assert (response.content, response.headers["content-length"]) == (b"", "200")


@pytest.mark.parametrize(
    ("asked", "content", "field"),
    [
        ("bytes=0-9", b"0123456789", "bytes 0-9/200"),
        ("bytes=195-", b"56789", "bytes 195-199/200"),
        ("bytes=-5", b"56789", "bytes 195-199/200"),
        ("bytes=0-500", TEXT, "bytes 0-199/200"),
        ("bytes=0-4,3-9", b"0123456789", None),
        ("BYTES = 0-127", TEXT[:128], "bytes 0-127/200"),
    ],
)
def test_one_range_is_sent(
    client_for: Any, path: Path, asked: str, content: bytes, field: str | None
) -> None:
    response = client_for(app_of(path)).get("/", headers={"range": asked})
    assert response.status_code == 206
    if field is not None:
        assert response.headers["content-range"] == field
        assert response.headers["content-length"] == str(len(content))
        assert response.content == content
    assert client_for(app_of(path)).head("/", headers={"range": asked}).content == b""


def test_several_ranges_are_sent_as_parts(client_for: Any, path: Path) -> None:
    response = client_for(app_of(path)).get("/", headers={"range": "bytes=0-1, 100-199"})
    kind, boundary = response.headers["content-type"].split("; boundary=")
    assert (response.status_code, kind) == (206, "multipart/byteranges")
    assert response.headers["content-length"] == str(len(response.content))
    parts = response.content.split(f"--{boundary}".encode())
    assert parts[0] == b""
    assert parts[1].endswith(b"Content-Range: bytes 0-1/200\r\n\r\n01\r\n")
    assert parts[2].endswith(b"Content-Range: bytes 100-199/200\r\n\r\n" + TEXT[100:] + b"\r\n")
    assert parts[3] == b"--"
    head = client_for(app_of(path)).head("/", headers={"range": "bytes=0-1, 100-199"})
    assert (head.status_code, head.content) == (206, b"")


@pytest.mark.parametrize(
    ("asked", "status", "text"),
    [
        ("bytes", 400, "Malformed range header."),
        ("lines=1-2", 400, "Only support bytes range"),
        ("bytes=-,x,a-b", 400, "Range header: range must be requested"),
        ("bytes=5-2", 400, "Range header: start must be less than end"),
        ("bytes=200-", 416, ""),
    ],
)
def test_bad_ranges_are_refused(client_for: Any, path: Path, asked: str, status: int, text: str) -> None:
    response = client_for(app_of(path)).get("/", headers={"range": asked})
    assert (response.status_code, response.text) == (status, text)
    if status == 416:
        assert response.headers["content-range"] == "bytes */200"


def test_too_many_ranges_give_the_whole() -> None:
    assert parse_range_header("bytes=" + ",".join(["0-1"] * 101), 10, 100) == []
    assert parse_range_header("bytes=5-6,0-1,1-2", 10, 100) == [(0, 3), (5, 7)]
    with pytest.raises(RangeNotSatisfiable):
        parse_range_header("bytes=10-", 10, 100)
    with pytest.raises(MalformedRangeHeader):
        parse_range_header("bytes=", 10, 100)


def test_a_range_needs_the_same_file(client_for: Any, path: Path) -> None:
    client = client_for(app_of(path))
    full = client.get("/")
    for value, status in [
        (full.headers["etag"], 206),
        (full.headers["last-modified"], 206),
        ("other", 200),
        ("W/" + full.headers["etag"], 200),
    ]:
        response = client.get("/", headers={"range": "bytes=0-1", "if-range": value})
        assert response.status_code == status


def test_ranges_are_for_reading_good_answers(client_for: Any, path: Path) -> None:
    assert client_for(app_of(path)).post("/", headers={"range": "bytes=0-1"}).status_code == 200
    assert (
        client_for(app_of(path, status_code=404)).get("/", headers={"range": "bytes=0-1"}).status_code == 404
    )


@pytest.mark.parametrize(("name", "text"), [("none", "does not exist"), ("", "is not a file")])
def test_what_is_no_file_is_an_error(client_for: Any, tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        client_for(app_of(tmp_path / name)).get("/")


async def send_by_hand(path: Path, **scope: Any) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    await FileResponse(path)({"headers": [], "method": "GET", **scope}, receive, send)
    return sent


@pytest.mark.anyio
async def test_a_server_may_send_the_file_itself(path: Path) -> None:
    sent = await send_by_hand(path, type="http", extensions={"http.response.pathsend": {}})
    assert sent[1] == {"type": "http.response.pathsend", "path": str(path)}


@pytest.mark.anyio
async def test_a_websocket_is_refused_with_a_file(path: Path) -> None:
    sent = await send_by_hand(path, type="websocket")
    assert sent[0]["type"] == "websocket.http.response.start"


@pytest.mark.anyio
async def test_a_lost_client_ends_the_transfer(path: Path) -> None:
    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            await anyio.sleep_forever()

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "headers": [], "method": "GET"}
    with anyio.fail_after(5):
        await FileResponse(path)(scope, receive, send)


@pytest.mark.anyio
async def test_a_file_that_shrinks_is_an_error(path: Path) -> None:
    response = FileResponse(path, stat_result=path.stat())
    path.write_bytes(b"short")

    async def send(message: Message) -> None:
        pass

    scope = {"type": "http", "method": "GET", "asgi": {"spec_version": "2.4"}}
    headers = [(b"range", b"bytes=0-1, 100-150")]
    with pytest.raises(RuntimeError, match="is shorter than expected"):
        await response({**scope, "headers": headers}, None, send)  # type: ignore[arg-type]
