"""What `covet dev` looks like on a terminal, and what its first mistakes look like anywhere."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

APP = """
from covet import CovetPy

app = CovetPy()


@app.get("/users/{id}")
async def one(id: int):
    return 1


@app.get("/users/me")
async def me():
    return "me"
"""


class Terminal:
    """`covet dev` with a pseudo-terminal for stdin, stdout and stderr."""

    def __init__(self, folder, arguments, environment):
        self._end, other = pty.openpty()
        base = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "covet", "dev", "--port", "0", *arguments],
            cwd=folder,
            env=base | {"TERM": "xterm"} | environment,
            stdin=other,
            stdout=other,
            stderr=other,
        )
        os.close(other)
        self.text = ""

    def read_until(self, pattern):
        end = time.monotonic() + 20
        while not (found := re.search(pattern, self.text)):
            assert time.monotonic() < end, self.text
            if select.select([self._end], [], [], 0.2)[0]:
                self.text += os.read(self._end, 4096).decode().replace("\r\n", "\n")
        return found

    def close(self):
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(15)
        os.close(self._end)
        return code


@pytest.fixture
def terminal(tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").write_text(APP)
    started = []

    def start(*arguments, **environment):
        started.append(Terminal(tmp_path, arguments, environment))
        return started[-1]

    yield start
    for each in started:
        assert each.close() == 0


SCREEN = r"""
  covet \S+  development   Python 3\.\d+, \w+
  local    http://127\.0\.0\.1:\d+
  app      app/main\.py -> app   \(found; fix it with \[tool\.covet\] entrypoint\)
  docs     http://127\.0\.0\.1:\d+/docs
  warning  GET /users/me \(app/main\.py:12\) is never reached: shadowed by GET /users/\S+ \(app/main\.py:7\)
  ready in \d+ ms, watching 1 file, Ctrl\+C stops
"""


def test_the_screen_says_what_was_found_and_where_to_look(terminal):
    screen = terminal(NO_COLOR="1")
    screen.read_until("Ctrl")
    screen.read_until(SCREEN)


def test_a_request_and_an_edit_are_a_line_each(terminal, tmp_path):
    screen = terminal(NO_COLOR="1")
    address = screen.read_until(r"http://127\.0\.0\.1:\d+")[0]
    screen.read_until("Ctrl")
    with pytest.raises(urllib.error.HTTPError, match="422"):
        urllib.request.urlopen(f"{address}/users/x", timeout=10)
    screen.read_until(
        r"\n\d\d:\d\d:\d\d  GET /users/x +422 +[\d.]+ ms   path\.id: input should be a valid integer"
    )
    (tmp_path / "app" / "main.py").write_text(APP.replace("return 1", "return 2"))
    screen.read_until(r"\n\d\d:\d\d:\d\d  app/main\.py changed, ready in \d+ ms\n")
    assert "worker" not in screen.text
    assert "stopping" not in screen.text


def test_it_has_colour_on_a_terminal_that_can(terminal):
    screen = terminal()
    screen.read_until("Ctrl")
    assert "\x1b[36m" in screen.text


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"NO_COLOR": "1"}])
def test_it_has_none_where_it_is_not_wanted(terminal, environment):
    screen = terminal(**environment)
    screen.read_until("Ctrl")
    assert "\x1b" not in screen.text


def test_the_flag_wins_over_the_environment(terminal):
    screen = terminal("--color", NO_COLOR="1")
    screen.read_until("Ctrl")
    assert "\x1b[36m" in screen.text


@pytest.mark.parametrize(
    ("files", "arguments", "code", "paragraph"),
    [
        (
            {"app/main.py": "def create_app(): ...\n"},
            (),
            1,
            "error: no application in app/main.py\n"
            "  looked for app, api, application, any CovetPy object; found the function create_app()\n"
            "  try: covet dev app/main.py:create_app --factory\n",
        ),
        ({}, (), 1, "error: no application named, and none of main.py, app.py,"),
        ({"main.py": ""}, ("mian.py",), 1, "error: there is no file mian.py. Did you mean main.py?\n"),
        (
            {"main.py": "app = 1\n"},
            ("main:ap",),
            1,
            "error: module main has no attribute 'ap'. Did you mean app?",
        ),
        (
            {"main.py": ""},
            ("--reload-dri", "x"),
            2,
            "error: unknown argument --reload-dri. Did you mean --reload-dir?",
        ),
        (
            {"main.py": ""},
            ("--reload-dir", "nowhere"),
            1,
            "error: --reload-dir nowhere: there is no such folder",
        ),
    ],
)
def test_a_mistake_is_one_paragraph_with_the_way_out(covet, tmp_path, files, arguments, code, paragraph):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    answer = covet("dev", "--port", "0", *arguments)
    assert answer.returncode == code
    assert answer.stderr.startswith(paragraph), answer.stderr
    assert answer.stdout == ""


def test_verbose_means_debug(covet):
    from covet.cli import dev
    from covet.cli.options import read_settings
    from covet.cli.parser import describe

    parser = describe(dev.run)
    assert read_settings(parser.read(["-v"])).log_level == "debug"
    assert read_settings(parser.read(["-v", "--log-level", "error"])).log_level == "error"
