//! A plan as Rust reads it, parsed once from the tuple that `covet/dependencies/plan.py` makes. A tuple that does not
//! fit is an error, and the route stays on the Python path.
//!
//! `(params, calls, body, response, flags)`:
//! - params: `(source, name, kind, constraints, required, default, flags)`; source 0 path, 1 query, 2 header,
//!   3 cookie, 4 a value that a body of mode 3 gives; kind 0 str, 1 int, 2 float, 3 bool, 4 UUID, 5 date, 6 datetime, 7 choice, 8 list; constraints None or
//!   a dict of `ge gt le lt min_length max_length choices item`, where `choices` is `{text: value}` and `item` is a
//!   kind or `(kind, constraints)`; header names in lower case with hyphens.
//! - calls: `(callable, kind, names, slots, cacheable)`, the endpoint last; kind 0 async, 1 and 3 pool, 2 inline.
//! - body: None or `(mode, validator, media)`; 1: `validator.validate_json`, 2: `json.loads` and
//!   `validator.validate_python`; it fills the slot after the parameters. 3: `json.loads`, and right before the
//!   endpoint `take(parsed)`, where validator is `(take, refuse)`: it gives `(values of the parameters of source 4,
//!   errors)`; with errors `refuse(errors, parsed, request)` raises.
//! - response: `(mode, serializer, status, media_type, headers, response_class)`, see `reply.rs`.
//! - flags: bits; 1: a JSON body needs no content-type (`strict_content_type=False`); 2: calls open generator
//!   dependencies, whose exit stacks (`covet/dependencies/exits.py`) they get by slot -5.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use super::body::BodySpec;
use super::call::Call;
use super::convert::Kind;
use super::probe::{self, Pieces};
use super::reply::Reply;
use super::run::PlanRun;

/// The plan's tuple.
type Data<'py> = (
    Vec<Bound<'py, PyAny>>,
    Vec<Bound<'py, PyAny>>,
    Option<Bound<'py, PyAny>>,
    Bound<'py, PyAny>,
    u32,
);

/// One parameter's tuple.
type ParamData<'py> = (
    u8,
    String,
    u8,
    Option<Bound<'py, PyDict>>,
    bool,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
);

/// Where a parameter is looked up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Header,
    Cookie,
    Body,
}

/// What a parameter is when the request does not have it.
pub(super) enum Absent {
    /// An error, which Python writes.
    Refused,
    /// This very object: it cannot be changed.
    Shared(Py<PyAny>),
    /// A deep copy of this object.
    Copied(Py<PyAny>),
}

/// One parameter.
pub(super) struct Param {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) absent: Absent,
}

/// A compiled route. Frozen: a change of the application makes a new one.
#[pyclass(frozen, module = "covet._engine")]
pub(crate) struct Plan {
    pub(super) params: Vec<Param>,
    pub(super) calls: Vec<Call>,
    pub(super) body: Option<BodySpec>,
    pub(super) reply: Reply,
    pub(super) queries: bool,
    /// The plan runs inside exit stacks.
    pub(super) exits: bool,
    /// The parameters that a late body gives.
    pub(super) from_body: Vec<usize>,
}

impl Plan {
    /// Parse the plan's tuple.
    pub(crate) fn from_python(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (params, calls, body, response, flags): Data<'_> = data.extract()?;
        let params = params
            .iter()
            .map(Param::from_python)
            .collect::<PyResult<Vec<_>>>()?;
        let first_result = params.len() + 1;
        let calls = calls
            .iter()
            .enumerate()
            .map(|(index, call)| Call::from_python(call, first_result + index))
            .collect::<PyResult<Vec<_>>>()?;
        if calls.is_empty() {
            return Err(PyValueError::new_err("a plan needs an endpoint"));
        }
        let body = body
            .map(|body| BodySpec::from_python(&body, flags & 1 != 0))
            .transpose()?;
        let queries = params.iter().any(|param| param.place == Place::Query);
        let from_body = params
            .iter()
            .enumerate()
            .filter(|(_, param)| param.place == Place::Body);
        let from_body = from_body.map(|(slot, _)| slot).collect::<Vec<_>>();
        if from_body.is_empty() == body.as_ref().is_some_and(BodySpec::is_late) {
            return Err(PyValueError::new_err(
                "values of a body need a body of mode 3, and it needs them",
            ));
        }
        Ok(Self {
            params,
            calls,
            body,
            reply: Reply::from_python(&response)?,
            queries,
            exits: flags & 2 != 0,
            from_body,
        })
    }

    /// Does the plan read the body?
    pub(crate) fn takes_body(&self) -> bool {
        self.body.is_some()
    }

    /// Do calls of the plan open generators, which stay open until the answer was sent?
    pub(crate) fn opens_generators(&self) -> bool {
        self.exits
    }

    /// Is this the last call, before which a late body is taken? Gives that body.
    pub(super) fn late_body(&self, next: usize) -> Option<&BodySpec> {
        self.body
            .as_ref()
            .filter(|body| body.is_late() && next + 1 == self.calls.len())
    }

    /// The slot of the first call's result; the body's is the one before it.
    pub(super) fn first_result(&self) -> usize {
        self.params.len() + 1
    }

    /// How many values a request of this plan has.
    pub(super) fn slots(&self) -> usize {
        self.first_result() + self.calls.len()
    }
}

impl Param {
    fn from_python(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (place, name, kind, constraints, required, default, _flags): ParamData<'_> = data.extract()?;
        let place = match place {
            0 => Place::Path,
            1 => Place::Query,
            2 => Place::Header,
            3 => Place::Cookie,
            4 => Place::Body,
            _ => return Err(PyValueError::new_err("unknown source of a parameter")),
        };
        let kind = Kind::from_python(kind, constraints.as_ref())?;
        if matches!(kind, Kind::List(..)) && matches!(place, Place::Path | Place::Cookie) {
            return Err(PyValueError::new_err("only queries and headers repeat"));
        }
        let absent = if required {
            Absent::Refused
        } else {
            Absent::from_python(default)?
        };
        Ok(Self {
            place,
            name,
            kind,
            absent,
        })
    }
}

impl Absent {
    fn from_python(default: Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(if immutable(&default)? {
            Self::Shared(default.unbind())
        } else {
            Self::Copied(default.unbind())
        })
    }
}

/// Is a deep copy of this object the object itself? Nothing less certain than that.
fn immutable(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyString};
    let atom = value.is_none()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyBytes>();
    if atom {
        return Ok(true);
    }
    if let Ok(tuple) = value.cast_exact::<PyTuple>() {
        return tuple
            .iter()
            .try_fold(true, |all, item| Ok(all && immutable(&item)?));
    }
    let py = value.py();
    let enumeration = py.import("enum")?.getattr("Enum")?;
    value.is_instance(&enumeration)
}

#[pymethods]
impl Plan {
    #[new]
    fn new(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::from_python(data)
    }

    /// The parameters and the body of a request as the plan passes them on; a str says why Python has to answer.
    fn extract<'py>(
        &self,
        path: Bound<'py, PyDict>,
        query: Vec<u8>,
        headers: Vec<(Vec<u8>, Vec<u8>)>,
        body: &[u8],
    ) -> PyResult<Bound<'py, PyAny>> {
        probe::extract(self, &Pieces { path, query, headers }, body)
    }

    /// The awaitable of the whole plan over these values; `host` has the methods of `probe.rs`.
    fn run(slf: Bound<'_, Self>, values: &Bound<'_, PyTuple>, host: Py<PyAny>) -> PyResult<Py<PlanRun>> {
        let py = slf.py();
        probe::execution(slf.unbind(), values, host).into_run(py)
    }

    /// Run the plan with as few tasks as it needs: the host drives awaitables and does the jobs.
    fn complete(
        slf: Bound<'_, Self>,
        values: &Bound<'_, PyTuple>,
        host: Bound<'_, PyAny>,
    ) -> PyResult<Option<Py<PyAny>>> {
        let py = slf.py();
        probe::complete(
            py,
            probe::execution(slf.unbind(), values, host.clone().unbind()),
            &host,
        )
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        for param in &self.params {
            param.kind.traverse(&visit)?;
            match &param.absent {
                Absent::Refused => {}
                Absent::Shared(value) | Absent::Copied(value) => visit.call(value)?,
            }
        }
        for call in &self.calls {
            call.traverse(&visit)?;
        }
        if let Some(body) = &self.body {
            body.traverse(&visit)?;
        }
        self.reply.traverse(&visit)
    }
}
