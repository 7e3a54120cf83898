"""Function middleware around typed handlers: what yields has a task of its own, answers are the same."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest

from covet import BackgroundTasks, Depends, FastAPI, Request, Response, UploadFile
from covet.responses import StreamingResponse
from covet.testclient import TestClient


async def grouped() -> AsyncIterator[str]:
    async with anyio.create_task_group():
        yield "grouped"


def blocking() -> Iterator[str]:
    yield "blocking"


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()

    @app.middleware("http")
    async def inner(request: Request, call_next: Any) -> Response:
        with anyio.fail_after(5):
            response: Response = await call_next(request)
        response.headers["x-inner"] = "1"
        return response

    @app.middleware("http")
    async def outer(request: Request, call_next: Any) -> Response:
        with anyio.fail_after(5):
            response: Response = await call_next(request)
        response.headers["x-outer"] = response.headers["x-inner"]
        return response

    @app.get("/plain/{number}")
    async def plain(number: int) -> dict[str, int]:
        return {"number": number}

    @app.get("/grouped")
    async def with_group(value: str = Depends(grouped)) -> str:
        return value

    @app.get("/blocking")
    def with_thread(value: str = Depends(blocking)) -> str:
        return value

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def pieces() -> AsyncIterator[str]:
            for number in range(3):
                await anyio.sleep(0)
                yield str(number)

        return StreamingResponse(pieces())

    @app.post("/upload")
    async def upload(file: UploadFile, tasks: BackgroundTasks) -> int:
        tasks.add_task(setattr, app.state, "done", file.filename)
        return len(await file.read())

    return app


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/plain/1", 200, '{"number":1}'),
        ("/plain/x", 422, None),
        ("/none", 404, '{"detail":"Not Found"}'),
        ("/grouped", 200, '"grouped"'),
        ("/blocking", 200, '"blocking"'),
        ("/stream", 200, "012"),
    ],
)
def test_answers_pass_both_middleware(
    client_for: Any, app: FastAPI, path: str, status: int, text: str | None
) -> None:
    response = client_for(app).get(path)
    assert (response.status_code, response.headers["x-outer"]) == (status, "1")
    if text is not None:
        assert response.text == text


def test_uploads_and_background_work(client_for: Any, app: FastAPI) -> None:
    assert client_for(app).post("/upload", files={"file": ("name", b"abc")}).json() == 3
    assert app.state.done == "name"


def test_an_override_may_yield(client_for: Any, app: FastAPI) -> None:
    def value() -> str:
        raise AssertionError

    @app.get("/overridden")
    async def overridden(value: str = Depends(value)) -> str:
        return value

    app.dependency_overrides[value] = grouped
    assert client_for(app).get("/overridden").json() == "grouped"


def test_a_child_task_may_call_the_application(app: FastAPI) -> None:
    @app.middleware("http")
    async def timed(request: Request, call_next: Any) -> Response:
        return await asyncio.ensure_future(call_next(request))  # type: ignore[no-any-return]

    assert TestClient(app).get("/plain/2").json() == {"number": 2}
