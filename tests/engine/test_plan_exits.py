"""Generator dependencies of native plans: closed after the answer, on errors and on cancellation."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import pytest

from covet._engine import Plan
from covet.dependencies.exits import EXITS, opener

ASYNC = 0
log: list[str] = []


class Host:
    """Notes when the answer is made."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []

    def run_sync(self, job: Callable[[], Any]) -> Any:
        return anyio.to_thread.run_sync(job)

    def deliver(self, *answer: Any) -> None:
        log.append(f"answer {answer[3].decode()}")

    def failed(self, error: Exception) -> None:
        log.append(f"failed {error!r}")


@pytest.fixture(autouse=True)
def empty_log() -> None:
    log.clear()


def run_of(
    generator: Callable[..., Any], endpoint: Callable[..., Any], *, function_scope: bool = False
) -> Any:
    """Return the run of a plan whose handler is given what the generator yields."""
    calls = (
        (opener(generator, function_scope=function_scope), ASYNC, (EXITS,), (-5,), False),
        (endpoint, ASYNC, ("value",), (1,), False),
    )
    return Plan(((), calls, None, (0, None, None, "application/json", None, dict), 2)).run((), Host())


async def generator() -> AsyncIterator[int]:
    log.append("open")
    try:
        yield 1
    except BaseException as error:
        log.append(f"saw {type(error).__name__}")
        raise
    finally:
        await asyncio.sleep(0)
        log.append("closed")


def blocking() -> Iterator[int]:
    log.append("open")
    yield 2
    log.append("closed")


async def endpoint(value: int) -> int:
    await asyncio.sleep(0)
    return value


async def main(run: Any) -> None:
    await run


@pytest.mark.parametrize(("make", "value"), [(generator, 1), (blocking, 2)])
@pytest.mark.parametrize("function_scope", [False, True])
def test_a_generator_is_closed_after_the_answer_or_before_it(
    make: Callable[..., Any], value: int, function_scope: bool
) -> None:
    asyncio.run(main(run_of(make, endpoint, function_scope=function_scope)))
    end = ["closed", f"answer {value}"] if function_scope else [f"answer {value}", "closed"]
    assert log == ["open", *end]


def test_an_error_of_the_handler_is_seen_at_the_yield_and_then_answered() -> None:
    async def failing(value: int) -> None:
        raise LookupError("mine")

    asyncio.run(main(run_of(generator, failing)))
    assert log == ["open", "saw LookupError", "closed", "failed LookupError('mine')"]


def test_a_cancelled_run_closes_its_generators() -> None:
    async def waiting(value: int) -> None:
        await asyncio.sleep(30)

    async def cancelled() -> None:
        task = asyncio.create_task(run_of(generator, waiting))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert log == ["open", "saw CancelledError", "closed"]


def test_an_error_after_the_answer_leaves_the_run() -> None:
    async def breaking() -> AsyncIterator[int]:
        yield 1
        raise LookupError("too late")

    with pytest.raises(LookupError, match="too late"):
        asyncio.run(main(run_of(breaking, endpoint)))
    assert log == ["answer 1"]


def test_a_swallowed_error_is_an_error_of_the_application() -> None:
    async def swallowing() -> AsyncIterator[int]:
        try:
            yield 1
        except LookupError:
            log.append("swallowed")

    async def failing(value: int) -> None:
        raise LookupError

    asyncio.run(main(run_of(swallowing, failing)))
    assert log[0] == "swallowed"
    assert "Response not awaited" in log[1]


def test_a_run_with_generators_looks_like_a_coroutine() -> None:
    async def look() -> None:
        run = run_of(generator, endpoint)
        assert asyncio.iscoroutine(run)
        assert run.__name__ == "endpoint"
        assert inspect.iscoroutine(run.cr_await)
        run.close()

    asyncio.run(look())
    assert log == []
