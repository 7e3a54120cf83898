//! The door: listeners, and who is let in. A process that runs out of descriptors turns clients away with a
//! descriptor kept for that purpose and pauses, instead of spinning on a backlog it cannot take.

use std::fs::File;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::connection::Connection;
use crate::driver::{Driver, Token};
use crate::endpoint::{Address, Peer};
use crate::error::Error;
use crate::hub::{Hub, Tally};
use crate::listener::{Listener, local_address};
use crate::runtime::Record;
use crate::slots::Key;
use crate::stream::Stream;

/// Connections accepted in one pass, and in the last one: at least the longest queue that Linux keeps by default.
const ACCEPTS: u32 = 16;
const LAST_ACCEPTS: u32 = 4096;
const PAUSE: Duration = Duration::from_millis(100);
/// The lack of descriptors is told once in this time.
const SILENCE: Duration = Duration::from_secs(60);
/// Listeners have tokens downwards from here, far above any slot.
const FIRST: Token = usize::MAX - 16;
const MOST: usize = 1024;

/// Listening sockets.
pub(crate) struct Door {
    listeners: Vec<Listening>,
    spare: Option<File>,
    paused: Option<Instant>,
    told: Option<Instant>,
}

struct Listening {
    listener: Listener,
    /// Somebody may wait.
    knocked: bool,
}

enum Caller {
    Client(Stream, Peer),
    Nobody,
    /// No descriptor is left; true when that should be told.
    Full(bool),
}

impl Door {
    pub(crate) fn open(listeners: Vec<Listener>, driver: &mut dyn Driver) -> Result<Self, Error> {
        let mut door = Self {
            listeners: Vec::new(),
            spare: spare(),
            paused: None,
            told: None,
        };
        for (index, mut listener) in listeners.into_iter().take(MOST).enumerate() {
            driver
                .add(listener.source(), FIRST - index, false)
                .map_err(Error::io("watch a listener"))?;
            door.listeners.push(Listening {
                listener,
                knocked: true,
            });
        }
        Ok(door)
    }

    pub(crate) fn addresses(&self) -> Vec<Address> {
        self.listeners
            .iter()
            .map(|one| one.listener.address().clone())
            .collect()
    }

    /// Notes that a listener is ready; false when the token is no listener's.
    pub(crate) fn knock(&mut self, token: Token) -> bool {
        if token <= FIRST - MOST {
            return false;
        }
        if let Some(one) = self.listeners.get_mut(FIRST.wrapping_sub(token)) {
            one.knocked = true;
        }
        true
    }

    /// True when the next pass has somebody to let in.
    pub(crate) fn is_waiting(&self, now: Instant) -> bool {
        !self.is_paused(now) && self.listeners.iter().any(|one| one.knocked)
    }

    fn is_paused(&self, now: Instant) -> bool {
        self.paused.is_some_and(|until| now < until)
    }

    fn next(&mut self, now: Instant) -> Caller {
        if self.is_paused(now) {
            return Caller::Nobody;
        }
        for one in self.listeners.iter_mut().filter(|one| one.knocked) {
            match one.listener.accept() {
                Ok((stream, remote)) => {
                    let local = local_address(one.listener.address(), &stream);
                    return Caller::Client(stream, Peer { remote, local });
                }
                Err(error) if is_exhausted(&error) => {
                    self.spare = None;
                    // Accepted and closed: better than a client that waits for nothing.
                    drop(one.listener.accept());
                    self.spare = spare();
                    self.paused = Some(now + PAUSE);
                    let tell = self
                        .told
                        .is_none_or(|told| now.saturating_duration_since(told) >= SILENCE);
                    if tell {
                        self.told = Some(now);
                    }
                    return Caller::Full(tell);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => one.knocked = false,
                // That client is gone again; another may wait.
                Err(_) => {}
            }
        }
        Caller::Nobody
    }

    fn close(&mut self, driver: &mut dyn Driver) -> Vec<Listener> {
        let mut closed = Vec::new();
        for mut one in self.listeners.drain(..) {
            let _ = driver.remove(one.listener.source());
            closed.push(one.listener);
        }
        self.spare = None;
        closed
    }
}

fn spare() -> Option<File> {
    File::open("/dev/null").ok()
}

fn is_exhausted(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM]
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

impl Hub {
    /// Lets clients in, a few at a time.
    pub(crate) fn accept(self: &Rc<Self>) {
        self.let_in(ACCEPTS);
    }

    /// Stops listening. Whoever has connected already is let in: nobody else would serve them.
    pub(crate) fn close_door(self: &Rc<Self>, last_call: bool) {
        if last_call {
            self.let_in(LAST_ACCEPTS);
        }
        let closed = self.door.borrow_mut().close(self.driver.borrow_mut().as_mut());
        drop(closed);
    }

    fn let_in(self: &Rc<Self>, most: u32) {
        for _ in 0..most {
            let caller = self.door.borrow_mut().next(self.clock.get());
            match caller {
                Caller::Client(stream, peer) => self.welcome(stream, peer),
                Caller::Nobody => return,
                Caller::Full(tell) => {
                    if tell {
                        self.runtime.log(&Record::OutOfDescriptors);
                    }
                    return self.remind(Key::ENGINE, self.clock.get() + PAUSE);
                }
            }
        }
    }

    fn welcome(&self, mut stream: Stream, peer: Peer) {
        Tally::count(&self.tally.accepted);
        let now = self.clock.get();
        let mut slots = self.slots.borrow_mut();
        let key = slots.insert(|key| {
            let registered = self
                .driver
                .borrow_mut()
                .add(stream.source(), key.slot as usize, true);
            let mut connection = Connection::new(key, stream, peer, now);
            // Without the driver's word nothing would ever happen: the turn closes it.
            connection.dead = registered.is_err();
            connection.eof = connection.dead;
            Box::new(connection)
        });
        drop(slots);
        // A turn starts its deadline; the driver tells when there is something to read.
        self.schedule(key);
    }
}
