"""Real servers for the tests: `python -m covet run` in a folder of its own, on a port of its own."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PLAIN = """
import asyncio, os, time

VERSION = "one"

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        scope["state"]["started"] = "yes"
        await send({"type": "lifespan.startup.complete"})
        await receive()
        print("lifespan shutdown", flush=True)
        await send({"type": "lifespan.shutdown.complete"})
        return
    path = scope["path"]
    if path == "/slow":
        await asyncio.sleep(1)
    elif path == "/hang":
        await asyncio.sleep(100)
    elif path == "/block":
        time.sleep(100)
    answer = {"/version": VERSION, "/state": scope["state"]["started"], "/root": scope["root_path"]}
    answer |= {"/client": str(scope["client"]), "/scheme": scope["scheme"]}
    answer |= {"/env": os.environ.get("FROM_FILE", "")}
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": answer.get(path, str(os.getpid())).encode()})
"""


class Running:
    """A server as a child process; its output is collected while it runs."""

    def __init__(
        self,
        folder: Path,
        arguments: tuple[str, ...],
        environment: dict[str, str],
        launcher: list[str],
        python: list[str],
        command: str = "run",
        **options: object,
    ) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            [*launcher, sys.executable, *python, "-m", "covet", command, *arguments],
            cwd=folder,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            **options,  # type: ignore[call-overload]
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line)
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def wait_for(self, pattern: str, times: int = 1, timeout: float = 15) -> re.Match[str]:
        """Wait until the output matches `pattern` so often; return the last match."""
        end = time.monotonic() + timeout
        with self._news:
            while True:
                found = list(re.finditer(pattern, self.output))
                if len(found) >= times:
                    return found[times - 1]
                left = end - time.monotonic() if self._reader.is_alive() else 0
                assert left > 0, f"no {pattern!r} in:\n{self.output}"
                self._news.wait(min(left, 0.1))

    def ready(self) -> "Running":
        """Wait until it serves; learn its address."""
        found = self.wait_for(r"serves \S+ on (?:http://[^:]+:(\d+)|unix:(\S+)) ")
        self.port = int(found[1] or 0)
        self.uds = found[2]
        return self

    def connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        if self.uds:
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(self.uds)
        return connection

    def get(self, path: str = "/", headers: dict[str, str] | None = None) -> str:
        """Fetch a path over a connection of its own."""
        connection = self.connect()
        try:
            connection.request("GET", path, headers={"connection": "close"} | (headers or {}))
            answer = connection.getresponse()
            assert answer.status == 200, answer.status
            return answer.read().decode()
        finally:
            connection.close()

    def eventually(self, path: str, accept: Callable[[str], bool], timeout: float = 5) -> str:
        """Ask until the answer is accepted."""
        end = time.monotonic() + timeout
        while True:
            answer = self.get(path)
            if accept(answer):
                return answer
            assert time.monotonic() < end, f"{path} still answers {answer!r}\n{self.output}"
            time.sleep(0.02)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self, timeout: float = 15) -> int:
        """Wait for its end; return the exit code."""
        code = self.process.wait(timeout)
        self._reader.join(5)
        return code

    def end(self) -> None:
        """Leave nothing behind, however the test ended."""
        try:
            self.process.wait(8)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.wait()


Serve = Callable[..., Running]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start servers: `serve("plain:app", "--workers", "2", APP="source of app.py")`."""
    started: list[Running] = []
    (tmp_path / "plain.py").write_text(PLAIN)

    def start(
        *arguments: str,
        ready: bool = True,
        env: dict[str, str] | None = None,
        launcher: list[str] | None = None,
        python: list[str] | None = None,
        **options: object,
    ) -> Running:
        listening = (
            {"--uds", "--fd", "--port"} & set(arguments) or (env and "PORT" in env) or "pass_fds" in options
        )
        flags = arguments if listening else ("--port", "0", *arguments)
        if "--uds" not in flags and "--fd" not in flags and "--host" not in flags:
            flags = ("--host", "127.0.0.1", *flags)
        running = Running(tmp_path, flags, env or {}, launcher or [], python or [], **options)
        started.append(running)
        return running.ready() if ready else running

    yield start
    for running in started:
        running.process.terminate()
    for running in started:
        running.end()
