//! The transport under the engine, replaceable: who says which sockets are ready, and when time is up.
//! `NestedPoll` is an epoll (kqueue) instance of our own whose descriptor the user's event loop watches.

use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use mio::event::Source;
use mio::{Events, Interest, Poll, Waker};

/// Names a registered source.
pub type Token = usize;

/// What happened to one source since it was last told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// The source.
    pub token: Token,
    /// There is something to read, perhaps the end.
    pub readable: bool,
    /// There is room to write.
    pub writable: bool,
    /// The peer will send nothing more.
    pub read_closed: bool,
    /// The peer takes nothing more.
    pub write_closed: bool,
}

/// Tells which sockets are ready.
pub trait Driver {
    /// What the user's event loop waits for.
    fn descriptor(&self) -> RawFd;

    /// Adds to `ready` what happened, without waiting. True when there may be more.
    fn poll(&mut self, ready: &mut Vec<Ready>) -> io::Result<bool>;

    /// Watches a source for reading, and for writing if asked, telling each change once.
    fn add(&mut self, source: &mut dyn Source, token: Token, writing: bool) -> io::Result<()>;

    /// Stops watching a source.
    fn remove(&mut self, source: &mut dyn Source) -> io::Result<()>;

    /// Makes the descriptor readable after `delay`, replacing the last wish. False where only the user's loop
    /// has timers.
    fn alarm(&mut self, delay: Duration) -> bool;

    /// Makes the descriptor readable from any thread.
    fn bell(&self) -> Arc<Waker>;
}

/// Events fetched at once.
const EVENTS: usize = 256;

/// Tokens above every connection's slot.
const BELL: Token = usize::MAX;
#[cfg(target_os = "linux")]
const TIMER: Token = usize::MAX - 1;

/// The driver for Linux and macOS.
pub struct NestedPoll {
    poll: Poll,
    events: Events,
    bell: Arc<Waker>,
    #[cfg(target_os = "linux")]
    timer: std::os::fd::OwnedFd,
}

impl NestedPoll {
    /// A driver without sources.
    pub fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let bell = Arc::new(Waker::new(poll.registry(), mio::Token(BELL))?);
        Ok(Self {
            #[cfg(target_os = "linux")]
            timer: Self::timer(&poll)?,
            events: Events::with_capacity(EVENTS),
            poll,
            bell,
        })
    }

    #[cfg(target_os = "linux")]
    fn timer(poll: &Poll) -> io::Result<std::os::fd::OwnedFd> {
        use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};
        let timer = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
        )?;
        // Edge-triggered and set anew each time: it never needs to be read.
        let raw = timer.as_raw_fd();
        poll.registry().register(
            &mut mio::unix::SourceFd(&raw),
            mio::Token(TIMER),
            Interest::READABLE,
        )?;
        Ok(timer)
    }
}

impl Driver for NestedPoll {
    fn descriptor(&self) -> RawFd {
        self.poll.as_raw_fd()
    }

    fn poll(&mut self, ready: &mut Vec<Ready>) -> io::Result<bool> {
        match self.poll.poll(&mut self.events, Some(Duration::ZERO)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(true),
            other => other?,
        }
        let known = |event: &&mio::event::Event| {
            let token = event.token().0;
            #[cfg(target_os = "linux")]
            if token == TIMER {
                return false;
            }
            token != BELL
        };
        ready.extend(self.events.iter().filter(known).map(|event| Ready {
            token: event.token().0,
            readable: event.is_readable(),
            writable: event.is_writable(),
            read_closed: event.is_read_closed(),
            write_closed: event.is_write_closed(),
        }));
        Ok(self.events.iter().count() == EVENTS)
    }

    fn add(&mut self, source: &mut dyn Source, token: Token, writing: bool) -> io::Result<()> {
        let interest = if writing {
            Interest::READABLE | Interest::WRITABLE
        } else {
            Interest::READABLE
        };
        source.register(self.poll.registry(), mio::Token(token), interest)
    }

    fn remove(&mut self, source: &mut dyn Source) -> io::Result<()> {
        source.deregister(self.poll.registry())
    }

    #[cfg(target_os = "linux")]
    fn alarm(&mut self, delay: Duration) -> bool {
        use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec, timerfd_settime};
        let delay = delay.max(Duration::from_nanos(1));
        let once = Itimerspec {
            it_interval: Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
            it_value: Timespec {
                tv_sec: delay.as_secs() as _,
                tv_nsec: delay.subsec_nanos().into(),
            },
        };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once).is_ok()
    }

    #[cfg(not(target_os = "linux"))]
    fn alarm(&mut self, _: Duration) -> bool {
        false
    }

    fn bell(&self) -> Arc<Waker> {
        Arc::clone(&self.bell)
    }
}

impl fmt::Debug for NestedPoll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NestedPoll")
            .field("descriptor", &self.descriptor())
            .finish_non_exhaustive()
    }
}
