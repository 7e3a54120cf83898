//! Wakes an event loop from other threads: a descriptor that becomes readable. The pool rings, the loop clears.
//! Never blocks, never fails loudly: a full pipe means that it rings already.

#[cfg(target_os = "linux")]
mod bell {
    use std::io;
    use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

    use rustix::event::{EventfdFlags, eventfd};

    /// An eventfd.
    pub(crate) struct Doorbell(OwnedFd);

    impl Doorbell {
        /// A silent bell.
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
        }

        /// Make the descriptor readable.
        pub(crate) fn ring(&self) {
            let _already_ringing = rustix::io::write(self.0.as_fd(), &1u64.to_ne_bytes());
        }

        /// Make it silent.
        pub(crate) fn clear(&self) {
            let _silent_already = rustix::io::read(self.0.as_fd(), &mut [0u8; 8]);
        }

        /// The descriptor to watch.
        pub(crate) fn descriptor(&self) -> RawFd {
            self.0.as_raw_fd()
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod bell {
    use std::io::{self, Read, Write};
    use std::os::fd::{AsRawFd, RawFd};
    use std::os::unix::net::UnixStream;

    /// A socket pair.
    pub(crate) struct Doorbell {
        outside: UnixStream,
        inside: UnixStream,
    }

    impl Doorbell {
        /// A silent bell.
        pub(crate) fn new() -> io::Result<Self> {
            let (outside, inside) = UnixStream::pair()?;
            outside.set_nonblocking(true)?;
            inside.set_nonblocking(true)?;
            Ok(Self { outside, inside })
        }

        /// Make the descriptor readable.
        pub(crate) fn ring(&self) {
            let _already_ringing = (&self.outside).write(&[1]);
        }

        /// Make it silent.
        pub(crate) fn clear(&self) {
            let mut scratch = [0u8; 256];
            while matches!((&self.inside).read(&mut scratch), Ok(read) if read == scratch.len()) {}
        }

        /// The descriptor to watch.
        pub(crate) fn descriptor(&self) -> RawFd {
            self.inside.as_raw_fd()
        }
    }
}

pub(crate) use bell::Doorbell;
