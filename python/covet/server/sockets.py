"""Listening sockets: TCP, unix, or inherited. Opened once, in the process that lives longest.

A unix socket's file is replaced only when nobody answers on it, and removed only while it is still ours.
Whoever opened a socket closes it in two steps, because the system resets what waits in its queue.
"""

import errno
import os
import socket
import stat
import struct
import sys
from array import array
from dataclasses import dataclass

from .settings import Settings, SettingsError

__all__ = ["HANDSHAKE", "Listener", "open_listeners"]

FIRST_INHERITED = 3  # sd_listen_fds(3): descriptors start here
HANDSHAKE = 0.05  # seconds that handshakes get which were under way when newcomers were turned away
SO_ATTACH_FILTER = 26  # asm-generic/socket.h; Python has no name for it
# A classic BPF program of (code, jump if true, jump if false, operand): packets that ask for a new
# connection are dropped, those of handshakes under way pass.
WITHOUT_SYN = (
    (0x30, 0, 0, 13),  # load the byte of the TCP flags
    (0x45, 0, 1, 0x02),  # SYN?
    (0x06, 0, 0, 0),  # drop it: the client asks again, and then it is refused
    (0x06, 0, 0, 0xFFFFFFFF),  # let it pass
)


@dataclass(slots=True)
class Listener:
    """One listening socket, the address people may be told, and the file to remove at the end.

    `opened` says that this process, or the one it was forked from, has made the socket: nobody else listens
    on it.
    """

    socket: socket.socket
    address: str
    file: tuple[str, int] | None = None
    opened: bool = False

    def turn_away(self) -> bool:
        """Let nobody new into the queue, so that it can be emptied before it is closed.

        Only for the last process that accepts from it. Return whether handshakes may be under way whose
        clients believe that they are in: they need the time `HANDSHAKE`.
        """
        if not self.opened:
            return False
        if self.socket.family == socket.AF_UNIX:
            self._remove_file()
            return False
        return sys.platform == "linux" and _drop_newcomers(self.socket)

    def close(self) -> None:
        """Stop listening; remove the socket's file if nobody has put another in its place."""
        self.socket.close()
        self._remove_file()

    def _remove_file(self) -> None:
        if self.file is None:
            return
        path, inode = self.file
        self.file = None
        try:
            if os.stat(path).st_ino == inode:
                os.unlink(path)
        except OSError:
            pass


def _drop_newcomers(listener: socket.socket) -> bool:
    program = array("B", b"".join(struct.pack("=HBBI", *step) for step in WITHOUT_SYN))
    address, _ = program.buffer_info()
    try:
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(WITHOUT_SYN), address))
    except OSError:  # a sandbox may have no filters; then a newcomer may still be reset
        return False
    return True


def open_listeners(settings: Settings) -> list[Listener]:
    """Open what the settings name; sockets that systemd passed come before host and port."""
    if settings.uds is not None:
        return [_unix(settings.uds, settings.backlog)]
    if settings.fd is not None:
        return [_inherited(settings.fd)]
    passed = _passed_by_systemd()
    if passed:
        return [_inherited(fd) for fd in passed]
    return [_tcp(settings.host, settings.port, settings.backlog)]


def _tcp(host: str, port: int, backlog: int) -> Listener:
    try:
        found = socket.getaddrinfo(
            # Bytes: text would go through the IDNA codec, which takes longer to load than to listen.
            (host.encode() if host.isascii() else host) or None,
            port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV,
        )
    except socket.gaierror as error:
        raise SettingsError(
            f"cannot listen on {host!r}: {error.strerror}. Give an address or a name of this machine."
        ) from None
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(backlog)
    except OSError as error:
        listener.close()
        raise SettingsError(_why_not(error, host, port)) from None
    listener.setblocking(False)
    return Listener(listener, _url(listener), opened=True)


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        text = f"port {port} on {host} is already in use"
        return f"{text}. Stop the other server or choose another port: --port {port + 1}"
    if error.errno == errno.EACCES:
        return f"this user may not listen on port {port}. Ports below 1024 need root; try --port 8000"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine. Try --host 127.0.0.1 or --host 0.0.0.0"
    return f"cannot listen on {host}:{port}: {error.strerror}"


# What `sun_path` holds besides its final zero on Linux; where it is shorter the system refuses by itself.
_LONGEST_PATH = 107


def _unix(path: str, backlog: int) -> Listener:
    if (length := len(os.fsencode(path))) > _LONGEST_PATH:
        text = f"the path of the unix socket has {length} bytes, the system allows {_LONGEST_PATH}"
        raise SettingsError(f"{text}. Choose a shorter --uds path: {path}")
    _clear_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(path)
        # A proxy usually runs as another user; the folder's permissions decide who may come near.
        os.chmod(path, 0o666)
        listener.listen(backlog)
    except OSError as error:
        listener.close()
        raise SettingsError(f"cannot listen on the unix socket {path}: {error.strerror or error}") from None
    listener.setblocking(False)
    return Listener(listener, f"unix:{path}", (path, os.stat(path).st_ino), opened=True)


def _clear_stale(path: str) -> None:
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return
    if not stat.S_ISSOCK(mode):
        raise SettingsError(f"{path} exists and is not a socket. Move it away or choose another --uds path.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except OSError as error:
            raise SettingsError(
                f"cannot tell whether {path} is in use: {error}. Remove it if it is stale."
            ) from None
    raise SettingsError(f"another server already answers on {path}. Stop it or choose another --uds path.")


def _inherited(fd: int) -> Listener:
    try:
        listener = socket.socket(fileno=fd)
        listening = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise SettingsError(
            f"file descriptor {fd} is not a socket that we inherited: {error.strerror}"
        ) from None
    if not listening:
        listener.detach()
        raise SettingsError(
            f"the socket on file descriptor {fd} does not listen; whoever opens it must call listen()"
        )
    listener.setblocking(False)
    os.set_inheritable(fd, False)
    return Listener(listener, _url(listener))


def _passed_by_systemd() -> range:
    """The descriptors of socket activation, if they are meant for this very process."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return range(0)
    count = os.environ.pop("LISTEN_FDS", "")
    for name in ("LISTEN_PID", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    return range(FIRST_INHERITED, FIRST_INHERITED + int(count)) if count.isdigit() else range(0)


def _url(listener: socket.socket) -> str:
    name = listener.getsockname()
    if listener.family == socket.AF_UNIX:
        path = name.decode() if isinstance(name, bytes) else name
        return f"unix:{path}"
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    return f"http://{host}:{name[1]}"
