"""Runs the literate cases of `cases/*.md` against a running server, over a socket, byte for byte.

A case begins with `## name`. Its fenced blocks are steps, taken in order:

- `http` holds bytes to send. Line ends of the file do not count; `\\r \\n \\t \\0 \\\\ \\xNN` are escapes and
  `{{text*count}}` repeats. `http eof` closes the sending side afterwards.
- `expect` holds what must come back, a line for each answer: `100`; `200 METHOD target "body"` as the
  application in `app.py` understood the request (HEAD has no body); `431 max_head` for a refusal and the
  setting it names. Indented lines are about headers of the answer above: `name: value`, or `!name` for
  absent. The last line says whether the connection is then `open` or `close`d.

`crates/covet-http/tests/wire.rs` runs the same files against the decoder alone; `test_framing.py` asks h11.
"""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .case import Case, Send, read_cases

HERE = Path(__file__).parent
PROBE = b"GET /probe HTTP/1.1\r\nHost: probe\r\n\r\n"


class Peer:
    """A client that reads answers exactly: nothing more than their framing says."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(5)
        self.socket.connect(str(path))
        self.unread = b""

    def send(self, step: Send) -> None:
        try:
            self.socket.sendall(step.bytes)
            if step.eof:
                self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused early: the answer is what counts

    def receive(self) -> bytes:
        try:
            return self.socket.recv(65536)
        except ConnectionResetError:
            return b""

    def answer(self) -> "Answer":
        while b"\r\n\r\n" not in self.unread:
            piece = self.receive()
            assert piece, f"closed without an answer after {self.unread!r}"
            self.unread += piece
        head, _, self.unread = self.unread.partition(b"\r\n\r\n")
        answer = Answer(head.decode("latin-1"))
        length = 0 if answer.is_bodiless else int(answer.headers["content-length"])
        while len(self.unread) < length:
            piece = self.receive()
            assert piece, "closed inside a body"
            self.unread += piece
        answer.body, self.unread = self.unread[:length], self.unread[length:]
        return answer

    def is_open(self) -> bool:
        """Ask for one more answer: only an open connection gives it."""
        assert not self.unread, f"bytes that nobody expects: {self.unread!r}"
        try:
            self.socket.sendall(PROBE)
        except OSError:
            return False
        if not (piece := self.receive()):
            return False
        self.unread = piece
        assert self.answer().headers["x-target"] == "/probe"
        return True

    def is_closed(self) -> bool:
        assert not self.unread, f"bytes after the last answer: {self.unread!r}"
        return self.receive() == b""


class Answer:
    """One answer, informational or final."""

    def __init__(self, head: str) -> None:
        status, *fields = head.split("\r\n")
        found = re.fullmatch(r"HTTP/1\.1 ([0-9]{3}) .*", status)
        assert found, f"malformed status line {status!r}"
        self.status = int(found[1])
        self.body = b""
        self.headers: dict[str, str] = {}
        for field in fields:
            name, colon, value = field.partition(": ")
            assert colon, f"malformed header line {field!r}"
            self.headers[name.lower()] = value

    @property
    def is_bodiless(self) -> bool:
        return self.status < 200 or self.status in (204, 304) or self.headers.get("x-method") == "HEAD"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Start `covet run` on a unix socket and wait until it accepts."""
    path = tmp_path_factory.mktemp("wire") / "socket"
    command = [sys.executable, "-m", "covet", "run", "app:app", "--app-dir", str(HERE), "--uds", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        for _ in range(200):
            if process.poll() is not None or accepts(path):
                break
            time.sleep(0.1)
        assert process.poll() is None, process.communicate()[0]
        yield path
    finally:
        process.terminate()
        output = process.communicate(timeout=20)[0]
    assert process.returncode == 0, output


def accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as attempt:
        try:
            attempt.connect(str(path))
        except OSError:
            return False
    return True


@pytest.mark.parametrize("case", read_cases(HERE / "cases"), ids=str)
def test_case(case: Case, server: Path) -> None:
    peer = Peer(server)
    with peer.socket:
        for step in case.steps:
            if isinstance(step, Send):
                peer.send(step)
                continue
            answer = None
            for line in step.lines:
                if line == "open":
                    assert peer.is_open()
                elif line == "close":
                    assert peer.is_closed()
                elif line.startswith("  "):
                    assert answer is not None
                    check_header(answer, line.strip())
                else:
                    answer = peer.answer()
                    check_answer(answer, line)


def check_answer(answer: Answer, line: str) -> None:
    status, _, rest = line.partition(" ")
    seen = f"{answer.status} {answer.body!r}"
    assert answer.status == int(status), seen
    if status == "200":
        found = re.fullmatch(r'(\S+) (\S+) "(.*)"', rest)
        assert found
        understood = (answer.headers["x-method"], answer.headers["x-target"], answer.body)
        assert understood == (found[1], found[2], Case.unescape(found[3]))
    elif answer.status >= 400:
        assert answer.headers["connection"] == "close"
        assert "server" not in answer.headers or not any(char.isdigit() for char in answer.headers["server"])
        assert not rest or rest in answer.body.decode(), seen


def check_header(answer: Answer, line: str) -> None:
    if line.startswith("!"):
        assert line[1:] not in answer.headers
    else:
        name, _, value = line.partition(": ")
        assert answer.headers.get(name) == value
