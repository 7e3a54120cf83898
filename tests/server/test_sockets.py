"""Opening listening sockets, and what is said when that fails."""

import os
import socket

import pytest

from covet.server import Settings, SettingsError
from covet.server.sockets import open_listeners


def refused(**settings):
    with pytest.raises(SettingsError) as error:
        open_listeners(Settings(**settings))
    assert error.value.code == 1
    return str(error.value)


def test_a_free_port_is_picked_and_told():
    (listener,) = open_listeners(Settings(host="127.0.0.1", port=0))
    assert listener.address == f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
    assert not listener.socket.getblocking()
    listener.close()


def test_ipv6_is_told_in_brackets():
    try:
        (listener,) = open_listeners(Settings(host="::1", port=0))
    except SettingsError:
        pytest.skip("no IPv6 here")
    assert listener.address.startswith("http://[::1]:")
    listener.close()


def test_a_taken_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"--port {port + 1}" in refused(host="127.0.0.1", port=port)


def test_an_address_of_another_machine():
    assert "not an address of this machine" in refused(host="192.0.2.1", port=0)


def test_a_name_nobody_knows():
    assert "no-such-host.invalid" in refused(host="no-such-host.invalid", port=0)


def test_a_file_is_never_replaced(tmp_path):
    (tmp_path / "file").write_text("precious")
    assert "is not a socket" in refused(uds=str(tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "precious"


def test_a_folder_that_is_not_there(tmp_path):
    assert "cannot listen" in refused(uds=str(tmp_path / "nowhere" / "sock"))


def test_a_path_that_is_too_long_is_measured(tmp_path):
    path = tmp_path / ("x" * 120)
    assert f"has {len(str(path))} bytes, the system allows 107" in refused(uds=str(path))


def test_somebody_elses_new_socket_is_not_removed(tmp_path):
    path = str(tmp_path / "sock")
    (listener,) = open_listeners(Settings(uds=path))
    os.unlink(path)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path)
        listener.close()
        assert os.path.exists(path)


def test_a_descriptor_that_is_closed():
    assert "file descriptor" in refused(fd=987)


def test_a_descriptor_that_does_not_listen():
    with socket.socket() as quiet:
        assert "does not listen" in refused(fd=os.dup(quiet.fileno()))


def test_sockets_passed_to_another_process_are_not_ours(monkeypatch):
    monkeypatch.setenv("LISTEN_PID", "1")
    monkeypatch.setenv("LISTEN_FDS", "1")
    (listener,) = open_listeners(Settings(host="127.0.0.1", port=0))
    assert listener.address.startswith("http://127.0.0.1:")
    listener.close()


def test_who_is_turned_away_is_not_in_the_queue():
    (listener,) = open_listeners(Settings(host="127.0.0.1", port=0))
    address = listener.socket.getsockname()
    with socket.create_connection(address), socket.socket() as newcomer:
        assert listener.turn_away()
        newcomer.settimeout(0.2)
        with pytest.raises(TimeoutError):
            newcomer.connect(address)
        accepted, _ = listener.socket.accept()
        accepted.close()
        with pytest.raises(BlockingIOError):
            listener.socket.accept()
    listener.close()


def test_a_unix_socket_turns_away_by_its_file(tmp_path):
    path = tmp_path / "socket"
    (listener,) = open_listeners(Settings(uds=str(path)))
    listener.turn_away()
    path.write_text("somebody else's by now")
    listener.close()
    assert path.exists()


def test_a_socket_of_somebody_else_is_left_open():
    with socket.create_server(("127.0.0.1", 0)) as theirs:
        address = theirs.getsockname()
        (listener,) = open_listeners(Settings(fd=os.dup(theirs.fileno())))
        assert not listener.turn_away()
        listener.close()
        socket.create_connection(address, 1).close()
