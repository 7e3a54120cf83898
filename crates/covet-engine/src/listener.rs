//! A listening socket: bound here, or inherited from a supervisor. Made before the engine, so that an
//! address in use is reported before anything else starts; accepting is the engine's.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net as unix;
use std::path::Path;

use mio::event::Source;
use socket2::{Domain, SockRef, Socket, Type};

use crate::endpoint::Address;
use crate::error::{Error, Kind};
use crate::stream::Stream;

/// Bytes of answers that the system takes for one connection before it can send them.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 128 << 10;

/// A socket that accepts connections.
#[derive(Debug)]
pub struct Listener {
    socket: Kindred,
    address: Address,
}

#[derive(Debug)]
enum Kindred {
    Tcp(mio::net::TcpListener),
    Unix(mio::net::UnixListener),
}

impl Listener {
    /// Binds a TCP address. `reuse_port` lets several processes bind it, each with a queue of its own.
    pub fn tcp(address: SocketAddr, backlog: i32, reuse_port: bool) -> Result<Self, Error> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)
            .map_err(Error::io("make a socket"))?;
        socket
            .set_reuse_address(true)
            .map_err(Error::io("set SO_REUSEADDR"))?;
        if reuse_port {
            socket
                .set_reuse_port(true)
                .map_err(Error::io("set SO_REUSEPORT"))?;
        }
        if address.is_ipv6() {
            // `::` is every IPv6 address and nothing else: the same on each system.
            socket.set_only_v6(true).map_err(Error::io("set IPV6_V6ONLY"))?;
        }
        socket
            .bind(&address.into())
            .map_err(Error::io("bind the address"))?;
        socket.listen(backlog).map_err(Error::io("listen"))?;
        Self::inherited(socket.into())
    }

    /// Binds a path. A socket file that nobody listens on any more is replaced; anything else is an error.
    pub fn unix(path: &Path) -> Result<Self, Error> {
        let bound = match unix::UnixListener::bind(path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_stale(path) => {
                std::fs::remove_file(path).map_err(Error::io("remove the stale socket file"))?;
                unix::UnixListener::bind(path)
            }
            other => other,
        };
        Self::inherited(bound.map_err(Error::io("bind the unix socket"))?.into())
    }

    /// Takes a listening socket that somebody else bound.
    pub fn inherited(descriptor: OwnedFd) -> Result<Self, Error> {
        let socket = Socket::from(descriptor);
        let local = socket.local_addr().map_err(|_| Kind::NotASocket)?;
        socket
            .set_nonblocking(true)
            .map_err(Error::io("make the socket non-blocking"))?;
        if let Some(address) = local.as_socket() {
            // Connections inherit it; answers are put together here, so waiting for more bytes gains nothing.
            socket
                .set_tcp_nodelay(true)
                .map_err(Error::io("set TCP_NODELAY"))?;
            limit_unsent(&socket);
            let socket = Kindred::Tcp(mio::net::TcpListener::from_std(socket.into()));
            return Ok(Self {
                socket,
                address: Address::Tcp(address),
            });
        }
        if local.is_unix() {
            let address = Address::Unix(local.as_pathname().map(Path::to_path_buf));
            let socket = Kindred::Unix(mio::net::UnixListener::from_std(OwnedFd::from(socket).into()));
            return Ok(Self { socket, address });
        }
        Err(Kind::NotASocket.into())
    }

    /// Where it listens; the port is the real one even when 0 was asked for.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Takes the next waiting connection and the client's address.
    pub(crate) fn accept(&self) -> io::Result<(Stream, Address)> {
        match &self.socket {
            Kindred::Tcp(socket) => {
                let (stream, remote) = socket.accept()?;
                Ok((Stream::Tcp(stream), Address::Tcp(remote)))
            }
            Kindred::Unix(socket) => {
                let (stream, remote) = socket.accept()?;
                Ok((
                    Stream::Unix(stream),
                    Address::Unix(remote.as_pathname().map(Path::to_path_buf)),
                ))
            }
        }
    }

    pub(crate) fn source(&mut self) -> &mut dyn Source {
        match &mut self.socket {
            Kindred::Tcp(socket) => socket,
            Kindred::Unix(socket) => socket,
        }
    }
}

/// Connections inherit this as well. Without it the system takes megabytes for a peer that never reads, and while it
/// copies them everybody else waits. Bytes on their way do not count, so a fast peer is served as fast.
/// A failure costs no more than that: a sandbox may not know the option.
#[cfg(target_os = "linux")]
fn limit_unsent(socket: &Socket) {
    let _ = socket.set_tcp_notsent_lowat(UNSENT);
}

/// The option has no safe name elsewhere.
#[cfg(not(target_os = "linux"))]
fn limit_unsent(_: &Socket) {}

/// True when `path` is a socket file and nobody answers behind it.
fn is_stale(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket());
    is_socket
        && unix::UnixStream::connect(path)
            .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

/// Keeps the connection's own idea of its address where the listener only knows a wildcard.
pub(crate) fn local_address(listener: &Address, stream: &Stream) -> Address {
    match listener {
        Address::Tcp(address) if address.ip().is_unspecified() => match stream {
            Stream::Tcp(stream) => {
                let local = SockRef::from(stream)
                    .local_addr()
                    .ok()
                    .and_then(|local| local.as_socket());
                local.map_or(Address::Unknown, Address::Tcp)
            }
            Stream::Unix(_) => Address::Unknown,
        },
        other => other.clone(),
    }
}
