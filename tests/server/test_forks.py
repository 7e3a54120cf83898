"""Processes that an application forks: they end when they are told to, and the server is not disturbed."""

import os
import signal

import pytest

SOURCE = """
import multiprocessing, os, time
from covet import CovetPy

app = CovetPy()
processes = multiprocessing.get_context("fork")

def spin():
    print("spinning", os.getpid(), flush=True)
    while True:
        time.sleep(0.01)

@app.get("/terminated")
async def terminated():
    return run()

@app.get("/thread")
def thread():
    return run()

def run():
    child = processes.Process(target=spin)
    child.start()
    time.sleep(0.2)
    child.terminate()
    child.join(2)
    try:
        return child.exitcode
    finally:
        child.kill()

@app.get("/left")
async def left():
    processes.Process(target=spin, daemon=True).start()
    return os.getpid()
"""


@pytest.fixture
def serve_forks(serve, tmp_path):
    (tmp_path / "forks.py").write_text(SOURCE)
    return lambda *flags: serve("forks:app", *flags)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("path", ["/terminated", "/thread"])
def test_a_forked_child_can_be_terminated(serve_forks, workers, loop, path):
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    server = serve_forks("--workers", workers, "--loop", loop)
    assert server.get(path) == str(-signal.SIGTERM)
    assert server.stop() == 0
    assert "stopping" in server.output


def test_ctrl_c_for_the_whole_group_is_the_servers(serve_forks):
    server = serve_forks()
    server.get("/left")
    server.wait_for(r"spinning (\d+)")
    os.killpg(server.pid, signal.SIGINT)
    assert server.wait() == 0
    assert "Traceback" not in server.output
