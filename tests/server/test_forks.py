"""Processes that an application forks: they end when they are told to, and the server is not disturbed."""

import os
import signal

import pytest

SOURCE = """
import asyncio, multiprocessing, os, sys, time
from contextlib import asynccontextmanager
from covet import CovetPy

@asynccontextmanager
async def lifespan(app):
    yield
    print("lifespan ended", flush=True)

app = CovetPy(lifespan=lifespan)
processes = multiprocessing.get_context("fork")

def spin():
    os.write(1, b"spinning\\n")
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

@app.get("/returns")
async def returns():
    return os.fork()

@app.get("/later")
async def later():
    pid = os.fork()
    await asyncio.sleep(0)
    return pid

@app.get("/returns-in-thread")
def returns_in_thread():
    return os.fork()

@app.get("/exits")
async def exits():
    pid = os.fork()
    if pid == 0:
        print("the child says so", flush=True)
        sys.exit(5)
    return pid

@app.get("/fails")
async def fails():
    pid = os.fork()
    if pid == 0:
        os.execv("/nowhere/at/all", ["all"])
    return pid

@app.get("/reap/{pid}")
async def reap(pid: int):
    for _ in range(200):
        gone, status = os.waitpid(pid, os.WNOHANG)
        if gone:
            return os.waitstatus_to_exitcode(status)
        await asyncio.sleep(0.01)
    os.kill(pid, 9)
    return "it lived on"

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
    server.wait_for("spinning")
    os.killpg(server.pid, signal.SIGINT)
    assert server.wait() == 0
    assert "Traceback" not in server.output


ENDS = {"/returns": "1", "/later": "1", "/returns-in-thread": "1", "/exits": "5", "/fails": "1"}


@pytest.mark.parametrize("path", ENDS)
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_forked_child_that_comes_back_is_ended_and_disturbs_nobody(serve_forks, loop, path):
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    server = serve_forks("--loop", loop)
    connection = server.connect()
    connection.request("GET", path)
    pid = int(connection.getresponse().read())
    assert pid > 0
    assert server.get(f"/reap/{pid}") == ENDS[path]
    # Nothing else came over the connection, and it is still good.
    connection.request("GET", "/reap/1")
    assert connection.getresponse().status == 500
    connection.close()
    assert server.stop() == 0
    assert server.output.count("lifespan ended") == 1
    assert ("os._exit()" in server.output) == (path != "/exits")
