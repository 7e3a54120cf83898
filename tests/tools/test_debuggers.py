"""Debuggers stop in handlers: `breakpoint()` on a terminal, and debugpy from an editor."""

import json
import os
import pty
import select
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from .conftest import APP, Fetch, Start, free_port


def read_until(descriptor: int, wanted: bytes, seconds: float = 20) -> bytes:
    """Read from a terminal until `wanted` appears."""
    seen = b""
    deadline = time.monotonic() + seconds
    while wanted not in seen:
        assert time.monotonic() < deadline, f"no {wanted!r} in {seen!r}"
        if select.select([descriptor], [], [], 0.2)[0]:
            seen += os.read(descriptor, 4096)
    return seen


def test_breakpoint_in_a_handler_waits_for_the_terminal(start: Start) -> None:
    terminal, other_end = pty.openpty()
    _, port = start(stdin=other_end, stdout=other_end, stderr=other_end)
    request = Fetch(f"http://127.0.0.1:{port}/pause")
    read_until(terminal, b"(Pdb)")
    os.write(terminal, b"c\n")
    request.join(10)
    assert request.text == '"resumed"'
    assert Fetch(f"http://127.0.0.1:{port}/sum").join(10) is None


class DebugAdapter:
    """As much of the Debug Adapter Protocol as it takes to stop at a line."""

    def __init__(self, port: int) -> None:
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            self.stream = connection.makefile("rwb")
        self.sequence = 0
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> "DebugAdapter":
        return self

    def __exit__(self, *error: object) -> None:
        self.stream.close()

    def send(self, command: str, **arguments: Any) -> int:
        self.sequence += 1
        message = {"seq": self.sequence, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode()
        self.stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.stream.flush()
        return self.sequence

    def receive(self) -> dict[str, Any]:
        length = 0
        while line := self.stream.readline().strip():
            length = int(line.split(b":")[1])
        message: dict[str, Any] = json.loads(self.stream.read(length))
        return message

    def answer(self, command: str, **arguments: Any) -> dict[str, Any]:
        number = self.send(command, **arguments)
        while True:
            message = self.receive()
            if message["type"] == "event":
                self.events.append(message)
            elif message.get("request_seq") == number:
                assert message["success"], message
                return message

    def event(self, name: str) -> dict[str, Any]:
        while True:
            for message in self.events:
                if message["event"] == name:
                    self.events.remove(message)
                    return message
            message = self.receive()
            if message["type"] == "event":
                self.events.append(message)


@pytest.mark.parametrize(
    ("path", "line", "answer"),
    [("/sum", "total = a + b", "22"), ("/thread", 'answer = "from a thread"', '"from a thread"')],
    ids=["on the loop", "in the pool"],
)
def test_debugpy_stops_in_a_handler(start: Start, app_file: Path, path: str, line: str, answer: str) -> None:
    pytest.importorskip("debugpy")
    adapter_port = free_port()
    _, port = start("-Xfrozen_modules=off", "-m", "debugpy", "--listen", f"127.0.0.1:{adapter_port}")
    number = APP.splitlines().index(f"    {line}") + 1
    with DebugAdapter(adapter_port) as adapter:
        adapter.answer("initialize", adapterID="test", pathFormat="path")
        adapter.send("attach", justMyCode=False)
        adapter.event("initialized")
        adapter.answer("setBreakpoints", source={"path": str(app_file)}, breakpoints=[{"line": number}])
        adapter.answer("configurationDone")
        request = Fetch(f"http://127.0.0.1:{port}{path}")
        stopped = adapter.event("stopped")["body"]
        frames = adapter.answer("stackTrace", threadId=stopped["threadId"])["body"]["stackFrames"]
        assert frames[0]["line"] == number
        adapter.answer("setBreakpoints", source={"path": str(app_file)}, breakpoints=[])
        adapter.answer("continue", threadId=stopped["threadId"])
        request.join(10)
    assert request.text == answer


@pytest.mark.parametrize(("path", "function"), [("/slow", "slow_handler"), ("/slow-thread", "slow_thread")])
def test_py_spy_sees_the_handler(start: Start, path: str, function: str) -> None:
    program = Path(sys.executable).with_name("py-spy")
    if not program.exists():
        pytest.skip("py-spy is not installed")
    process, port = start()
    Fetch(f"http://127.0.0.1:{port}{path}")
    time.sleep(0.7)
    dump = subprocess.run(
        [program, "dump", "--pid", str(process.pid)], capture_output=True, text=True, timeout=20
    )
    if "Permission denied" in dump.stderr:
        pytest.skip("this user may not trace other processes")
    assert function in dump.stdout, dump.stdout + dump.stderr
