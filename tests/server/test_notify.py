"""What systemd hears."""

import os
import socket

import pytest

from covet.server.notify import notify, watchdog_pause


@pytest.fixture
def channel(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.settimeout(2)
        yield channel


def test_a_state_is_sent(channel, tmp_path, monkeypatch):
    channel.bind(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    notify("READY=1")
    assert channel.recv(100) == b"READY=1"


def test_an_abstract_address_is_understood(channel, monkeypatch):
    name = f"covet-test-{os.getpid()}"
    channel.bind("\0" + name)
    monkeypatch.setenv("NOTIFY_SOCKET", "@" + name)
    notify("STOPPING=1")
    assert channel.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize("path", ["", "/nowhere/at/all"])
def test_nobody_listens(monkeypatch, path):
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    notify("READY=1")


@pytest.mark.parametrize(
    ("microseconds", "pid", "pause"),
    [("", "", None), ("3000000", "", 1.5), ("3000000", "1", None), ("soon", "", None)],
)
def test_the_watchdog_is_fed_twice_within_its_patience(monkeypatch, microseconds, pid, pause):
    monkeypatch.setenv("WATCHDOG_USEC", microseconds)
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    if pid:
        monkeypatch.setenv("WATCHDOG_PID", pid)
    assert watchdog_pause() == pause
