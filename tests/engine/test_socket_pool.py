"""`def` handlers in the pool: real threads that persist, anyio's token, many that block, few that run."""

import threading
import time
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread

POOL = 1
NUMBER_IN_PATH = ((0, "number", 1),)


def together(server: Any, paths: list[str]) -> list[Any]:
    """Ask for all paths at once."""
    answers: list[Any] = [None] * len(paths)

    def ask(place: int) -> None:
        answers[place] = server.get(paths[place])

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(len(paths))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return answers


def test_threads_are_pythons_and_keep_their_locals(serve: Any, app: Any) -> None:
    local = threading.local()

    def count() -> Any:
        local.count = getattr(local, "count", 0) + 1
        thread = threading.current_thread()
        return [local.count, thread.name.startswith("covet-"), isinstance(thread, threading._DummyThread)]

    app.add("/", count, POOL)
    server = serve(app, threads=1)
    assert [server.get("/")[1] for _ in range(3)] == [b"[1,true,false]", b"[2,true,false]", b"[3,true,false]"]


def test_from_thread_reaches_the_loop(serve: Any, app: Any) -> None:
    async def double(number: int) -> int:
        await anyio.sleep(0)
        return number * 2

    def handler(number: int) -> Any:
        loop_thread = anyio.from_thread.run_sync(threading.get_ident)
        return [anyio.from_thread.run(double, number), loop_thread != threading.get_ident()]

    app.add("/{number}", handler, POOL, params=NUMBER_IN_PATH)
    assert serve(app).get("/21") == (200, b"[42,true]")


def test_forty_handlers_block_at_once(serve: Any, app: Any) -> None:
    everybody = threading.Barrier(40)

    def handler() -> Any:
        everybody.wait(10)
        return 1

    app.add("/", handler, POOL)
    assert together(serve(app), ["/"] * 40) == [(200, b"1")] * 40


def test_the_loop_turns_while_all_threads_block(serve: Any, app: Any) -> None:
    blocked = threading.Event()

    def handler() -> Any:
        return blocked.wait(10)

    async def fine() -> Any:
        return 1

    app.add("/block", handler, POOL)
    app.add("/fine", fine)
    server = serve(app, threads=2)
    threads = [threading.Thread(target=server.get, args=("/block",)) for _ in range(5)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    assert server.get("/fine") == (200, b"1")
    blocked.set()
    for thread in threads:
        thread.join(10)


def test_the_limiter_of_anyio_sets_the_number_of_threads(serve: Any, app: Any) -> None:
    running, most, lock = [0], [0], threading.Lock()

    def handler() -> Any:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.02)
        with lock:
            running[0] -= 1
        return 1

    async def limit() -> Any:
        anyio.to_thread.current_default_thread_limiter().total_tokens = 3
        return 1

    app.add("/limit", limit)
    app.add("/", handler, POOL)
    server = serve(app)
    server.get("/limit")
    assert together(server, ["/"] * 20) == [(200, b"1")] * 20
    assert 1 <= most[0] <= 3


def test_short_jobs_share_few_threads(serve: Any, app: Any) -> None:
    names: set[str] = set()

    def handler() -> Any:
        names.add(threading.current_thread().name)
        return 1

    app.add("/", handler, POOL)
    server = serve(app)
    for _ in range(50):
        assert server.get("/") == (200, b"1")
    assert len(names) <= 3


def test_a_base_exception_in_a_thread_does_not_end_it(serve: Any, app: Any) -> None:
    def leave() -> Any:
        raise GeneratorExit

    def fine() -> Any:
        return 1

    app.add("/leave", leave, POOL)
    app.add("/fine", fine, POOL)
    server = serve(app, threads=1)
    assert server.get("/leave")[0] == 500
    assert server.get("/fine") == (200, b"1")


def test_threads_end_with_the_server(serve: Any, app: Any) -> None:
    def fine() -> Any:
        return threading.current_thread().name

    app.add("/", fine, POOL)
    server = serve(app)
    server.get("/")
    mine = [thread for thread in threading.enumerate() if thread.name.startswith("covet-")]
    server.close()
    for thread in mine:
        thread.join(5)
    assert not any(thread.is_alive() for thread in mine)


def test_system_exit_in_a_thread_is_told_after_the_answer(serve: Any, app: Any) -> None:
    def leave() -> Any:
        raise SystemExit(4)

    app.add("/", leave, POOL)
    server = serve(app)
    assert server.get("/")[0] == 500
    assert [error.code for error in server.fatal] == [4]
