"""Work after an answer when the server stops: waited for, then named, cancelled, and no traceback of ours."""

import re

import pytest

SOURCE = """
import asyncio, functools, time
from contextlib import asynccontextmanager
from covet import APIRouter, BackgroundTasks, CovetPy
from covet.background import BackgroundTask
from covet.responses import JSONResponse

@asynccontextmanager
async def lifespan(app):
    yield
    print("lifespan ended", flush=True)

router = APIRouter()

async def send_mail(to):
    print("mail begun", flush=True)
    try:
        await asyncio.sleep(100)
    finally:
        print("mail left", flush=True)

def crunch():
    print("crunch begun", flush=True)
    time.sleep(2)

async def unlucky():
    print("unlucky begun", flush=True)
    try:
        await asyncio.sleep(100)
    finally:
        raise RuntimeError("no way to tidy up")

@router.get("/tasks")
async def tasks(tasks: BackgroundTasks):
    tasks.add_task(functools.partial(send_mail, "x"))

@router.get("/response")
async def response():
    return JSONResponse({}, background=BackgroundTask(send_mail, "y"))

@router.get("/thread")
async def thread(tasks: BackgroundTasks):
    tasks.add_task(crunch)

@router.get("/unlucky")
async def fails(tasks: BackgroundTasks):
    tasks.add_task(unlucky)

class Passes:
    def __init__(self, app):
        self.app = app
    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)

app = CovetPy(lifespan=lifespan)
app.include_router(router)
wrapped = CovetPy(lifespan=lifespan)
wrapped.add_middleware(Passes)
wrapped.include_router(router)
"""


@pytest.fixture
def stopped(serve, tmp_path):
    """Ask once, stop the server while the background task runs; return what it has said."""

    def stop(target, path, begun):
        (tmp_path / "after.py").write_text(SOURCE)
        server = serve(target, "--timeout-drain", "0.4")
        server.get(path)
        server.wait_for(f"{begun} begun")
        assert server.stop() == 0
        return server.output

    return stop


@pytest.mark.parametrize("path", ["/tasks", "/response"])
@pytest.mark.parametrize("target", ["after:app", "after:wrapped"])
def test_one_that_is_cut_off_is_named_with_the_setting(stopped, target, path):
    output = stopped(target, path, "mail")
    [warning] = re.findall(r"warning .*", output)
    assert f"background task send_mail of GET {path}" in warning
    assert "--timeout-drain" in warning
    assert "Traceback" not in output
    assert "error" not in output


def test_it_is_cancelled_before_the_lifespan_ends(stopped):
    output = stopped("after:app", "/tasks", "mail")
    assert output.index("mail left") < output.index("lifespan ended")


def test_one_in_a_thread_is_named_too(stopped):
    output = stopped("after:app", "/thread", "crunch")
    assert "background task crunch of GET /thread" in output
    assert "Traceback" not in output
    assert "lifespan ended" in output


def test_what_it_raises_when_it_is_cancelled_is_reported(stopped):
    output = stopped("after:app", "/unlucky", "unlucky")
    assert "RuntimeError: no way to tidy up" in output
    assert "lifespan ended" in output
