"""What handlers return, and what becomes of it, through both doors."""

import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from covet import BackgroundTasks, CovetPy, HTTPException, Request, Response
from covet.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    StreamingResponse,
)

app = CovetPy()
done: list[Any] = []


class Public(BaseModel):
    name: str
    note: str | None = None


class Private(Public):
    password: str


@app.get("/filtered", response_model=Public, response_model_exclude_none=True)
async def filtered() -> Any:
    return Private(name="ann", password="secret")


@app.get("/annotated")
def annotated() -> list[Public]:
    return [Private(name="ann", password="secret")]


@app.get("/broken", response_model=Public)
async def broken() -> Any:
    return {"nothing": 1}


@app.post("/created", status_code=201)
async def created() -> Any:
    return {"id": 1}


@app.post("/reset", status_code=205, response_model=None)
async def reset(request: Request) -> Any:
    return Response(await request.body(), status_code=205) if request.query_params else None


@app.delete("/gone", status_code=204)
async def gone() -> None:
    return None


@app.get("/text", response_class=PlainTextResponse)
async def text() -> Any:
    return "grüße"


@app.get("/html", response_class=HTMLResponse)
def html() -> Any:
    return "<p>hi</p>"


@app.get("/raw")
async def raw() -> Any:
    return Response(b"\x00\xff", media_type="application/octet-stream", headers={"X-Raw": "1"})


@app.get("/teapot")
async def teapot() -> Any:
    return JSONResponse({"short": "stout"}, status_code=418)


@app.get("/redirect")
async def redirect() -> Any:
    return RedirectResponse("/html?a=1")


@app.get("/stream")
async def stream() -> Any:
    async def pieces() -> AsyncIterator[str]:
        for number in range(5):
            yield f"{number};"

    return StreamingResponse(pieces(), media_type="text/plain")


@app.get("/stream/sync")
def stream_sync() -> Any:
    def pieces() -> Iterator[bytes]:
        yield b"a" * 100_000
        yield b"b" * 100_000

    return StreamingResponse(pieces())


@app.get("/file")
def file() -> Any:
    return FileResponse(__file__, media_type="text/x-python")


@app.get("/cookie", status_code=202)
async def cookie(response: Response) -> Any:
    response.set_cookie("session", "s1", httponly=True)
    response.headers["X-Extra"] = "yes"
    return "ok"


@app.get("/changed")
async def changed(response: Response) -> Any:
    response.status_code = 299
    return None


@app.get("/thread")
def thread() -> Any:
    return threading.current_thread() is threading.main_thread()


@app.get("/inline", inline=True)
def inline(request: Request) -> Any:
    return request.url.path


@app.get("/later")
async def later(tasks: BackgroundTasks) -> Any:
    tasks.add_task(done.append, "one")
    tasks.add_task(done.append, "two")
    return "ok"


@app.post("/echo")
async def echo(request: Request) -> Any:
    body = b""
    async for chunk in request.stream():
        body += chunk
    return Response(body, media_type=request.headers.get("content-type"))


@app.get("/request")
async def request_parts(request: Request) -> Any:
    return {
        "method": request.method,
        "path": request.url.path,
        "query": request.query_params.multi_items(),
        "cookies": request.cookies,
        "name": request.scope["route"].name,
        "gone": await request.is_disconnected(),
    }


@app.get("/links/{number}", name="link")
async def link(number: int, request: Request) -> Any:
    return [request.url_for("link", number=number + 1).path, str(app.url_path_for("link", number=1))]


@app.get("/fails")
async def fails() -> Any:
    raise HTTPException(409, {"code": 7}, headers={"X-Why": "taken"})


@pytest.fixture(scope="module")
def client(lasting_client_of: Any) -> Any:
    return lasting_client_of(app)


@pytest.mark.parametrize(
    ("path", "status", "kind", "text"),
    [
        ("/filtered", 200, "application/json", '{"name":"ann"}'),
        ("/annotated", 200, "application/json", '[{"name":"ann","note":null}]'),
        ("/broken", 500, "text/plain; charset=utf-8", "Internal Server Error"),
        ("/text", 200, "text/plain; charset=utf-8", "grüße"),
        ("/html", 200, "text/html; charset=utf-8", "<p>hi</p>"),
        ("/teapot", 418, "application/json", '{"short":"stout"}'),
        ("/stream", 200, "text/plain; charset=utf-8", "0;1;2;3;4;"),
        ("/cookie", 202, "application/json", '"ok"'),
        ("/changed", 299, "application/json", "null"),
        ("/thread", 200, "application/json", "false"),
        ("/inline", 200, "application/json", '"/inline"'),
        ("/fails", 409, "application/json", '{"detail":{"code":7}}'),
        ("/links/3", 200, "application/json", '["/links/4","/links/1"]'),
        ("/nothing", 404, "application/json", '{"detail":"Not Found"}'),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_an_answer_has_its_status_type_and_body(
    client: Any, path: str, status: int, kind: str, text: str
) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"], answer.text) == (status, kind, text)


def test_a_declared_status_code(client: Any) -> None:
    assert client.post("/created").status_code == 201


def test_no_content_has_no_body_and_no_length(client: Any) -> None:
    answer = client.delete("/gone")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-length" not in answer.headers


@pytest.mark.parametrize("query", ["", "?own"])
def test_a_reset_has_no_body(client: Any, query: str) -> None:
    answer = client.post(f"/reset{query}", content=b"unwanted")
    # In process there is no framing, and what the response says of itself is what there is, as in Starlette.
    assert answer.status_code == 205
    assert answer.headers["content-length"] == "0" or client.base_url.host == "testserver"
    assert client.post("/reset").status_code == 205


def test_a_raw_response(client: Any) -> None:
    answer = client.get("/raw")
    assert (answer.content, answer.headers["x-raw"]) == (b"\x00\xff", "1")
    assert (answer.headers["content-type"], answer.headers["content-length"]) == (
        "application/octet-stream",
        "2",
    )


def test_a_redirect(client: Any) -> None:
    answer = client.get("/redirect")
    assert (answer.status_code, answer.headers["location"]) == (307, "/html?a=1")


def test_a_stream_from_a_plain_generator(client: Any) -> None:
    assert client.get("/stream/sync").content == b"a" * 100_000 + b"b" * 100_000


def test_a_file(client: Any) -> None:
    answer = client.get("/file", headers={"Range": "bytes=0-2"})
    assert (answer.status_code, answer.text) == (206, '"""')
    assert client.get("/file").text.startswith('"""What handlers return')


def test_the_injected_response_adds_headers_and_cookies(client: Any) -> None:
    answer = client.get("/cookie")
    assert answer.headers["x-extra"] == "yes"
    assert answer.headers["set-cookie"] == "session=s1; HttpOnly; Path=/; SameSite=lax"
    client.cookies.clear()


def test_background_tasks_run_in_order(client: Any) -> None:
    done.clear()
    assert client.get("/later").json() == "ok"
    for _ in range(100):
        if len(done) == 2:
            break
        threading.Event().wait(0.01)
    assert done == ["one", "two"]


def test_headers_of_an_http_exception(client: Any) -> None:
    assert client.get("/fails").headers["x-why"] == "taken"


def test_a_streamed_request_body(client: Any) -> None:
    pieces = (b"x" * 70_000 for _ in range(20))
    answer = client.post("/echo", content=pieces, headers={"content-type": "application/x-data"})
    assert len(answer.content) == 1_400_000
    assert answer.headers["content-type"] == "application/x-data"


def test_a_request_says_what_was_asked(client: Any) -> None:
    answer = client.get("/request?a=1&a=2&b=", headers={"Cookie": "c=1"})
    assert answer.json() == {
        "method": "GET",
        "path": "/request",
        "query": [["a", "1"], ["a", "2"], ["b", ""]],
        "cookies": {"c": "1"},
        "name": "request_parts",
        "gone": False,
    }
