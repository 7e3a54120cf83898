"""Handled and unhandled exceptions: handlers, the plain 500, the traceback for development."""

import sys
from typing import Any

import pytest

from covet.http_exceptions import HTTPException, WebSocketException
from covet.middleware.exceptions import ExceptionMiddleware
from covet.requests import Request
from covet.responses import JSONResponse, PlainTextResponse, Response
from covet.starlette.applications import Starlette
from covet.starlette.routing import Route, WebSocketRoute
from covet.websockets import WebSocket, WebSocketDisconnect


class Problem(Exception):
    pass


class SubProblem(Problem):
    pass


def raising(exc: Exception) -> Any:
    async def endpoint(request: Request) -> Response:
        raise exc

    return endpoint


def app_of(exc: Exception, **options: Any) -> Starlette:
    return Starlette(routes=[Route("/", raising(exc))], **options)


def test_http_exceptions_are_answers(client_for: Any) -> None:
    response = client_for(app_of(HTTPException(406, headers={"x": "y"}))).get("/")
    assert (response.status_code, response.text, response.headers["x"]) == (406, "Not Acceptable", "y")
    assert client_for(app_of(HTTPException(204))).get("/").content == b""


@pytest.mark.parametrize("key", [Problem, SubProblem, 418])
def test_handlers_are_found(client_for: Any, key: Any) -> None:
    seen: list[Any] = []

    def blocking(request: Request, exc: Exception) -> Response:
        return JSONResponse(str(exc), 418)

    async def handler(request: Request, exc: Exception) -> Response:
        seen.append(sys.exc_info()[1])
        return JSONResponse(str(exc), 418)

    exc = HTTPException(418, "tea") if key == 418 else SubProblem("tea")
    for handle in (blocking, handler):
        response = client_for(app_of(exc, exception_handlers={key: handle})).get("/")
        assert "tea" in response.json()
    assert seen == [exc]


def test_other_exceptions_are_a_plain_500_and_raised(client_for: Any) -> None:
    app = app_of(Problem("secret"))
    with pytest.raises(Problem):
        client_for(app).get("/")
    response = client_for(app, raise_server_exceptions=False).get("/")
    assert (response.status_code, response.text) == (500, "Internal Server Error")


@pytest.mark.parametrize("key", [500, Exception])
def test_a_handler_for_everything(client_for: Any, key: Any) -> None:
    def blocking(request: Request, exc: Exception) -> Response:
        return PlainTextResponse("sorry", 500)

    async def handler(request: Request, exc: Exception) -> Response:
        return PlainTextResponse("sorry", 500)

    for handle in (blocking, handler):
        app = Starlette(routes=[Route("/", raising(Problem()))])
        app.add_exception_handler(key, handle)
        assert client_for(app, raise_server_exceptions=False).get("/").text == "sorry"


def test_development_shows_the_traceback(client_for: Any) -> None:
    client = client_for(app_of(Problem("<b>"), debug=True), raise_server_exceptions=False)
    text = client.get("/").text
    assert text.startswith("Traceback")
    page = client.get("/", headers={"accept": "text/html"}).text
    assert "<h2>Problem: &lt;b&gt;</h2>" in page
    assert "raise exc" in page


def test_a_traceback_needs_no_frames() -> None:
    from covet.middleware.errors import ServerErrorMiddleware

    page = ServerErrorMiddleware(None).generate_html(Problem("x"))  # type: ignore[arg-type]
    assert "Problem: x" in page


def test_an_answer_that_has_begun_cannot_be_replaced(client_for: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise HTTPException(400)

    with pytest.raises(RuntimeError, match="response already started"):
        client_for(ExceptionMiddleware(app)).get("/")


def test_an_unhandled_exception_after_the_start_sends_nothing_more(client_for: Any) -> None:
    async def begun(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise Problem

    app = Starlette()
    app.mount("/", begun)
    with pytest.raises(Problem):
        client_for(app).get("/")


def test_sessions_are_closed_with_the_code(client_for: Any) -> None:
    async def refuse(websocket: WebSocket) -> None:
        await websocket.accept()
        raise WebSocketException(4001, "why")

    app = Starlette(routes=[WebSocketRoute("/", refuse)])
    with pytest.raises(WebSocketDisconnect) as closed, client_for(app).websocket_connect("/") as session:
        session.receive_text()
    assert (closed.value.code, closed.value.reason) == (4001, "why")


def test_a_session_has_handlers(client_for: Any) -> None:
    async def refuse(websocket: WebSocket) -> None:
        await websocket.accept()
        raise Problem

    async def handler(websocket: WebSocket, exc: Exception) -> None:
        await websocket.send_text("handled")
        await websocket.close()

    app = Starlette(routes=[WebSocketRoute("/", refuse)], exception_handlers={Problem: handler})
    with client_for(app).websocket_connect("/") as session:
        assert session.receive_text() == "handled"


def test_a_reused_exception_keeps_no_frames(client_for: Any) -> None:
    exc = HTTPException(400)
    client_for(app_of(exc)).get("/")
    assert exc.__traceback__ is None


def test_the_application_is_closed_to_middleware_once_it_runs(client_for: Any) -> None:
    app = Starlette()
    client_for(app).get("/")
    with pytest.raises(RuntimeError, match="Cannot add middleware after an application has started"):
        app.add_middleware(ExceptionMiddleware)
