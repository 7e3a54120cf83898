"""Errors that send people the wrong way elsewhere: each names the cause, the place and the fix."""

import contextlib
import warnings
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest

from covet import CovetPy, Depends, Query, Request, Response
from covet.exceptions import FastAPIError
from covet.middleware.base import BaseHTTPMiddleware
from covet.middleware.gzip import GZipMiddleware
from covet.responses import PlainTextResponse, StreamingResponse
from covet.routing import Route
from covet.starlette.applications import Starlette
from covet.starlette.endpoints import HTTPEndpoint
from covet.testclient import TestClient


def place(function: Any) -> str:
    return f"({__file__}:{function.__code__.co_firstlineno})"


async def get_db() -> AsyncIterator[int]:
    yield 1


async def get_user() -> int:
    return 1


def get_settings() -> dict[str, int]:
    return {}


@pytest.mark.parametrize("function", [get_db, get_user])
def test_a_dependency_that_was_called_is_named(function: Any) -> None:
    name = function.__name__
    with pytest.raises(TypeError) as refused:
        Depends(function())
    assert str(refused.value) == (
        f"Depends({name}()) calls {name} here, once. Leave the parentheses out, Depends({name}): "
        "it is called for each request"
    )


def test_a_dependency_that_is_a_value_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Depends\(\) takes a callable, not \{\}\. If a call made it"):
        Depends(get_settings())


def undecorated(function: Any) -> Any:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return await function(*args, **kwargs)

    return wrapper


def test_a_decorator_that_hides_the_signature_is_named_at_start_up() -> None:
    app = CovetPy()
    wrapped = undecorated(get_user)
    with pytest.warns(UserWarning, match=r"need the query parameters args and kwargs") as caught:
        app.get("/")(wrapped)
    assert str(caught[0].message).startswith(f"wrapper {place(wrapped)} takes any arguments")
    assert "@functools.wraps(function)" in str(caught[0].message)


def test_a_dependency_behind_such_a_decorator_is_named_too() -> None:
    app = CovetPy()
    with pytest.warns(UserWarning, match="takes any arguments"):

        @app.get("/")
        async def read(user: Annotated[int, Depends(undecorated(get_user))]) -> None: ...


def test_middleware_that_comes_too_late_is_named_with_the_hook_that_added_it() -> None:
    @contextlib.asynccontextmanager
    async def lifespan(app: CovetPy) -> AsyncIterator[None]:
        app.add_middleware(GZipMiddleware)
        yield

    with pytest.raises(RuntimeError) as refused, TestClient(CovetPy(lifespan=lifespan)):
        pass
    message = str(refused.value)
    assert message.startswith(
        "Cannot add middleware after an application has started: GZipMiddleware came from "
    )
    assert f"lifespan ({__file__}:" in message
    assert "Add it where the application is made" in message


def test_a_function_middleware_that_comes_too_late_is_named() -> None:
    app = CovetPy()
    TestClient(app).get("/")
    with pytest.raises(RuntimeError, match=r"BaseHTTPMiddleware came from test_a_function_middleware"):
        app.middleware("http")(lambda request, call_next: call_next(request))


class Silent:
    """Middleware that forgets to call the application below it."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)


@pytest.mark.parametrize("foreign", [False, True], ids=["one task", "two tasks"])
def test_who_did_not_answer_is_named(foreign: bool) -> None:
    async def silent(scope: Any, receive: Any, send: Any) -> None: ...

    app = CovetPy()
    if foreign:
        app.add_middleware(Silent)
    else:
        app.mount("/", silent)

    @app.middleware("http")
    async def outer(request: Request, call_next: Any) -> Response:
        answer: Response = await call_next(request)
        return answer

    with pytest.raises(RuntimeError, match=r"^No response returned\.") as refused:
        TestClient(app).get("/items")
    who = f"Silent ({__name__}.Silent)" if foreign else f"silent {place(silent)}"
    assert f"{who} was called for GET /items and ended without sending a response" in str(refused.value)


@pytest.mark.parametrize("value", [None, {"a": 1}], ids=repr)
def test_a_middleware_function_that_returns_no_response_is_named(value: Any) -> None:
    async def forgetful(request: Request, call_next: Any) -> Any:
        await call_next(request)
        return value

    for below in (None, Silent):  # in one task and in two
        app = CovetPy()
        if below:
            app.add_middleware(Loud)
        app.add_middleware(BaseHTTPMiddleware, dispatch=forgetful)
        with pytest.raises(TypeError) as refused:
            TestClient(app).get("/")
        assert str(refused.value).startswith(f"forgetful {place(forgetful)} returned {value!r}, which is no")
        assert "call_next(request)" in str(refused.value)


class Loud(Silent):
    """Middleware of somebody else's, so that what is above it needs two tasks."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


def test_a_plain_handler_that_returns_no_response_is_named() -> None:
    async def home(request: Request) -> Any: ...

    with pytest.raises(TypeError) as refused:
        TestClient(Starlette(routes=[Route("/", home)])).get("/")
    assert str(refused.value).startswith(f"home {place(home)} returned None, which is no response.")


def test_a_method_of_an_endpoint_class_that_returns_no_response_is_named() -> None:
    class Home(HTTPEndpoint):
        async def get(self, request: Request) -> Any:
            return "text"

    with pytest.raises(TypeError) as refused:
        TestClient(Starlette(routes=[Route("/", Home)])).get("/")
    assert str(refused.value).startswith(f"Home.get {place(Home.get)} returned 'text', which is no response.")


def test_an_exception_handler_that_returns_no_response_is_named() -> None:
    app = CovetPy()

    @app.exception_handler(KeyError)
    async def on_key(request: Request, error: Exception) -> Any:
        return {"detail": "no key"}

    @app.get("/")
    async def read() -> None:
        raise KeyError

    with pytest.raises(TypeError) as refused:
        TestClient(app).get("/")
    assert str(refused.value).startswith(f"on_key {place(on_key)} returned {{'detail': 'no key'}}")


def test_an_error_after_the_response_began_is_named() -> None:
    app = CovetPy()

    @app.exception_handler(KeyError)
    async def on_key(request: Request, error: Exception) -> Response:
        return PlainTextResponse("no key")

    @app.get("/")
    async def read() -> StreamingResponse:
        async def pieces() -> AsyncIterator[str]:
            yield "a"
            raise KeyError("pen")

        return StreamingResponse(pieces())

    with pytest.raises(RuntimeError) as refused:
        TestClient(app).get("/")
    assert str(refused.value) == (
        "Caught handled exception, but response already started. "
        "KeyError was raised by the code that sends the response: 'pen'"
    )
    assert isinstance(refused.value.__cause__, KeyError)


def test_a_body_that_was_streamed_away_is_told() -> None:
    app = CovetPy()

    @app.post("/")
    async def read(request: Request) -> None:
        async for _ in request.stream():
            pass
        await request.body()

    with pytest.raises(RuntimeError, match=r"^Stream consumed: .*`await request\.body\(\)`"):
        TestClient(app).post("/", content=b"x")


def test_a_handler_with_wraps_is_not_warned_about() -> None:
    import functools

    @functools.wraps(get_user)
    async def wrapper(*args: Any, **kwargs: Any) -> int:
        return await get_user(*args, **kwargs)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        CovetPy().get("/")(wrapper)


def test_a_refused_declaration_names_parameter_function_and_path() -> None:
    def user(filters: Annotated[dict[str, int], Query()]) -> None: ...
    async def read(user: Annotated[None, Depends(user)]) -> None: ...

    with pytest.raises(AssertionError) as refused:
        CovetPy().get("/items")(read)
    assert refused.value.__notes__ == [
        f"parameter 'filters' of user {place(user)}",
        f"parameter 'user' of read {place(read)}",
        f"in the declaration of '/items', read {place(read)}",
    ]


def test_a_response_type_that_pydantic_does_not_know_names_the_function() -> None:
    async def read() -> Silent: ...  # type: ignore[empty-body]

    with pytest.raises(FastAPIError, match="Invalid args for response field") as refused:
        CovetPy().get("/items")(read)
    assert refused.value.__notes__ == [f"in the declaration of '/items', read {place(read)}"]
