"""What log lines look like, and what they never show."""

import asyncio
import io
import json
import logging

import pytest

from covet.server import Settings, SettingsError, logs
from covet.server.access_log import AccessLog


@pytest.fixture(autouse=True)
def _restore():
    yield
    for name in ("covet", "covet.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.filters.clear()
        logger.setLevel(logging.NOTSET)
    logging.getLogger("covet").propagate = True
    logs.set_worker("")


def configured(**changes):
    stream = io.StringIO()
    logs.configure(Settings(**changes), stream)
    return stream


def entry(client, method, target, version, status, seconds=0.0123, size=42, request_id=None):
    return (client, method, target, version, status, seconds, size, request_id)


def request(*entries):
    async def main():
        access = AccessLog(asyncio.get_running_loop())
        for each in entries:
            access(*each)
        await asyncio.sleep(0)

    asyncio.run(main())


def test_a_request_is_one_line():
    stream = configured()
    request(entry("1.2.3.4:5", "GET", "/x?y=1", "1.1", 200))
    assert stream.getvalue().endswith('1.2.3.4:5 - "GET /x?y=1 HTTP/1.1" 200 12.3ms\n')


def test_the_worker_is_named():
    stream = configured()
    logs.set_worker("worker 2")
    request(entry("1.2.3.4:5", "GET", "/", "1.1", 200))
    assert "[worker 2]" in stream.getvalue()


def test_control_characters_cannot_forge_a_line():
    stream = configured()
    request(entry("1.2.3.4:5", "GET", "/a\r\nfake\x1b[31m\x85", "1.1", 200))
    assert stream.getvalue().count("\n") == 1
    assert r"/a\x0d\x0afake\x1b[31m\x85" in stream.getvalue()


@pytest.mark.parametrize("name", ["token", "access_token", "password", "API_KEY", "client_secret", "code"])
def test_secrets_in_the_query_are_hidden(name):
    assert logs.mask(f"/x?a=1&{name}=hunter2&b=2") == f"/x?a=1&{name}=***&b=2"


@pytest.mark.parametrize("target", ["/x?a=1", "/x", "/x?monkeys=2", "/tokens/7"])
def test_other_queries_stay(target):
    assert logs.mask(target) == target


def test_json_has_the_fields_of_a_request():
    stream = configured(log_format="json")
    logs.set_worker("worker 1")
    request(entry("1.2.3.4:5", "GET", "/x?token=1", "1.1", 404))
    line = json.loads(stream.getvalue())
    assert line["logger"] == "covet.access"
    assert (line["client"], line["method"], line["path"], line["status"]) == (
        "1.2.3.4:5",
        "GET",
        "/x?token=***",
        404,
    )
    assert line["worker"] == "worker 1"
    assert (line["duration_ms"], line["bytes"]) == (12.3, 42)
    assert "request_id" not in line


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_request_is_called_by_its_id(log_format):
    stream = configured(log_format=log_format)
    request(entry("1.2.3.4:5", "GET", "/x", "1.1", 200, request_id="abc-1"))
    assert ("[abc-1]" if log_format == "text" else '"request_id": "abc-1"') in stream.getvalue()


@pytest.mark.parametrize("name", [None, "a\x1bb"])
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_batch_reads_like_records(log_format, name, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1e9)
    noted = entry("1.2.3.4:5", "GET", "/\u00e9\x00?key=1", "1.1", 404, request_id=name)
    batch = configured(log_format=log_format)
    request(noted)
    records = configured(log_format=log_format)
    handler = logging.getLogger("covet").handlers[0]
    handler.addFilter(lambda record: setattr(record, "created", 1e9) or True)
    request(noted)
    assert batch.getvalue() == records.getvalue() != ""


def test_a_request_id_on_the_record_is_shown():
    stream = configured(log_format="json")
    logging.getLogger("covet").info("hello", extra={"correlation_id": "abc"})
    assert json.loads(stream.getvalue())["request_id"] == "abc"


def test_filters_see_uvicorns_five_arguments():
    seen = []
    configured()
    logging.getLogger("covet.access").addFilter(lambda record: seen.append(record.args) or False)
    request(entry("1.2.3.4:5", "GET", "/health", "1.1", 200))
    assert seen == [("1.2.3.4:5", "GET", "/health", "1.1", 200)]


def test_a_filter_can_drop_a_record():
    stream = configured()
    logging.getLogger("covet.access").addFilter(lambda record: "/health" not in record.args[2])
    request(entry("1.2.3.4:5", "GET", "/health", "1.1", 200), entry("1.2.3.4:5", "GET", "/x", "1.1", 200))
    assert stream.getvalue().count("\n") == 1


def test_an_unknown_log_level_is_a_usage_error():
    with pytest.raises(SettingsError, match="--log-level") as error:
        configured(log_level="loud")
    assert error.value.code == 2


def test_a_traceback_stays_readable_in_text():
    stream = configured()
    try:
        raise ValueError("boom")
    except ValueError:
        logging.getLogger("covet").exception("failed")
    assert "ValueError: boom" in stream.getvalue().splitlines()[-1]


def test_a_traceback_leaves_out_our_own_frames():
    stream = configured()
    try:
        logs.configure(Settings(log_level="loud"))
    except SettingsError:
        logging.getLogger("covet").exception("failed")
    assert "test_logs.py" in stream.getvalue()
    assert "covet/server" not in stream.getvalue()


def test_a_traceback_cannot_drive_a_terminal():
    stream = configured()
    try:
        raise ValueError("\x1b[31m")
    except ValueError:
        logging.getLogger("covet").exception("failed")
    assert "\x1b" not in stream.getvalue()


def test_a_log_config_wins(tmp_path):
    config = tmp_path / "log.json"
    config.write_text(json.dumps({"version": 1, "loggers": {"covet": {"level": "ERROR"}}}))
    configured(log_config=str(config))
    assert logging.getLogger("covet").level == logging.ERROR


@pytest.mark.parametrize("text", ["not json", "[]", '{"version": 7}'])
def test_a_broken_log_config_is_one_paragraph(tmp_path, text):
    config = tmp_path / "log.json"
    config.write_text(text)
    with pytest.raises(SettingsError, match=r"log\.json"):
        configured(log_config=str(config))


def test_the_applications_own_records_get_our_format(monkeypatch, capsys):
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    logs.adopt_root(Settings(log_format="json"))
    logging.getLogger("shop").warning("two\nlines")
    assert json.loads(capsys.readouterr().err)["message"] == "two\nlines"


def test_an_application_that_configures_logging_is_left_alone(monkeypatch):
    root = logging.getLogger()
    own = logging.NullHandler()
    monkeypatch.setattr(root, "handlers", [own])
    logs.adopt_root(Settings())
    assert root.handlers == [own]


@pytest.mark.parametrize(
    ("environment", "choice", "colored"),
    [
        ({}, None, False),
        ({"FORCE_COLOR": "1"}, None, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, None, False),
        ({"NO_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "1"}, False, False),
    ],
)
def test_who_decides_on_colour(monkeypatch, environment, choice, colored):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert logs.wants_color(io.StringIO(), choice) is colored


def test_an_ini_file_configures_logging(tmp_path):
    config = tmp_path / "log.ini"
    config.write_text(
        "[loggers]\nkeys=root,covet\n[handlers]\nkeys=\n[formatters]\nkeys=\n"
        "[logger_root]\nhandlers=\n[logger_covet]\nqualname=covet\nlevel=CRITICAL\nhandlers=\n"
    )
    before = logging.getLogger().handlers[:]
    configured(log_config=str(config))
    logging.getLogger().handlers[:] = before
    assert logging.getLogger("covet").level == logging.CRITICAL
