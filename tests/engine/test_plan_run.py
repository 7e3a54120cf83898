"""A plan's awaitable behaves as a coroutine: scopes, cancellation, errors, collection; asyncio and trio."""

import asyncio
import collections.abc
import contextvars
import functools
import gc
import inspect
import sys
import traceback
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
import trio

from covet._engine import Plan

ASYNC, POOL, INLINE = 0, 1, 2
Call = tuple[Callable[..., Any], int, tuple[str, ...], tuple[int, ...], bool]


class Host:
    """Answers into lists; runs pool jobs in a worker thread through anyio."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, list[tuple[bytes, bytes]], bytes]] = []
        self.errors: list[BaseException] = []
        self.requests = 0
        self.after: Callable[[], Awaitable[None]] | None = None

    def request(self) -> str:
        self.requests += 1
        return "the request"

    def run_sync(self, job: Callable[[], Any]) -> Awaitable[Any]:
        return anyio.to_thread.run_sync(job)

    def deliver(self, status: int, headers: Any, framed: bool, body: bytes, background: Any) -> Any:
        self.answers.append((status, headers, body))
        return self.after() if self.after else None

    def deliver_object(self, response: Any) -> Any:
        raise AssertionError("no response objects here")

    def failed(self, error: Exception) -> Any:
        self.errors.append(error)

    # For `Plan.complete`.
    def drive(self, awaitable: Any) -> Any:
        self.drives = getattr(self, "drives", 0) + 1

        async def main() -> Any:
            return await awaitable

        return asyncio.run(main())

    def work(self, job: Callable[[], Any]) -> Any:
        self.works = getattr(self, "works", 0) + 1
        return job()


def plan_of(*calls: Call, params: int = 0) -> Plan:
    declared = tuple((1, f"p{index}", 0, None, True, None, 0) for index in range(params))
    return Plan((declared, calls, None, (0, None, None, "application/json", None, dict), 0))


def chain(*functions: Callable[..., Any]) -> Plan:
    """Return a plan where each function takes the result of the one before it."""
    calls: list[Call] = []
    for index, function in enumerate(functions):
        kind = ASYNC if inspect.iscoroutinefunction(function) else POOL
        names = ("before",) if index else ()
        calls.append((function, kind, names, (index,) if index else (), False))
    return plan_of(*calls)


def run_asyncio(awaitable: Awaitable[Any]) -> Any:
    async def main() -> Any:
        return await awaitable

    return asyncio.run(main())


def run_trio(awaitable: Awaitable[Any]) -> Any:
    async def main() -> Any:
        return await awaitable

    return trio.run(main)


@pytest.fixture(params=[run_asyncio, run_trio], ids=["asyncio", "trio"])
def run(request: pytest.FixtureRequest) -> Callable[[Awaitable[Any]], Any]:
    return request.param  # type: ignore[no-any-return]


Run = Callable[[Awaitable[Any]], Any]


def test_calls_run_in_order_and_pass_their_results_on(run: Run) -> None:
    async def first() -> int:
        await anyio.sleep(0)
        return 1

    def second(before: int) -> int:
        return before + 1

    async def third(before: int) -> dict[str, int]:
        await anyio.sleep(0)
        return {"value": before}

    host = Host()
    assert run(chain(first, second, third).run((), host)) is None
    assert host.answers == [(200, [(b"content-type", b"application/json")], b'{"value":2}')]


def test_the_answer_goes_on_in_the_same_task(run: Run) -> None:
    async def endpoint() -> int:
        await anyio.sleep(0)
        tasks.append(anyio.get_current_task().id)
        return 1

    async def after() -> None:
        await anyio.sleep(0)
        tasks.append(anyio.get_current_task().id)

    tasks: list[int] = []
    host = Host()
    host.after = after
    run(chain(endpoint).run((), host))
    assert len(tasks) == 2
    assert len(set(tasks)) == 1


def test_an_exception_goes_to_the_host_with_its_traceback(run: Run) -> None:
    async def deep() -> None:
        await anyio.sleep(0)
        raise LookupError("mine")

    async def endpoint() -> None:
        await deep()

    host = Host()
    run(chain(endpoint).run((), host))
    (error,) = host.errors
    assert isinstance(error, LookupError)
    assert [frame.name for frame in traceback.extract_tb(error.__traceback__)][-2:] == ["endpoint", "deep"]


def test_an_exception_of_a_call_stops_the_calls_after_it(run: Run) -> None:
    called = []

    def first() -> None:
        raise ValueError("first")

    async def second(before: None) -> None:
        called.append(before)

    host = Host()
    run(chain(first, second).run((), host))
    assert [str(error) for error in host.errors] == ["first"]
    assert not called


def test_a_bare_base_exception_leaves_the_run() -> None:
    async def endpoint() -> None:
        await asyncio.sleep(0)
        raise KeyboardInterrupt("stop")

    host = Host()
    running = chain(endpoint).run((), host)
    running.send(None)
    with pytest.raises(KeyboardInterrupt):
        running.send(None)
    assert not host.errors


@pytest.mark.parametrize("kind", [ASYNC, INLINE, POOL])
def test_stop_iteration_of_user_code_is_a_runtime_error(run: Run, kind: int) -> None:
    async def leaving() -> None:
        raise StopIteration(5)

    def stopping() -> None:
        raise StopIteration(5)

    class NowHost(Host):
        async def run_sync(self, job: Callable[[], Any]) -> Any:
            return job()

    host = NowHost()
    run(plan_of((leaving if kind == ASYNC else stopping, kind, (), (), False)).run((), host))
    (error,) = host.errors
    assert isinstance(error, RuntimeError)
    assert "StopIteration" in str(error)


@pytest.mark.parametrize("result", [(1, 2), (), ValueError("a value"), StopIteration(3), None], ids=repr)
def test_any_object_is_a_result(run: Run, result: Any) -> None:
    async def first() -> Any:
        await anyio.sleep(0)
        return result

    async def endpoint(before: Any) -> bool:
        return before is result

    host = Host()
    run(chain(first, endpoint).run((), host))
    assert host.answers[0][2] == b"true"


def test_asyncio_timeout_fires_inside_a_call_and_around_the_run() -> None:
    async def patient() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(30)
        except TimeoutError:
            return "inside"
        return "never"

    async def slow(before: str) -> None:
        seen.append(before)
        await asyncio.sleep(30)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await chain(patient, slow).run((), host)

    seen: list[str] = []
    host = Host()
    asyncio.run(main())
    assert seen == ["inside"]
    assert not host.errors


def test_task_groups_work_inside_a_call() -> None:
    async def endpoint() -> list[int]:
        async def child(number: int) -> int:
            await asyncio.sleep(0)
            return number

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(child(number)) for number in range(3)]
        return [task.result() for task in tasks]

    host = Host()
    run_asyncio(chain(endpoint).run((), host))
    assert host.answers[0][2] == b"[0,1,2]"


def test_cancelling_the_task_reaches_the_call_that_waits() -> None:
    log = []

    async def first() -> None:
        await asyncio.sleep(0)

    async def waiting(before: None) -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            log.append("cancelled")
            raise
        finally:
            await asyncio.sleep(0)
            log.append("cleaned")

    async def main() -> None:
        task = asyncio.create_task(chain(first, waiting).run((), Host()))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    asyncio.run(main())
    assert log == ["cancelled", "cleaned"]


def test_a_swallowed_cancellation_lets_the_run_go_on() -> None:
    async def stubborn() -> str:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            return "stayed"
        return "never"

    async def main() -> None:
        task = asyncio.create_task(chain(stubborn).run((), host))
        await asyncio.sleep(0)
        task.cancel()
        await task

    host = Host()
    asyncio.run(main())
    assert host.answers[0][2] == b'"stayed"'


def test_an_anyio_scope_cancels_the_run(run: Run) -> None:
    async def endpoint() -> None:
        try:
            await anyio.sleep(30)
        finally:
            log.append("left")

    async def main() -> None:
        with anyio.move_on_after(0.01) as scope:
            await chain(endpoint).run((), host)
        log.append(scope.cancelled_caught)

    log: list[Any] = []
    host = Host()
    run(main())
    assert log == ["left", True]
    assert not host.errors


def test_a_scope_opened_in_one_call_holds_for_the_next(run: Run) -> None:
    scopes = []

    async def opening() -> anyio.CancelScope:
        scope = anyio.CancelScope()
        scope.__enter__()
        scopes.append(scope)
        return scope

    async def endpoint(before: anyio.CancelScope) -> bool:
        await anyio.sleep(0)
        before.cancel()
        try:
            await anyio.sleep(30)
        except anyio.get_cancelled_exc_class() as error:
            return before.__exit__(type(error), error, error.__traceback__)
        return False

    host = Host()
    run(chain(opening, endpoint).run((), host))
    assert host.answers[0][2] == b"true"


def test_context_variables_pass_between_calls_of_one_task(run: Run) -> None:
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name", default="none")

    async def setting() -> None:
        name.set("set")
        await anyio.sleep(0)

    def in_pool(before: None) -> str:
        return name.get()

    async def endpoint(before: str) -> list[str]:
        return [before, name.get()]

    host = Host()
    run(chain(setting, in_pool, endpoint).run((), host))
    assert host.answers[0][2] == b'["set","set"]'


def test_exc_info_is_that_of_the_call(run: Run) -> None:
    async def first() -> None:
        try:
            raise KeyError("inner")
        except KeyError:
            await anyio.sleep(0)
            seen.append(sys.exc_info()[0])

    async def endpoint(before: None) -> None:
        seen.append(sys.exc_info()[0])

    seen: list[Any] = []
    run(chain(first, endpoint).run((), Host()))
    assert seen == [KeyError, None]


def test_throw_goes_to_the_call_that_waits() -> None:
    async def endpoint() -> str:
        try:
            await anyio.sleep(0)
        except ZeroDivisionError as error:
            return str(error)
        return "never"

    async def main() -> None:
        running = chain(endpoint).run((), host)
        running.send(None)
        with pytest.raises(StopIteration):
            running.throw(ZeroDivisionError("thrown"))

    host = Host()
    asyncio.run(main())
    assert host.answers[0][2] == b'"thrown"'


def test_throw_before_the_first_step_ends_the_run() -> None:
    called = []

    async def endpoint() -> None:
        called.append(1)

    running = chain(endpoint).run((), Host())
    with pytest.raises(asyncio.CancelledError):
        running.throw(asyncio.CancelledError())
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        running.send(None)
    assert not called


def test_close_runs_finally_blocks_and_is_final() -> None:
    log = []

    async def endpoint() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            log.append("closed")

    async def main() -> None:
        running = chain(endpoint).run((), Host())
        running.send(None)
        running.close()
        running.close()
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            running.send(None)

    asyncio.run(main())
    assert log == ["closed"]


def test_a_run_that_was_never_awaited_closes_silently() -> None:
    chain(test_a_run_that_was_never_awaited_closes_silently).run((), Host()).close()


def test_a_forgotten_run_is_collected_with_its_cycle() -> None:
    log = []

    class Holder:
        pass

    async def endpoint(holder: Any) -> None:
        try:
            await asyncio.sleep(30)
        finally:
            log.append("collected")

    async def main() -> None:
        holder: Any = Holder()
        running = plan_of((endpoint, ASYNC, ("holder",), (0,), False), params=1).run((holder,), Host())
        holder.running = running
        running.send(None)
        seen.append(weakref.ref(holder))

    seen: list[weakref.ref[Any]] = []
    asyncio.run(main())
    gc.collect()
    assert seen[0]() is None
    assert log == ["collected"]


def test_a_step_inside_a_step_is_refused() -> None:
    async def endpoint() -> None:
        try:
            running.send(None)
        except ValueError as error:
            seen.append(str(error))

    seen: list[str] = []
    running = chain(endpoint).run((), Host())
    with pytest.raises(StopIteration):
        running.send(None)
    assert seen == ["coroutine already executing"]


def test_a_value_cannot_be_sent_before_the_first_step() -> None:
    async def endpoint() -> int:
        return 1

    host = Host()
    running = chain(endpoint).run((), host)
    with pytest.raises(TypeError, match="just-started coroutine"):
        running.send(1)
    with pytest.raises(StopIteration):
        running.send(None)
    assert host.answers


def test_it_looks_like_the_endpoints_coroutine() -> None:
    async def first() -> None:
        await asyncio.sleep(0)

    async def endpoint(before: None) -> None: ...

    async def main() -> None:
        running = chain(first, endpoint).run((), Host())
        assert isinstance(running, collections.abc.Coroutine)
        assert asyncio.iscoroutine(running)
        assert inspect.isawaitable(running)
        assert running.__name__ == "endpoint"
        assert running.__qualname__ == endpoint.__qualname__
        assert running.cr_code is endpoint.__code__
        assert (running.cr_running, running.cr_suspended, running.cr_await, running.cr_frame) == (
            False,
            False,
            None,
            None,
        )
        running.send(None)
        assert running.cr_suspended
        assert running.cr_await.__name__ == "first"
        assert running.cr_frame.f_code is first.__code__
        running.close()

    asyncio.run(main())


def test_task_dumps_show_the_frame_that_waits() -> None:
    async def endpoint() -> None:
        await asyncio.sleep(30)

    async def main() -> None:
        task = asyncio.create_task(chain(endpoint).run((), Host()))
        await asyncio.sleep(0)
        assert [frame.f_code for frame in task.get_stack()] == [endpoint.__code__]
        assert "endpoint" in repr(task)
        task.cancel()

    asyncio.run(main())


def test_any_awaitable_can_be_the_result_of_an_async_call(run: Run) -> None:
    class Later:
        def __await__(self) -> Any:
            yield from anyio.sleep(0).__await__()
            return "later"

    host = Host()
    run(plan_of((Later, ASYNC, (), (), False)).run((), host))
    assert host.answers[0][2] == b'"later"'


def test_what_cannot_be_awaited_is_an_error_of_the_call(run: Run) -> None:
    host = Host()
    run(plan_of((functools.partial(int), ASYNC, (), (), False)).run((), host))
    (error,) = host.errors
    assert str(error) == "object int can't be used in 'await' expression"


def test_a_plan_of_inline_calls_needs_no_task() -> None:
    host = Host()
    calls = ((lambda: 1, INLINE, (), (), False), (lambda before: [before], INLINE, ("before",), (1,), False))
    assert plan_of(*calls).complete((), host) is None
    assert host.answers[0][2] == b"[1]"
    assert not hasattr(host, "drives")


def test_leading_pool_calls_need_no_task_and_a_last_coroutine_is_the_users_own() -> None:
    class Watching(Host):
        def drive(self, awaitable: Any) -> Any:
            self.driven = awaitable
            return super().drive(awaitable)

    def first() -> int:
        return 1

    def second(before: int) -> int:
        return before + 1

    async def endpoint(before: int) -> int:
        return before + 1

    host = Watching()
    chain(first, second, endpoint).complete((), host)
    assert host.answers[0][2] == b"3"
    assert (host.works, host.drives) == (2, 1)
    assert inspect.iscoroutine(host.driven)


def test_the_request_is_made_only_when_a_call_asks_for_it() -> None:
    host = Host()
    plan_of((lambda: 1, INLINE, (), (), False)).complete((), host)
    assert host.requests == 0
    plan_of((lambda request: request, INLINE, ("request",), (-1,), False)).complete((), host)
    assert host.answers[-1][2] == b'"the request"'
    assert host.requests == 1


def test_many_arguments_arrive_by_name() -> None:
    names = tuple(f"a{index}" for index in range(30))
    plan = plan_of((lambda **values: values, INLINE, names, tuple(range(30)), False), params=30)
    host = Host()
    plan.complete(tuple(range(30)), host)
    assert host.answers[0][2] == ("{" + ",".join(f'"a{index}":{index}' for index in range(30)) + "}").encode()
