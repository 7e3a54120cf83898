"""The bound on bodies where something has wrapped the refusal."""

import anyio
import pytest

from covet import CovetPy, Request
from covet.middleware.body_limit import _RefusalSent, _RequestBodyTooLarge
from covet.routing.body_limit import body_limit_error
from covet.testclient import TestClient


def test_a_refusal_is_found_in_a_group():
    refusal = _RequestBodyTooLarge()
    assert body_limit_error(refusal) is refusal
    assert body_limit_error(ExceptionGroup("g", [ExceptionGroup("h", [refusal])])) is refusal
    assert body_limit_error(KeyError()) is None


def test_a_group_with_another_error_is_no_refusal():
    assert body_limit_error(ExceptionGroup("g", [_RequestBodyTooLarge(), KeyError()])) is None


def test_a_refusal_that_was_sent_goes_first():
    sent = _RefusalSent()
    assert body_limit_error(ExceptionGroup("g", [_RequestBodyTooLarge(), sent])) is sent


async def read_in_a_group(request: Request):
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(request.body)


@pytest.mark.parametrize("where", ["app", "route"])
def test_a_refusal_inside_a_task_group_is_413(where):
    app = CovetPy(max_body_size=1 if where == "app" else None)
    app.post("/", max_body_size=1 if where == "route" else None)(read_in_a_group)
    assert TestClient(app).post("/", content=b"12").status_code == 413


def test_other_errors_in_a_group_stay_as_they_are():
    app = CovetPy(max_body_size=1)

    @app.post("/")
    async def broken():
        raise ExceptionGroup("g", [KeyError()])

    with pytest.raises(ExceptionGroup):
        TestClient(app).post("/")


def test_a_router_of_its_own_is_bounded_too():
    from covet import APIRouter

    async def read(request: Request):
        return len(await request.body())

    router = APIRouter(max_body_size=1)
    router.post("/")(read)
    outer = CovetPy()
    outer.mount("/below", router)
    assert TestClient(outer).post("/below/", content=b"12").status_code == 413


def test_nothing_is_limited_without_a_limit():
    app = CovetPy()

    @app.post("/")
    async def read(request: Request):
        return len(await request.body())

    assert TestClient(app).post("/", content=b"x" * 100_000).json() == 100_000
