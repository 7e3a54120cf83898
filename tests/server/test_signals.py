"""What a serving process does with signals."""

import asyncio
import signal

import pytest

from covet.server.signals import StopSignal


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_signal_wakes_the_loop_whenever_it_comes(loop):
    factory = asyncio.new_event_loop if loop == "asyncio" else pytest.importorskip("uvloop").new_event_loop
    stop = StopSignal(supervised=False, on_stop=lambda: None)

    async def main():
        stop.attach(asyncio.get_running_loop())
        wakes = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(wakes)
        return wakes

    with asyncio.Runner(loop_factory=factory) as runner:
        assert runner.run(main()) != -1
    stop.detach()
    assert signal.set_wakeup_fd(-1) == -1
