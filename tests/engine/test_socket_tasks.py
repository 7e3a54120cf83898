"""Handlers run in real tasks: timeouts, groups, scopes, contextvars, factories, the end of the process."""

import asyncio
import contextvars
import threading
import weakref
from typing import Any

import anyio
import pytest
import sniffio

NUMBER_IN_PATH = ((0, "number", 1),)
variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=0)


def test_the_current_task_is_the_same_across_awaits(serve: Any, app: Any) -> None:
    async def handler() -> Any:
        before = asyncio.current_task()
        await asyncio.sleep(0.001)
        return before is not None and before is asyncio.current_task()

    app.add("/", handler)
    assert serve(app).get("/") == (200, b"true")


def test_timeouts_groups_and_scopes_work_from_the_first_step(serve: Any, app: Any) -> None:
    async def timeout() -> Any:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(5)
        except TimeoutError:
            return "timeout"

    async def group() -> Any:
        async with asyncio.TaskGroup() as tasks:
            one, two = tasks.create_task(asyncio.sleep(0, 1)), tasks.create_task(asyncio.sleep(0, 2))
        return one.result() + two.result()

    async def scope() -> Any:
        with anyio.move_on_after(0.01) as scope:
            await anyio.sleep(5)
        return [scope.cancelled_caught, sniffio.current_async_library()]

    for path, handler in {"/timeout": timeout, "/group": group, "/scope": scope}.items():
        app.add(path, handler)
    server = serve(app)
    assert server.get("/timeout") == (200, b'"timeout"')
    assert server.get("/group") == (200, b"3")
    assert server.get("/scope") == (200, b'[true,"asyncio"]')


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_contextvars_do_not_leak_between_requests(serve: Any, app: Any, kind: int) -> None:
    async def awaited(number: int) -> Any:
        before = variable.get()
        variable.set(number)
        await asyncio.sleep(0)
        return [before, variable.get()]

    def called(number: int) -> Any:
        before = variable.get()
        variable.set(number)
        return [before, variable.get()]

    app.add("/{number}", called if kind else awaited, kind, params=NUMBER_IN_PATH)
    server = serve(app)
    assert [server.get(f"/{number}")[1] for number in (1, 2)] == [b"[0,1]", b"[0,2]"]


def test_an_idle_server_keeps_nothing_of_the_last_request(serve: Any, app: Any) -> None:
    class Session:
        """What a request keeps in its context."""

    held: contextvars.ContextVar[Session] = contextvars.ContextVar("held")
    dead = threading.Event()

    async def handler() -> Any:
        session = Session()
        weakref.finalize(session, dead.set)
        held.set(session)
        return "held"

    app.add("/", handler)
    assert serve(app).get("/") == (200, b'"held"')
    assert dead.wait(5)


def test_a_task_factory_is_used(serve: Any, app: Any) -> None:
    made: list[Any] = []

    def factory(loop: Any, coroutine: Any, **kwargs: Any) -> Any:
        made.append(asyncio.Task(coroutine, loop=loop, **kwargs))
        return made[-1]

    async def handler() -> Any:
        return asyncio.current_task() is made[-1]

    app.add("/", handler)
    server = serve(app)
    server.on_loop(lambda: server.loop.set_task_factory(factory))
    assert server.get("/") == (200, b"true")
    server.on_loop(lambda: server.loop.set_task_factory(None))
    assert server.get("/") == (200, b"false")


def test_cancelling_the_own_task_is_not_the_servers_end(
    serve: Any, app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def handler() -> Any:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(1)

    async def fine() -> Any:
        return 1

    app.add("/cancel", handler)
    app.add("/fine", fine)
    server = serve(app)
    assert server.get("/cancel")[0] == 500
    assert server.get("/fine") == (200, b"1")


def test_system_exit_is_told_after_the_answer(serve: Any, app: Any) -> None:
    async def leave() -> Any:
        raise SystemExit(3)

    async def fine() -> Any:
        return 1

    app.add("/leave", leave)
    app.add("/fine", fine)
    server = serve(app)
    assert server.get("/leave")[0] == 500
    assert [error.code for error in server.fatal] == [3]
    assert server.get("/fine") == (200, b"1")


def test_a_handler_may_ask_the_own_server(serve: Any, app: Any) -> None:
    async def outer(request: Any) -> Any:
        host, port = request.scope["server"]
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET /inner HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return answer.endswith(b"1")

    async def inner() -> Any:
        return 1

    app.add("/outer", outer)
    app.add("/inner", inner)
    assert serve(app).get("/outer") == (200, b"true")


def test_a_handler_may_drain_the_own_server(serve: Any, app: Any) -> None:
    async def stop() -> Any:
        server.server.drain(5)
        return server.server.in_progress

    app.add("/stop", stop)
    server = serve(app)
    assert server.get("/stop") == (200, b"1")
    assert server.drained.wait(5)


def test_many_slow_requests_overlap(serve: Any, app: Any) -> None:
    async def slow(number: int) -> Any:
        await asyncio.sleep(0.2)
        return number

    app.add("/{number}", slow, params=NUMBER_IN_PATH)
    server = serve(app)
    results: dict[int, Any] = {}

    def ask(number: int) -> None:
        results[number] = server.get(f"/{number}")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert results == {number: (200, b"%d" % number) for number in range(20)}
    assert server.on_loop(lambda: server.server.in_progress) == 0


def test_a_handler_may_close_the_own_server(serve: Any, app: Any) -> None:
    async def close() -> Any:
        server.server.close()
        return 1

    app.add("/close", close)
    server = serve(app)
    with server.connect() as connection:
        connection.sendall(b"GET /close HTTP/1.1\r\nhost: a\r\n\r\n")
        received = b""
        while piece := connection.recv(100):
            received += piece
    assert received.endswith(b"\r\n\r\n1")
    assert server.on_loop(lambda: server.server.connections) == 0
