"""`covet dev` as a whole: where it listens, what it sets, what it says, and what a debugger changes."""

import re
import sys

import pytest

APP = """
import os

from covet import CovetPy
from pydantic import BaseModel

app = CovetPy()


class User(BaseModel):
    email: str


@app.get("/env")
async def env():
    return os.environ["FASTAPI_ENV"]


@app.get("/pid")
async def pid():
    return os.getpid()


@app.get("/users/{id}")
async def one(id: str):
    return id


@app.get("/users/me")
async def me():
    return "me"


@app.post("/users")
async def add(user: User):
    return user
"""


@pytest.fixture(autouse=True)
def _source(tmp_path):
    (tmp_path / "main.py").write_text(APP)


def test_it_finds_the_application_and_says_so(serve):
    server = serve(command="dev")
    server.wait_for(r"serves main on http://127\.0\.0\.1:\d+ .*, ready in \d+ ms, watching 2 files")


def test_it_listens_on_this_machine_only_unless_told_otherwise():
    from covet.cli import dev
    from covet.cli.options import read_settings
    from covet.cli.parser import describe

    parser = describe(dev.run)
    assert read_settings(parser.read([]), False, dev.DEFAULTS).host == "127.0.0.1"
    assert read_settings(parser.read(["--host", "0.0.0.0"]), False, dev.DEFAULTS).host == "0.0.0.0"


@pytest.mark.parametrize(("given", "seen"), [({}, "development"), ({"FASTAPI_ENV": "mine"}, "mine")])
def test_the_application_learns_that_it_is_developed(serve, given, seen):
    assert serve(command="dev", env=given).get("/env") == f'"{seen}"'


def test_a_request_is_a_line_with_status_and_duration(serve):
    server = serve(command="dev")
    server.get("/users/7")
    server.wait_for(r"\d\d:\d\d:\d\d  GET /users/7 +200 +[\d.]+ ms\n")


def test_a_request_that_is_refused_says_why(serve):
    server = serve(command="dev")
    connection = server.connect()
    connection.request("POST", "/users", "{}", {"content-type": "application/json"})
    assert connection.getresponse().status == 422
    connection.close()
    server.wait_for(r"POST /users +422 +[\d.]+ ms   body\.email: field required\n")


def test_a_shadowed_route_is_named_with_both_places(serve):
    server = serve(command="dev")
    server.wait_for(
        r"GET /users/me \(main\.py:29\) is never reached: shadowed by GET /users/\{id\} \(main\.py:24\)"
    )


def test_without_a_terminal_there_is_no_colour_unless_it_is_forced(serve):
    server = serve(command="dev")
    server.get("/pid")
    assert "\x1b" not in server.output
    forced = serve(command="dev", env={"FORCE_COLOR": "1"})
    forced.get("/pid")
    forced.wait_for("\x1b\\[32m200")


def test_several_workers_are_refused(serve):
    server = serve("--workers", "2", command="dev", ready=False)
    assert server.wait() == 2
    assert "one worker" in server.output


def test_without_reload_it_is_one_process(serve):
    server = serve("--no-reload", command="dev")
    assert server.get("/pid") == str(server.pid)


TRACED = "import sys; sys.settrace(lambda *event: None); "
TRACED += "from covet.cli.main import main; sys.exit(main(sys.argv[3:]))  # after -c -m covet"


def test_under_a_tracer_the_application_runs_in_the_traced_process(serve):
    server = serve(command="dev", python=["-c", TRACED])
    assert server.get("/pid") == str(server.pid)
    assert re.search(r"notice: __main__ is attached", server.output)
    assert server.stop() == 0


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring came with Python 3.12")
def test_a_debugger_that_monitors_is_noticed():
    from covet.cli.debugger import debugger

    if sys.monitoring.get_tool(sys.monitoring.DEBUGGER_ID) is not None:
        pytest.skip("a debugger is attached to the tests")
    sys.monitoring.use_tool_id(sys.monitoring.DEBUGGER_ID, "some debugger")
    try:
        assert debugger() == "some debugger"
    finally:
        sys.monitoring.free_tool_id(sys.monitoring.DEBUGGER_ID)


def test_debugpy_keeps_the_application_in_its_process(serve):
    pytest.importorskip("debugpy")
    server = serve(command="dev", python=["-Xfrozen_modules=off", "-m", "debugpy", "--listen", "127.0.0.1:0"])
    assert "is attached: the application runs in this process" in server.output
    assert int(server.get("/pid")) == server.pid
    assert server.stop() == 0
