"""Dependencies at work: order, caching, exits, overrides, limits, and what libraries call themselves."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated, Any

import anyio
import pytest

from covet import BackgroundTasks, CovetPy, Depends, HTTPException, Request, Response, WebSocket
from covet.dependencies.resolve import SolvedDependency, overriding_dependant, solve_dependencies
from covet.dependencies.signature import get_dependant
from covet.exceptions import FastAPIError
from covet.testclient import TestClient


def answer(endpoint, **options):
    app = CovetPy()
    app.get("/")(endpoint)
    return TestClient(app, **options).get("/")


def test_a_dependency_runs_once_unless_it_says_otherwise():
    calls = []

    def below():
        calls.append(1)
        return len(calls)

    def endpoint(
        a: Annotated[int, Depends(below)],
        b: Annotated[int, Depends(below)],
        c: Annotated[int, Depends(below, use_cache=False)],
    ):
        return [a, b, c]

    assert answer(endpoint).json() == [1, 1, 2]


def test_exits_run_after_the_response_in_reverse_order():
    log = []

    def blocking() -> Any:
        log.append("in blocking")
        yield 1
        log.append("out blocking")

    async def on_the_loop() -> AsyncIterator[int]:
        log.append("in loop")
        yield 2
        log.append("out loop")

    async def short() -> AsyncIterator[int]:
        yield 3
        log.append("out function")

    def endpoint(
        a: Annotated[int, Depends(blocking)],
        b: Annotated[int, Depends(on_the_loop)],
        c: Annotated[int, Depends(short, scope="function")],
    ):
        log.append("endpoint")
        return a + b + c

    assert answer(endpoint).json() == 6
    assert log == ["in blocking", "in loop", "endpoint", "out function", "out loop", "out blocking"]


def test_a_generator_sees_the_error_of_the_handler():
    seen = []

    def dependency():
        try:
            yield
        except ValueError as error:
            seen.append(error)
            raise HTTPException(418) from error

    def endpoint(value: Annotated[None, Depends(dependency)]):
        raise ValueError("x")

    assert answer(endpoint).status_code == 418
    assert len(seen) == 1


def test_swallowing_the_error_is_named():
    def dependency():
        try:
            yield
        except ValueError:
            pass

    def endpoint(value: Annotated[None, Depends(dependency)]):
        raise ValueError("x")

    with pytest.raises(FastAPIError, match="Response not awaited"):
        answer(endpoint)


def test_what_is_given_is_one_object_for_all():
    def below(response: Response, tasks: BackgroundTasks, request: Request):
        response.headers["x-below"] = "1"
        response.status_code = 202
        return response, tasks, request

    def endpoint(
        below: Annotated[Any, Depends(below)], response: Response, tasks: BackgroundTasks, request: Request
    ):
        return [below[0] is response, below[1] is tasks, below[2] is request]

    response = answer(endpoint)
    assert response.json() == [True, True, True]
    assert response.status_code == 202
    assert response.headers["x-below"] == "1"


def test_background_tasks_run_after_the_answer():
    log = []

    def endpoint(tasks: BackgroundTasks):
        tasks.add_task(log.append, "task")

    answer(endpoint)
    assert log == ["task"]


def test_a_websocket_parameter_of_an_http_route_is_left_out():
    def endpoint(request: Request, websocket: WebSocket = None):
        return websocket is None

    assert answer(endpoint).json() is True


def test_errors_of_dependencies_come_with_those_of_the_handler():
    def below(a: int): ...

    def endpoint(below: Annotated[None, Depends(below)], b: int): ...

    locations = [error["loc"] for error in answer(endpoint).json()["detail"]]
    assert locations == [["query", "a"], ["query", "b"]]


def test_overrides_replace_and_are_analysed_once():
    def real(a: int): ...

    def fake(b: int = 5):
        return b

    app = CovetPy()

    @app.get("/")
    def endpoint(value: Annotated[int, Depends(real)]):
        return value

    client = TestClient(app)
    assert client.get("/").status_code == 422
    app.dependency_overrides[real] = fake
    assert client.get("/").json() == 5
    assert client.get("/?b=6").json() == 6
    declared = app.routes[-1].dependant.dependencies[0]
    assert overriding_dependant(declared, fake) is overriding_dependant(declared, fake)
    app.dependency_overrides = {}
    assert client.get("/").status_code == 422


def test_the_memory_of_overrides_is_bounded():
    dependant = get_dependant(path="/", call=len.__class__)
    for _ in range(70):
        overriding_dependant(dependant, lambda: None)
    assert len(dependant.__dict__["_overriding"]) <= 64


@pytest.mark.parametrize("kind", ["plain", "async", "generator", "async generator"])
def test_a_limit_bounds_how_many_run_at_once(kind):
    running, peak = [], []

    def enter():
        running.append(1)
        peak.append(len(running))

    def plain():
        enter()
        running.pop()

    async def on_the_loop():
        enter()
        await anyio.sleep(0.01)
        running.pop()

    def generator():
        enter()
        yield
        running.pop()

    async def async_generator():
        enter()
        await anyio.sleep(0.01)
        yield
        running.pop()

    call = {"plain": plain, "async": on_the_loop, "generator": generator, "async generator": async_generator}[
        kind
    ]
    app = CovetPy()

    @app.get("/")
    async def endpoint(value: Annotated[Any, Depends(call, max_concurrency=1)]):
        return "done"

    async def ask():
        sent = []
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}

        async def receive():
            return {"type": "http.request"}

        async def send(message):
            sent.append(message)

        await app(scope, receive, send)
        assert sent[0]["status"] == 200

    async def main():
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(ask)

    anyio.run(main)
    assert max(peak) == 1
    assert len(peak) == 3


def solve(scope, call):
    async def main() -> SolvedDependency:
        async with AsyncExitStack() as stack:
            scope.update(fastapi_inner_astack=stack, fastapi_function_astack=stack)
            return await solve_dependencies(
                request=Request(scope),
                dependant=get_dependant(path="/", call=call),
                async_exit_stack=stack,
                embed_body_fields=False,
            )

    return anyio.run(main)


def test_dependencies_are_solved_without_a_server():
    def dependency():
        yield "value"

    def call(request: Request, value: Annotated[str, Depends(dependency)]): ...

    solved = solve({"type": "http", "headers": [], "query_string": b""}, call)
    assert solved.values["value"] == "value"
    assert isinstance(solved.values["request"], Request)
    assert solved.errors == []


def test_missing_exit_stacks_are_named():
    async def main():
        await solve_dependencies(
            request=Request({"type": "http"}),
            dependant=get_dependant(path="/", call=lambda: None),
            async_exit_stack=AsyncExitStack(),
            embed_body_fields=False,
        )

    with pytest.raises(AssertionError, match="fastapi_inner_astack not found in request scope"):
        anyio.run(main)


def test_cancelled_clean_up_of_an_async_generator_is_finished():
    log = []

    async def dependency():
        try:
            yield
        finally:
            await anyio.sleep(0)
            log.append("cleaned up")

    async def call(value: Annotated[None, Depends(dependency)]): ...

    async def main():
        with anyio.CancelScope() as scope:
            async with AsyncExitStack() as stack:
                inner = {"type": "http", "fastapi_inner_astack": stack, "fastapi_function_astack": stack}
                await solve_dependencies(
                    request=Request({**inner, "headers": [], "query_string": b""}),
                    dependant=get_dependant(path="/", call=call),
                    async_exit_stack=stack,
                    embed_body_fields=False,
                )
                scope.cancel()
                await anyio.sleep(0)

    anyio.run(main)
    assert log == ["cleaned up"]


def test_a_dependency_may_install_an_override_for_those_after_it():
    app = CovetPy()

    def real():
        return "real"

    def installs():
        app.dependency_overrides[real] = lambda: "fake"
        yield

    async def ask_python(value: Annotated[None, Depends(installs)], text: Annotated[str, Depends(real)]): ...

    async def main():
        async with AsyncExitStack() as stack:
            scope = {"type": "http", "headers": [], "query_string": b""}
            scope |= {"fastapi_inner_astack": stack, "fastapi_function_astack": stack}
            return await solve_dependencies(
                request=Request(scope),
                dependant=get_dependant(path="/", call=ask_python),
                dependency_overrides_provider=app,
                async_exit_stack=stack,
                embed_body_fields=False,
            )

    assert anyio.run(main).values["text"] == "fake"
