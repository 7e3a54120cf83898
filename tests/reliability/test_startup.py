"""A stop in the middle of the start: whatever has started is shut down, and nobody hangs."""

import random
import time

import pytest

STARTS = """
import asyncio, os, signal
from contextlib import asynccontextmanager
from covet import CovetPy

@asynccontextmanager
async def lifespan(app):
    await asyncio.sleep(0.02)
    print("lifespan started", flush=True)
    yield
    print("lifespan ended", flush=True)

app = CovetPy(lifespan=lifespan)
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_stop_while_the_second_worker_starts(serve, tmp_path, loop):
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    (tmp_path / "starts.py").write_text(STARTS)
    moments = random.Random(loop)
    for _ in range(6):
        server = serve("starts:app", "--workers", "2", "--loop", loop)
        time.sleep(moments.uniform(0, 0.2))
        stopped = time.monotonic()
        assert server.stop() == 0, server.output
        assert time.monotonic() - stopped < 4, server.output
        assert server.output.count("lifespan started") == server.output.count("lifespan ended")
        assert "error" not in server.output, server.output
