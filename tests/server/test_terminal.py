"""On a terminal: the start-up screen, colour, and a debugger's prompt."""

import os
import pty
import re
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

APP = """
async def app(scope, receive, send):
    if scope["path"] == "/stop":
        answer = 41
        breakpoint()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"went on"})
"""


class Terminal:
    """A server whose stdin, stdout and stderr are one pseudo-terminal."""

    def __init__(self, folder, environment):
        self.main, other = pty.openpty()
        command = [sys.executable, "-m", "covet", "run", "main:app", "--host", "127.0.0.1", "--port", "0"]
        base = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
        self.process = subprocess.Popen(
            [*command, "--lifespan", "off"],
            cwd=folder,
            env=base | {"TERM": "xterm"} | environment,
            stdin=other,
            stdout=other,
            stderr=other,
        )
        os.close(other)
        self.text = ""

    def read_until(self, pattern):
        end = time.monotonic() + 15
        while not re.search(pattern, self.text):
            assert time.monotonic() < end, self.text
            self.text += os.read(self.main, 4096).decode()
        return re.search(pattern, self.text)

    def type(self, text):
        os.write(self.main, text.encode())

    def close(self):
        self.process.terminate()
        code = self.process.wait(10)
        os.close(self.main)
        return code


@pytest.fixture
def terminal(tmp_path):
    (tmp_path / "main.py").write_text(APP)
    started = []

    def start(**environment):
        started.append(Terminal(tmp_path, environment))
        return started[-1]

    yield start
    for each in started:
        assert each.close() == 0


def test_the_screen_says_where_to_look(terminal):
    screen = terminal(NO_COLOR="1")
    screen.read_until(r"ready in \d+ ms, Ctrl\+C stops")
    assert re.search(r"app +main:app", screen.text)
    assert re.search(r"local +http://127\.0\.0\.1:\d+", screen.text)
    assert "\x1b" not in screen.text


def test_the_screen_has_colour_unless_told_otherwise(terminal):
    screen = terminal()
    screen.read_until("Ctrl")
    assert "\x1b[36m" in screen.text


def test_a_breakpoint_in_a_handler_stops_and_goes_on(terminal):
    screen = terminal(NO_COLOR="1", PYTHON_COLORS="0")
    port = screen.read_until(r"http://127\.0\.0\.1:(\d+)")[1]
    screen.read_until("Ctrl")
    answers = []

    def ask():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/stop", timeout=20) as answer:
            answers.append(answer.read())

    asking = threading.Thread(target=ask)
    asking.start()
    screen.read_until(r"\(Pdb\) ")
    screen.type("p answer + 1\n")
    screen.read_until(r"42\r?\n")
    screen.type("c\n")
    asking.join(10)
    assert answers == [b"went on"]
