"""The lines of `covet dev`: one a request, with its duration and its first error."""

import asyncio
import io
import logging
import re

import pytest

from covet.cli.validation_notes import first_error, note_validation_errors
from covet.exceptions import RequestValidationError
from covet.server import Settings, logs
from covet.server.console import ConsoleFormatter, ConsoleLog, note


@pytest.fixture
def log(monkeypatch):
    """Return a function that logs requests and gives the text of all lines so far."""

    def make(color=False):
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(ConsoleFormatter(color=color))
        logger = logging.getLogger("covet.access")
        monkeypatch.setattr(logger, "handlers", [handler])
        monkeypatch.setattr(logger, "propagate", False)
        logger.setLevel(logging.INFO)
        loop = asyncio.new_event_loop()
        console = ConsoleLog(loop)
        loop.close()

        def request(method, target, status, seconds, client="127.0.0.1:5"):
            console(client, method, target, "1.1", status, seconds, 0, None)
            return stream.getvalue()

        return request

    yield make
    logging.getLogger("covet.access").setLevel(logging.NOTSET)


def test_a_request_is_one_line_in_columns(log):
    line = log()("POST", "/users", 201, 0.0006)
    assert re.fullmatch(r"\d\d:\d\d:\d\d  POST /users                   201    0\.6 ms\n", line)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.00004, "0.04 ms"), (0.0006, "0.6 ms"), (0.0126, "13 ms"), (2.345, "2.35 s")]
)
def test_durations_have_few_figures(log, seconds, text):
    assert log()("GET", "/", 200, seconds).endswith(f" {text}\n")


def test_a_note_stands_on_the_line_of_its_client_only(log):
    request = log()
    note(("127.0.0.1", 7), "body.email: field required")
    assert "email" not in request("GET", "/", 200, 0.001, "127.0.0.1:5")
    assert request("POST", "/", 422, 0.001, "127.0.0.1:7").endswith("   body.email: field required\n")
    assert request("POST", "/", 422, 0.001, "127.0.0.1:7").count("email") == 1


def test_notes_without_a_line_do_not_pile_up(log):
    for port in range(5000):
        note(("127.0.0.1", port), "text")
    kept = sum("text" in log()("GET", "/", 200, 0.001, f"127.0.0.1:{port}") for port in range(5000))
    assert 0 < kept <= 1000


def test_what_a_client_sends_cannot_drive_the_terminal(log):
    note(("127.0.0.1", 5), "\x1b[31mred")
    line = log()("GET", "/\x1b[2J?token=abc", 200, 0.001)
    assert "\x1b" not in line
    assert "abc" not in line


@pytest.mark.parametrize(("status", "code"), [(200, 32), (302, 36), (404, 33), (500, 31)])
def test_a_status_has_its_colour(log, status, code):
    assert f"\x1b[{code}m{status}\x1b[0m" in log(color=True)("GET", "/", status, 0.001)


def test_messages_name_their_level_only_when_it_matters():
    formatter = ConsoleFormatter()

    def line(level, text):
        return formatter.format(logging.LogRecord("covet", level, "", 1, text, (), None))[8:]

    assert line(logging.INFO, "main.py changed") == "  main.py changed"
    assert line(logging.WARNING, "shadowed") == "  warning  shadowed"


@pytest.mark.parametrize(("log_format", "kind"), [("text", ConsoleFormatter), ("json", logs.JsonFormatter)])
def test_development_has_the_console_unless_json_is_asked_for(log_format, kind):
    logger = logging.getLogger("covet")
    before = logger.handlers[:], logger.level, logger.propagate
    try:
        logs.configure(Settings(development=True, log_format=log_format), io.StringIO())
        assert type(logger.handlers[0].formatter) is kind
    finally:
        logger.handlers[:], logger.propagate = before[0], before[2]
        logger.setLevel(before[1])


def test_the_first_error_names_its_place_and_how_many_follow():
    errors = [
        {"loc": ("body", "items", 0, "email"), "msg": "Field required"},
        {"loc": ("query", "page"), "msg": "Input should be a valid integer"},
    ]
    assert first_error(RequestValidationError(errors)) == "body.items.0.email: field required (and 1 more)"
    assert first_error(RequestValidationError([])) == ""


@pytest.mark.parametrize("asynchronous", [True, False])
def test_noting_leaves_the_applications_own_handler_as_it_is(asynchronous):
    from covet import CovetPy
    from covet.responses import PlainTextResponse
    from covet.testclient import TestClient

    app = CovetPy()

    @app.get("/")
    async def page(size: int) -> int:
        return size

    def handle(request, error):
        return PlainTextResponse("mine", 400)

    async def handle_asynchronously(request, error):
        return handle(request, error)

    app.exception_handler(RequestValidationError)(handle_asynchronously if asynchronous else handle)
    note_validation_errors(app)
    answer = TestClient(app).get("/?size=big")
    assert (answer.status_code, answer.text) == (400, "mine")
