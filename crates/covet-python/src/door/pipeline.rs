//! The application's middleware as the socket door runs it: native stacks, and where Python's function middleware
//! stands between them. Compiled with the table from what `covet/pipeline.py` hands over; decides nothing itself.

use covet_middleware::Stack;
use pyo3::exceptions::PyValueError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::{PyTraverseError, intern};

use super::native_middleware::native_middleware;

/// Outermost first: `outer`, then the function middleware of `steps` with `segments` behind them, then the routes.
#[derive(Default)]
pub(crate) struct Pipeline {
    /// Native middleware that is outside of everything else of the user's.
    pub(crate) outer: Stack,
    /// Native middleware behind a function middleware, which names its segment by number.
    pub(crate) segments: Vec<Stack>,
    /// `steps(passage)`, a coroutine function: runs a request through all function middleware.
    pub(crate) steps: Option<Py<PyAny>>,
    /// The ASGI application inside of `outer`.
    pub(crate) inside: Option<Py<PyAny>>,
    /// `arrive(scope)`: puts into a scope what the application itself puts there.
    pub(crate) arrive: Option<Py<PyAny>>,
    /// `respond(status, raw_headers, body)`: the response object that function middleware gets.
    pub(crate) respond: Option<Py<PyAny>>,
    /// The class of those objects.
    pub(crate) response: Option<Py<PyAny>>,
}

impl Pipeline {
    /// Read it; None is an application without any middleware that could run here.
    pub(crate) fn from_python(data: Option<Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(data) = data.filter(|data| !data.is_none()) else {
            return Ok(Self::default());
        };
        let py = data.py();
        let data = data.cast_into::<PyDict>()?;
        let object = |key| -> PyResult<Option<Py<PyAny>>> {
            Ok(data
                .get_item(key)?
                .filter(|value| !value.is_none())
                .map(Bound::unbind))
        };
        let segments = data.get_item(intern!(py, "segments"))?;
        Ok(Self {
            outer: match data.get_item(intern!(py, "outer"))? {
                Some(layers) => stack(&layers)?,
                None => Stack::default(),
            },
            segments: match segments {
                Some(segments) => segments
                    .try_iter()?
                    .map(|layers| stack(&layers?))
                    .collect::<PyResult<_>>()?,
                None => Vec::new(),
            },
            steps: object(intern!(py, "steps"))?,
            inside: object(intern!(py, "inside"))?,
            arrive: object(intern!(py, "arrive"))?,
            respond: object(intern!(py, "respond"))?,
            response: object(intern!(py, "response"))?,
        })
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.steps)?;
        visit.call(&self.inside)?;
        visit.call(&self.arrive)?;
        visit.call(&self.respond)?;
        visit.call(&self.response)
    }
}

fn stack(layers: &Bound<'_, PyAny>) -> PyResult<Stack> {
    let unknown = || PyValueError::new_err("a native middleware that this engine does not know");
    let layers = layers
        .try_iter()?
        .map(|layer| native_middleware(&layer?)?.ok_or_else(unknown));
    Ok(Stack::new(layers.collect::<PyResult<_>>()?))
}
