"""An application in a file and `covet run` as a child process, for the tests of other people's tools."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

APP = """
import time
from covet import CovetPy, Depends

app = CovetPy()


async def asynchronous_dependency():
    value = 20
    return value


def threaded_dependency():
    value = 2
    return value


@app.get("/sum")
async def add(a=Depends(asynchronous_dependency), b=Depends(threaded_dependency)):
    total = a + b
    return total


@app.get("/thread")
def in_a_thread():
    answer = "from a thread"
    return answer


@app.get("/slow")
async def slow_handler():
    time.sleep(3)
    return "awake"


@app.get("/slow-thread")
def slow_thread():
    time.sleep(3)
    return "awake"


@app.get("/pause")
async def pause():
    breakpoint()
    return "resumed"
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetch(url: str, timeout: float = 20) -> str:
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return answer.read().decode()


class Fetch(threading.Thread):
    """A request in the background; `text` is there after join()."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url, self.text = url, ""
        self.start()

    def run(self) -> None:
        with contextlib.suppress(OSError):
            self.text = fetch(self.url)


def wait_until_it_answers(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            fetch(f"http://127.0.0.1:{port}/version")
        except urllib.error.HTTPError:
            return  # it listens before it has imported the application; a 404 comes from the application
        except OSError:
            pass
        assert process.poll() is None, f"the server ended with {process.returncode}"
        time.sleep(0.05)
    raise AssertionError("the server does not listen")


@pytest.fixture
def app_file(tmp_path: Path) -> Path:
    path = tmp_path / "tool_app.py"
    path.write_text(APP)
    return path


Start = Callable[..., tuple[subprocess.Popen[bytes], int]]


@pytest.fixture
def start(app_file: Path) -> Iterator[Start]:
    """Return a function that runs `[python, *prefix, -m covet run …]` and waits until it listens."""
    processes: list[subprocess.Popen[bytes]] = []

    def start_server(*prefix: str, **options: object) -> tuple[subprocess.Popen[bytes], int]:
        port = free_port()
        command = [
            sys.executable,
            *prefix,
            "-m",
            "covet",
            "run",
            "tool_app:app",
            "--app-dir",
            str(app_file.parent),
        ]
        command += ["--host", "127.0.0.1", "--port", str(port)]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(command, cwd=app_file.parent, env=environment, **options)  # type: ignore[call-overload]
        processes.append(process)
        wait_until_it_answers(port, process)
        return process, port

    yield start_server
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
        if process.poll() is None:
            process.kill()
            process.wait()
