"""The server's half of the lifespan protocol."""

import asyncio

import pytest

from covet.server.lifespan import Lifespan, LifespanError


def run(app, mode="auto"):
    async def main():
        lifespan = Lifespan(app, mode)
        await lifespan.startup()
        await lifespan.shutdown()
        return lifespan.state

    return asyncio.run(main())


async def good(scope, receive, send):
    assert (await receive())["type"] == "lifespan.startup"
    scope["state"]["key"] = "value"
    await send({"type": "lifespan.startup.complete"})
    assert (await receive())["type"] == "lifespan.shutdown"
    await send({"type": "lifespan.shutdown.complete"})


async def ignorant(scope, receive, send):
    raise NotImplementedError(scope["type"])


def test_state_is_kept():
    assert run(good) == {"key": "value"}


def test_an_application_without_lifespan_is_served_in_auto_mode():
    assert run(ignorant) == {}


def test_it_must_speak_the_protocol_when_it_is_on():
    with pytest.raises(LifespanError) as error:
        run(ignorant, "on")
    assert isinstance(error.value.__cause__, NotImplementedError)


def test_off_asks_nothing():
    assert run(ignorant, "off") == {}


def test_a_failed_shutdown_is_reported():
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        raise RuntimeError("cannot close")

    with pytest.raises(LifespanError) as error:
        run(app)
    assert isinstance(error.value.__cause__, RuntimeError)


def test_a_shutdown_that_says_it_failed_is_reported():
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.failed", "message": "cannot close"})

    with pytest.raises(LifespanError, match="cannot close"):
        run(app)


def test_start_up_and_shutdown_run_in_one_task():
    tasks = []

    async def app(scope, receive, send):
        await receive()
        tasks.append(asyncio.current_task())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        tasks.append(asyncio.current_task())
        await send({"type": "lifespan.shutdown.complete"})

    run(app)
    assert tasks[0] is tasks[1]
