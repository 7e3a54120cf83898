//! The one timer wheel: coarse deadlines for every connection, in slots of a tick.
//! The engine inserts and asks what is due; time is an argument, so a test turns it at will.
//!
//! Invariant: an entry never comes out before its deadline. Entries are never removed: whoever gets one
//! compares it with the real deadline and inserts again when that has moved, so a deadline that moves with
//! every request costs the wheel nothing.

use std::time::{Duration, Instant};

use crate::slots::Key;

const SLOTS: usize = 1024;

#[derive(Debug, Clone, Copy)]
struct Entry {
    key: Key,
    tick: u64,
}

/// Deadlines by tick.
#[derive(Debug)]
pub(crate) struct Wheel {
    start: Instant,
    tick: Duration,
    /// Every tick up to this one was given out.
    done: u64,
    slots: Vec<Vec<Entry>>,
    len: usize,
}

impl Wheel {
    pub(crate) fn new(start: Instant, tick: Duration) -> Self {
        Self {
            start,
            tick,
            done: 0,
            slots: (0..SLOTS).map(|_| Vec::new()).collect(),
            len: 0,
        }
    }

    /// The last tick that is over at `now`.
    fn past(&self, now: Instant) -> u64 {
        let ticks = now.saturating_duration_since(self.start).as_nanos() / self.tick.as_nanos().max(1);
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }

    fn instant(&self, tick: u64) -> Instant {
        let ticks = u32::try_from(tick).unwrap_or(u32::MAX);
        self.start + self.tick.saturating_mul(ticks)
    }

    fn slot(&mut self, tick: u64) -> Option<&mut Vec<Entry>> {
        self.slots.get_mut((tick % SLOTS as u64) as usize)
    }

    /// Has `key` come out at `at` or up to a tick later.
    pub(crate) fn insert(&mut self, key: Key, at: Instant) {
        let tick = self.past(at).saturating_add(1).max(self.done + 1);
        if let Some(slot) = self.slot(tick) {
            slot.push(Entry { key, tick });
            self.len += 1;
        }
    }

    /// Moves everything that is due at `now` into `due`.
    pub(crate) fn expire(&mut self, now: Instant, due: &mut Vec<Key>) {
        let past = self.past(now);
        if past <= self.done {
            return;
        }
        // After a long pause each slot is visited once, not once per round.
        let visits = (past - self.done).min(SLOTS as u64);
        let first = past - visits + 1;
        self.done = past;
        if self.len == 0 {
            return;
        }
        for tick in first..=past {
            self.empty(tick, past, due);
        }
    }

    fn empty(&mut self, tick: u64, past: u64, due: &mut Vec<Key>) {
        let Some(slot) = self.slot(tick) else { return };
        let before = slot.len();
        slot.retain(|entry| {
            let later = entry.tick > past;
            if !later {
                due.push(entry.key);
            }
            later
        });
        let gone = before - slot.len();
        if slot.is_empty() && slot.capacity() > 64 {
            slot.shrink_to_fit();
        }
        self.len -= gone;
    }

    /// When to look again: not later than the first deadline. `None` when nothing waits.
    pub(crate) fn next(&self) -> Option<Instant> {
        if self.len == 0 {
            return None;
        }
        let horizon = self.done + 1..=self.done + SLOTS as u64;
        let used = |tick: &u64| {
            self.slots
                .get((tick % SLOTS as u64) as usize)
                .is_some_and(|slot| !slot.is_empty())
        };
        horizon.into_iter().find(used).map(|tick| self.instant(tick))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(100);

    fn key(slot: u32) -> Key {
        Key { slot, generation: 0 }
    }

    fn due(wheel: &mut Wheel, now: Instant) -> Vec<u32> {
        let mut keys = Vec::new();
        wheel.expire(now, &mut keys);
        keys.iter().map(|key| key.slot).collect()
    }

    #[test]
    fn nothing_comes_out_early_and_nothing_late() {
        let start = Instant::now();
        let mut wheel = Wheel::new(start, TICK);
        for number in 0..500u32 {
            wheel.insert(key(number), start + Duration::from_millis(u64::from(number) * 37));
        }
        let mut seen = 0;
        for step in 0..2_000u64 {
            let now = start + Duration::from_millis(step * 10);
            for number in due(&mut wheel, now) {
                let wanted = start + Duration::from_millis(u64::from(number) * 37);
                assert!(now >= wanted && now <= wanted + TICK + Duration::from_millis(10));
                seen += 1;
            }
        }
        assert_eq!(seen, 500);
        assert_eq!(wheel.next(), None);
    }

    #[test]
    fn a_deadline_past_the_horizon_waits_for_its_round() {
        let start = Instant::now();
        let mut wheel = Wheel::new(start, TICK);
        wheel.insert(key(1), start + TICK * 3_000);
        let mut now = start;
        while due(&mut wheel, now).is_empty() {
            now += TICK;
        }
        assert!(now >= start + TICK * 3_000 && now <= start + TICK * 3_002);
    }

    #[test]
    fn a_jump_of_the_clock_gives_everything_once() {
        let start = Instant::now();
        let mut wheel = Wheel::new(start, TICK);
        for number in 0..50 {
            wheel.insert(key(number), start + TICK * number * 90);
        }
        let mut all = due(&mut wheel, start + Duration::from_secs(3600));
        all.sort_unstable();
        assert_eq!(all, (0..50).collect::<Vec<_>>());
        assert!(due(&mut wheel, start + Duration::from_secs(7200)).is_empty());
    }

    #[test]
    fn a_deadline_in_the_past_comes_with_the_next_tick() {
        let start = Instant::now();
        let mut wheel = Wheel::new(start, TICK);
        assert!(due(&mut wheel, start + TICK * 50).is_empty());
        wheel.insert(key(9), start);
        assert_eq!(due(&mut wheel, start + TICK * 51), [9]);
    }

    #[test]
    fn the_next_look_is_never_after_a_deadline() {
        let start = Instant::now();
        let mut wheel = Wheel::new(start, TICK);
        assert_eq!(wheel.next(), None);
        wheel.insert(key(1), start + TICK * 40);
        let next = wheel.next().unwrap();
        assert!(next >= start + TICK * 40 && next <= start + TICK * 41);
        wheel.insert(key(2), start + TICK * 10);
        assert!(wheel.next().unwrap() <= start + TICK * 11);
    }
}
