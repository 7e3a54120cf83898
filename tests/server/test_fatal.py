"""A handler that ends the process: others are finished, the lifespan is shut down, its exit code counts."""

import http.client
import threading
import time

import pytest

SOURCE = """
import asyncio, sys
from contextlib import asynccontextmanager
from covet import BackgroundTasks, CovetPy
from covet.responses import StreamingResponse

@asynccontextmanager
async def lifespan(app):
    yield
    print("lifespan ended", flush=True)

app = CovetPy(lifespan=lifespan)

@app.get("/at-once")
async def at_once():
    sys.exit(7)

@app.get("/later")
async def later():
    await asyncio.sleep(0.01)
    sys.exit(7)

@app.get("/thread")
def thread():
    sys.exit(7)

@app.get("/background")
async def background(tasks: BackgroundTasks):
    tasks.add_task(sys.exit, 7)

@app.get("/stream")
async def stream():
    async def pieces():
        yield "one"
        await asyncio.sleep(0.01)
        sys.exit(7)
    return StreamingResponse(pieces())

@app.get("/task")
async def task():
    async def leave():
        await asyncio.sleep(0.01)
        sys.exit(7)
    app.state.task = asyncio.ensure_future(leave())

@app.get("/interrupt")
async def interrupt():
    await asyncio.sleep(0.01)
    raise KeyboardInterrupt

@app.get("/slow")
async def slow():
    await asyncio.sleep(0.6)
    return "done"
"""
PATHS = ["/at-once", "/later", "/thread", "/background", "/stream", "/task"]


def ask(server, path):
    """Ask for what may end anyhow."""
    connection = server.connect()
    try:
        connection.request("GET", path)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        pass
    finally:
        connection.close()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("path", [*PATHS, "/interrupt"])
def test_the_process_ends_in_order(serve, tmp_path, path, loop):
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    (tmp_path / "fatal.py").write_text(SOURCE)
    server = serve("fatal:app", "--loop", loop)
    answers = []
    other = threading.Thread(target=lambda: answers.append(server.get("/slow")))
    other.start()
    time.sleep(0.2)
    ask(server, path)
    assert server.wait() == (130 if path == "/interrupt" else 7)
    other.join()
    assert answers == ['"done"']
    assert "lifespan ended" in server.output


def test_a_worker_that_is_ended_so_is_replaced(serve, tmp_path):
    (tmp_path / "fatal.py").write_text(SOURCE)
    server = serve("fatal:app", "--workers", "2")
    server.wait_for("worker 2 ready")
    ask(server, "/later")
    server.wait_for("ended with exit code 7")
    server.wait_for(r"worker \d ready", times=2)
    assert "lifespan ended" in server.output
