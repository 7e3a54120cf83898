//! Index of `covet._engine`, the extension module. One registration a folder; no logic here.

use pyo3::prelude::*;

mod binding;
mod door;
mod json;
mod object;
mod plan;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The Rust engine under `covet`.
#[pymodule(name = "_engine")]
fn engine(module: &Bound<'_, PyModule>) -> PyResult<()> {
    json::register(module)?;
    plan::register(module)?;
    binding::register(module)
}
