//! What Python sees of the engine: thin classes that convert and call; no HTTP decisions here.

use pyo3::prelude::*;

use crate::door::{asgi_in, generation};

mod folder_watch;
mod limits;
mod route_report;
mod server;

/// Add every class and function of the engine to the extension module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(generation::bump_generation, module)?)?;
    module.add_function(wrap_pyfunction!(generation::generation, module)?)?;
    module.add_function(wrap_pyfunction!(route_report::route_report, module)?)?;
    module.add_class::<folder_watch::FolderWatch>()?;
    module.add_class::<limits::Limits>()?;
    module.add_class::<server::Server>()?;
    module.add_class::<asgi_in::AsgiDoor>()?;
    Ok(())
}
