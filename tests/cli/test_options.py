"""Flags, variables and defaults, and which of them wins."""

import pytest

from covet.cli.options import OPTIONS, add_options, read_settings
from covet.cli.parser import Parser
from covet.server import Settings, SettingsError


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    for option in OPTIONS:
        for name in option.variables:
            monkeypatch.delenv(name, raising=False)


def read(*flags):
    parser = Parser("covet run", "", "")
    add_options(parser)
    return read_settings(parser.read(flags))


def test_without_anything_the_defaults_hold():
    assert read() == Settings()


def test_every_option_is_a_setting():
    by_hand = {"compat", "development"}  # COVET_COMPAT is read before the rest; `covet dev` is the other
    assert {option.name for option in OPTIONS} | by_hand == set(Settings._fields)


def test_a_flag_wins_over_our_variable_over_the_platforms(monkeypatch):
    monkeypatch.setenv("PORT", "1000")
    assert read().port == 1000
    monkeypatch.setenv("COVET_PORT", "2000")
    assert read().port == 2000
    assert read("--port", "3000").port == 3000


@pytest.mark.parametrize(
    ("flags", "field", "value"),
    [
        (("--forwarded-allow-ips", "10.0.0.1,10.0.0.2"), "trusted_proxies", ("10.0.0.1", "10.0.0.2")),
        (("--limit-max-requests", "5"), "max_requests", 5),
        (("--limit-max-requests-jitter", "6"), "max_requests_jitter", 6),
        (("--timeout-graceful-shutdown", "7"), "timeout_drain", 7.0),
        (("--no-use-colors",), "color", False),
        (("--no-access-log",), "access_log", False),
        (("--no-server-header",), "server_header", False),
        (("--header", "a:1,2", "--header", "b:3"), "header", ("a:1,2", "b:3")),
        (("-w", "3"), "workers", 3),
    ],
)
def test_uvicorns_names_are_understood(flags, field, value):
    assert getattr(read(*flags), field) == value


@pytest.mark.parametrize(("text", "value"), [("1", True), ("yes", True), ("off", False), ("FALSE", False)])
def test_switches_are_read_from_the_environment(monkeypatch, text, value):
    monkeypatch.setenv("COVET_ACCESS_LOG", text)
    assert read().access_log is value


def test_lists_are_read_from_the_environment(monkeypatch):
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "10.0.0.0/8, ::1")
    assert read().trusted_proxies == ("10.0.0.0/8", "::1")


@pytest.mark.parametrize("name", ["COVET_PORT", "PORT"])
def test_a_bad_variable_is_named(monkeypatch, name):
    monkeypatch.setenv(name, "many")
    with pytest.raises(SettingsError, match=f"^{name}: 'many' is not a port") as error:
        read()
    assert error.value.code == 2


@pytest.mark.parametrize(
    "flags",
    [
        ("--port", "65536"),
        ("--workers", "0"),
        ("--timeout-drain", "-1"),
        ("--loop", "trio"),
        ("--reload", "--workers", "2"),
        ("--max-requests", "x"),
    ],
)
def test_a_bad_flag_is_a_usage_error(flags):
    with pytest.raises(SettingsError) as error:
        read(*flags)
    assert error.value.code == 2


def test_reload_stops_at_once_unless_told_otherwise():
    assert read("--reload").timeout_drain == 0.2
    assert read("--reload", "--timeout-drain", "9").timeout_drain == 9


@pytest.mark.parametrize(
    ("flags", "supervised"),
    [((), False), (("--workers", "2"), True), (("--reload",), True), (("--max-requests", "9"), True)],
)
def test_only_what_needs_a_parent_has_one(flags, supervised):
    assert read(*flags).supervised is supervised


@pytest.mark.parametrize(
    ("flags", "trusts"),
    [
        ((), ()),
        (("--proxy-headers",), ("127.0.0.0/8", "::1", "unix")),
        (("--trusted-proxies", "10.0.0.1"), ("10.0.0.1",)),
        (("--trusted-proxies", "10.0.0.1", "--no-proxy-headers"), ()),
    ],
)
def test_whom_forwarded_headers_are_believed(flags, trusts):
    assert read(*flags).trusts == trusts
