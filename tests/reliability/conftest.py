"""Servers under hostile clients: `covet run` of one application, in a process of its own."""

import http.client
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

APPLICATION = """
import asyncio, os
from contextlib import asynccontextmanager
from covet import CovetPy, Request
from covet.responses import Response, StreamingResponse
from pydantic import BaseModel

counts = {"open": 0, "made": 0}

@asynccontextmanager
async def lifespan(app):
    yield
    print("lifespan shutdown", flush=True)

app = CovetPy(lifespan=lifespan)
inner = CovetPy()

@inner.middleware("http")
async def around(request, call_next):
    return await call_next(request)

class Note(BaseModel):
    text: str

@app.get("/")
async def root():
    return {"pid": os.getpid()}

@app.get("/slow")
async def slow():
    await asyncio.sleep(0.3)
    return {"slow": True}

@app.get("/hang")
async def hang():
    await asyncio.sleep(1000)

@app.get("/open")
async def opened():
    return counts["open"]

@app.get("/large")
async def large():
    counts["made"] += 1 << 20
    return Response(b"x" * (1 << 20))

@app.get("/made")
async def made():
    return counts["made"]

@app.get("/stream")
async def stream():
    async def pieces():
        counts["open"] += 1
        try:
            while True:
                counts["made"] += 65536
                yield b"x" * 65536
        finally:
            counts["open"] -= 1
    return StreamingResponse(pieces())

async def whole(request: Request):
    return len(await request.body())

async def model(note: Note):
    return len(note.text)

async def piecewise(request: Request):
    size = 0
    counts["open"] += 1
    try:
        async for piece in request.stream():
            size += len(piece)
    finally:
        counts["open"] -= 1
    return size

for each in (app, inner):
    each.post("/whole")(whole)
    each.post("/model")(model)
    each.post("/piecewise")(piecewise)
    each.post("/wide", max_body_size=32 << 20)(whole)
app.mount("/inner", inner)

wrapped = CovetPy()
wrapped.middleware("http")(around)
for path, endpoint in (("/whole", whole), ("/model", model), ("/piecewise", piecewise)):
    wrapped.post(path)(endpoint)
"""


class Server:
    """A server as a child process, its output kept in a file."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        files: int | None = None,
        launcher: list[str] | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        (folder / "hostile.py").write_text(APPLICATION)
        self.log = folder / f"log-{time.monotonic_ns()}"
        limit = ["prlimit", f"--nofile={files}"] if files else []
        command = [*(launcher or []), *limit, sys.executable, "-m", "covet", "run", *arguments]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--host", host, "--port", "0", "--no-access-log"],
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self.port = int(self.wait_for(r"serves \S+ on http://[^:]+:(\d+)")[1])
        except BaseException:
            self.end()
            raise

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, pattern: str, timeout: float = 15) -> re.Match[str]:
        end = time.monotonic() + timeout
        while (found := re.search(pattern, self.output)) is None:
            assert time.monotonic() < end, f"no {pattern!r} in:\n{self.output}"
            assert self.process.poll() is None, self.output
            time.sleep(0.01)
        return found

    def connect(self, receive_buffer: int | None = None) -> socket.socket:
        connection = socket.socket()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(10)
        try:
            connection.connect(("127.0.0.1", self.port))
        except OSError:
            connection.close()
            raise
        return connection

    def get(self, path: str = "/", timeout: float = 10) -> str:
        """Fetch over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path, headers={"connection": "close"})
            answer = connection.getresponse()
            text = answer.read().decode()
            assert answer.status == 200, (answer.status, text)
            return text
        finally:
            connection.close()

    def latencies(self, samples: int) -> list[float]:
        """Ask for `/` over one connection, so many times; return the sorted times."""
        taken = []
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        for _ in range(samples):
            start = time.monotonic()
            connection.request("GET", "/")
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200
            taken.append(time.monotonic() - start)
            time.sleep(0.002)
        connection.close()
        return sorted(taken)

    def resident(self) -> int:
        """Return the resident bytes of the process."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def processor(self) -> float:
        """Return the seconds of CPU that the process has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self, timeout: float = 15) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def end(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(5)


def eventually(accept: Callable[[], bool], timeout: float = 5) -> bool:
    """Ask until it holds or the time is over."""
    end = time.monotonic() + timeout
    while not accept():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Load:
    """Clients in threads that ask for one path each, over fresh connections, until told to stop."""

    def __init__(self, server: Server, paths: list[str]) -> None:
        self.answered, self.broken, self.refused = 0, 0, 0
        self._server, self._going, self._lock = server, True, threading.Lock()
        self._threads = [threading.Thread(target=self._ask, args=(path,)) for path in paths]
        for thread in self._threads:
            thread.start()

    def _ask(self, path: str) -> None:
        while self._going:
            try:
                connection = self._server.connect()
            except OSError:
                with self._lock:
                    self.refused += 1
                time.sleep(0.01)
                continue
            with connection:
                whole = self._exchange(connection, path)
            with self._lock:
                self.answered += whole
                self.broken += not whole

    def _exchange(self, connection: socket.socket, path: str) -> bool:
        try:
            connection.sendall(f"GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".encode())
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        except OSError:
            return False
        return answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"}")

    def stop(self) -> None:
        self._going = False
        for thread in self._threads:
            thread.join(20)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def start(*arguments: str, **options: Any) -> Server:
        started.append(Server(tmp_path, *(arguments or ("hostile:app",)), **options))
        return started[-1]

    yield start
    for server in started:
        server.end()


@pytest.fixture(autouse=True, scope="session")
def many_descriptors() -> None:
    """Raise this process's own bound; servers inherit it unless a test lowers theirs."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384) if hard > 0 else 16384, hard))


@pytest.fixture
def until() -> Callable[..., bool]:
    return eventually


@pytest.fixture
def load() -> Iterator[Callable[..., Load]]:
    running: list[Load] = []

    def start(server: Server, paths: list[str]) -> Load:
        running.append(Load(server, paths))
        return running[-1]

    yield start
    for each in running:
        each.stop()
