//! The kernel's notices that something in a folder changed, for reload: inotify without a thread of its own, so
//! that the process that watches may fork. Which notices matter is decided in Python (covet/server/watcher.py).

use std::ffi::OsString;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

/// (watch, name in its folder, whether that is a folder); no watch means that notices were lost.
type Notice = (Option<i32>, Option<OsString>, bool);

/// Notices of some folders, read from one descriptor.
#[pyclass(frozen, module = "covet._engine")]
pub(crate) struct FolderWatch {
    notices: OwnedFd,
}

#[pymethods]
impl FolderWatch {
    #[new]
    fn new() -> PyResult<Self> {
        Ok(Self {
            notices: kernel::open().map_err(raised)?,
        })
    }

    /// The descriptor, readable when there are notices.
    fn fileno(&self) -> i32 {
        self.notices.as_raw_fd()
    }

    /// Watch a folder, not what lies in folders below it; the same folder gives the same number again.
    fn add(&self, folder: PathBuf) -> PyResult<i32> {
        kernel::add(&self.notices, &folder).map_err(raised)
    }

    /// The notices that have come; a folder that is gone is (its number, None, True).
    fn read(&self) -> PyResult<Vec<Notice>> {
        kernel::read(&self.notices).map_err(raised)
    }
}

/// An OSError with its number, which pyo3's own conversion leaves out.
fn raised(error: std::io::Error) -> PyErr {
    PyOSError::new_err((error.raw_os_error(), error.to_string()))
}

#[cfg(target_os = "linux")]
mod kernel {
    use std::ffi::OsStr;
    use std::io;
    use std::mem::MaybeUninit;
    use std::os::fd::OwnedFd;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

    use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
    use rustix::io::Errno;

    use super::Notice;

    /// The most notices of one look; the rest stays readable.
    const MOST: usize = 4096;

    pub(super) fn open() -> io::Result<OwnedFd> {
        Ok(inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?)
    }

    pub(super) fn add(notices: &OwnedFd, folder: &Path) -> io::Result<i32> {
        // Nothing that merely reads: an import reads every source, and must not look like an edit.
        let changes = WatchFlags::MODIFY
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::ATTRIB
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVE
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF;
        let flags = changes | WatchFlags::ONLYDIR | WatchFlags::EXCL_UNLINK;
        Ok(inotify::add_watch(notices, folder, flags)?)
    }

    pub(super) fn read(notices: &OwnedFd) -> io::Result<Vec<Notice>> {
        let mut buffer = [MaybeUninit::uninit(); 8192];
        let mut reader = Reader::new(notices, &mut buffer);
        let mut found = Vec::new();
        while found.len() < MOST || !reader.is_buffer_empty() {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(error.into()),
            };
            let flags = event.events();
            let watch = (!flags.contains(ReadFlags::QUEUE_OVERFLOW)).then_some(event.wd());
            let name = event
                .file_name()
                .map(|name| OsStr::from_bytes(name.to_bytes()).to_owned());
            let folder = name.is_none() || flags.contains(ReadFlags::ISDIR);
            found.push((watch, name, folder));
        }
        Ok(found)
    }
}

#[cfg(not(target_os = "linux"))]
mod kernel {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::path::Path;

    use super::Notice;

    pub(super) fn open() -> io::Result<OwnedFd> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn add(_: &OwnedFd, _: &Path) -> io::Result<i32> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn read(_: &OwnedFd) -> io::Result<Vec<Notice>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
