"""Who did not answer is named through both doors."""

from typing import Any

import pytest

from covet import CovetPy, Request

from .conftest import ClientFor


def place(function: Any) -> str:
    return f"{function.__name__} ({__file__}:{function.__code__.co_firstlineno})"


@pytest.mark.parametrize("depth", [0, 1], ids=["outermost", "inner"])
def test_a_middleware_function_that_returns_nothing(client_of: ClientFor, depth: int) -> None:
    async def forgetful(request: Request, call_next: Any) -> Any:
        await call_next(request)

    async def around(request: Request, call_next: Any) -> Any:
        return await call_next(request)

    app = CovetPy(debug=True)
    app.get("/")(lambda: "ok")
    app.middleware("http")(forgetful)
    for _ in range(depth):
        app.middleware("http")(around)
    answer = client_of(app).get("/")
    assert answer.status_code == 500
    assert f"{place(forgetful)} returned None, which is no response" in answer.text


def test_a_plain_handler_that_returns_nothing(client_of: ClientFor) -> None:
    async def home(request: Request) -> Any: ...

    app = CovetPy(debug=True)
    app.add_route("/", home)
    answer = client_of(app).get("/")
    assert answer.status_code == 500
    assert f"{place(home)} returned None, which is no response" in answer.text


def test_a_mounted_application_that_does_not_answer(client_of: ClientFor) -> None:
    async def silent(scope: Any, receive: Any, send: Any) -> None: ...

    async def around(request: Request, call_next: Any) -> Any:
        return await call_next(request)

    app = CovetPy(debug=True)
    app.mount("/", silent)
    app.middleware("http")(around)
    answer = client_of(app).get("/items")
    assert answer.status_code == 500
    assert f"No response returned. {place(silent)} was called for GET /items" in answer.text
