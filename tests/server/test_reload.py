"""Reload: what a changed file does to a server, and what clients see while the code is broken."""

import http.client
import os
import signal
import time

import pytest

BROKEN = "def broken(:\n"
STREAM = """
    if scope["path"] == "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"tick", "more_body": True})
            await asyncio.sleep(0.05)
    path = scope["path"]
"""


@pytest.fixture
def source(tmp_path, serve):
    """Return plain.py, with an endless stream added."""
    path = tmp_path / "plain.py"
    path.write_text(path.read_text().replace('    path = scope["path"]\n', STREAM.lstrip("\n")))
    return path


def change(path, before, after):
    path.write_text(path.read_text().replace(before, after))


def ask(server, path="/version", accept="*/*", method="GET"):
    """Return status and text, whatever the status is."""
    connection = server.connect()
    try:
        connection.request(method, path, headers={"accept": accept, "connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def wait_for_status(server, status, timeout=5):
    end = time.monotonic() + timeout
    while (found := ask(server))[0] != status:
        assert time.monotonic() < end, server.output
        time.sleep(0.02)
    return found[1]


@pytest.mark.parametrize("flags", [("--reload",), ("--reload", "--reload-poll")])
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_an_edit_is_served(serve, source, flags, method):
    server = serve("plain:app", *flags, env={"COVET_START_METHOD": method})
    assert server.get("/version") == "one"
    change(source, '"one"', '"two"')
    server.eventually("/version", lambda version: version == "two")
    server.wait_for(r"plain\.py changed, ready in \d+ ms")
    assert server.stop() == 0


def test_a_syntax_error_is_answered_until_the_fix(serve, source):
    server = serve("plain:app", "--reload")
    good = source.read_text()
    source.write_text(BROKEN)
    wait_for_status(server, 500)
    assert server.output.count("SyntaxError") == 1
    server.wait_for(r"plain\.py changed, every request is answered with the error")
    source.write_text(good.replace('"one"', '"two"'))
    assert wait_for_status(server, 200) == "two"


def test_broken_code_at_the_start_is_answered_until_the_fix(serve, source):
    good = source.read_text()
    source.write_text(BROKEN)
    server = serve("plain:app", "--reload")
    assert ask(server)[0] == 500
    source.write_text(good)
    assert wait_for_status(server, 200) == "one"


def test_a_start_up_that_fails_is_answered_until_the_fix(serve, source):
    server = serve("plain:app", "--reload")
    good = source.read_text()
    failure = 'await send({"type": "lifespan.startup.failed", "message": "no database"})'
    change(source, 'scope["state"]["started"] = "yes"', failure)
    wait_for_status(server, 500)
    server.wait_for("no database")
    source.write_text(good)
    assert wait_for_status(server, 200) == "one"


def test_a_crash_during_the_import_is_answered_until_the_fix(serve, source):
    server = serve("plain:app", "--reload")
    good = source.read_text()
    source.write_text("import os\nos._exit(7)\n")
    wait_for_status(server, 500)
    server.wait_for("ended with exit code 7 before it was ready")
    source.write_text(good)
    assert wait_for_status(server, 200) == "one"


def test_a_name_that_goes_is_answered_and_may_come_back(serve, source):
    server = serve("plain:app", "--reload")
    change(source, "async def app(", "async def application(")
    wait_for_status(server, 500)
    change(source, "async def application(", "async def app(")
    assert wait_for_status(server, 200) == "one"


@pytest.mark.parametrize(("name", "text"), [("plain:nothing", "no attribute"), ("plian:app", "Did you mean")])
def test_a_name_that_never_was_ends_the_start(serve, name, text):
    server = serve(name, "--reload", ready=False)
    assert server.wait() == 1
    assert text in server.output


def test_what_is_wrong_stays_in_the_terminal_outside_development(serve, source):
    source.write_text(BROKEN)
    server = serve("plain:app", "--reload")
    assert "plain.py" not in ask(server)[1]


@pytest.mark.parametrize(
    ("accept", "start"),
    [("text/html,*/*", "<!doctype html>"), ("application/json", '{"detail": '), ("*/*", "The application ")],
)
def test_in_development_the_error_is_shown_in_the_form_that_is_asked_for(serve, source, accept, start):
    source.write_text(BROKEN)
    server = serve("plain:app", command="dev")
    status, text = ask(server, accept=accept)
    assert status == 500
    assert text.startswith(start)
    assert "SyntaxError" in text


def test_an_event_stream_waits_for_the_fix_and_ends_with_it(serve, source):
    good = source.read_text()
    source.write_text(BROKEN)
    server = serve("plain:app", "--reload")
    stream = server.connect()
    stream.request("GET", "/events", headers={"accept": "text/event-stream"})
    answer = stream.getresponse()
    assert (answer.status, answer.read(8)) == (200, b": wait\n\n")
    source.write_text(good)
    assert answer.read() == b""
    stream.close()
    assert server.get("/version") == "one"


def test_the_error_page_has_no_body_for_head(serve, source):
    source.write_text(BROKEN)
    assert ask(serve("plain:app", command="dev"), method="HEAD") == (500, "")


def test_streams_are_closed_at_once(serve, source):
    server = serve("plain:app", "--reload")
    stream = server.connect()
    stream.request("GET", "/stream")
    answer = stream.getresponse()
    answer.read(4)
    time.sleep(0.5)
    change(source, '"one"', '"two"')
    with pytest.raises(http.client.IncompleteRead):
        answer.read()
    stream.close()
    ended = time.monotonic()
    server.eventually("/version", lambda version: version == "two")
    assert time.monotonic() - ended < 1


def test_a_short_request_in_progress_is_finished(serve, source):
    change(source, "await asyncio.sleep(1)", "await asyncio.sleep(0.15)")
    server = serve("plain:app", "--reload")
    for version in ("two", "three", "four"):
        source.write_text(source.read_text() + f"\nVERSION = {version!r}\n")
        end = time.monotonic() + 5
        while server.get("/version") != version:
            assert time.monotonic() < end
            assert server.get("/slow").isdigit()


def test_an_edit_during_a_start_up_that_hangs_is_served(serve, source):
    server = serve("plain:app", "--reload")
    good = source.read_text()
    change(source, 'scope["state"]["started"] = "yes"', "await asyncio.sleep(100)")
    server.wait_for("lifespan shutdown")
    time.sleep(0.3)
    source.write_text(good.replace('"one"', '"two"'))
    assert wait_for_status(server, 200) == "two"


def test_quick_edits_of_the_same_size_end_with_the_last(serve, source):
    server = serve("plain:app", "--reload", env={"PYTHONDONTWRITEBYTECODE": ""})
    text = source.read_text()
    for version in ("aaa", "bbb", "ccc", "ddd"):
        source.write_text(text.replace("one", version))
        time.sleep(0.15)
    server.eventually("/version", lambda version: version == "ddd")
    time.sleep(0.3)
    assert server.get("/version") == "ddd"


def test_variables_and_templates_reload_when_told(serve, source, tmp_path):
    (tmp_path / ".env").write_text("FROM_FILE=before\n")
    (tmp_path / "page.html").write_text("a")
    server = serve("plain:app", "--reload", "--env-file", ".env", "--reload-include", "*.html")
    assert server.get("/env") == "before"
    (tmp_path / ".env").write_text("FROM_FILE=after\n")
    server.eventually("/env", lambda value: value == "after")
    (tmp_path / "page.html").write_text("b")
    server.wait_for(r"page\.html changed, ready in")


def test_hup_reloads_as_well(serve, source):
    server = serve("plain:app", "--reload")
    before = server.get("/")
    server.signal(signal.SIGHUP)
    server.eventually("/", lambda pid: pid != before)


def test_a_worker_that_dies_is_replaced(serve, source):
    server = serve("plain:app", "--reload")
    before = server.get("/")
    os.kill(int(before), signal.SIGKILL)
    server.eventually("/", lambda pid: pid != before)


def seconds(pid):
    """The CPU time of a process so far."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_waiting_for_an_edit_costs_less_than_1_percent(serve, source):
    server = serve("plain:app", "--reload")
    pids = [server.pid, int(server.get("/"))]
    time.sleep(1)  # the parent imports what later workers are forked with
    before = sum(map(seconds, pids))
    time.sleep(4)
    assert sum(map(seconds, pids)) - before < 0.04
