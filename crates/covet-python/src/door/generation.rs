//! The generation of everything that plans are made from. Routing and dependencies bump it on each
//! change; a compiled table that carries an older one is made anew before the next request.

use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;

static GENERATION: AtomicU64 = AtomicU64::new(1);

/// Declare every compiled plan stale.
#[pyfunction]
pub(crate) fn bump_generation() {
    GENERATION.fetch_add(1, Ordering::Release);
}

/// Return the current generation; it only grows.
#[pyfunction]
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Acquire)
}
