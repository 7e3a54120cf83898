//! The compiled application: routes in order, their plans, and what the door needs to know of each. Made from data
//! that Python hands over, made anew when the generation has moved on. Read by both doors; decides nothing of HTTP
//! beyond "this plan", "Python", "no such path".

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use covet_router::{
    CustomConverters, Entry, NoCustomConverters, Outcome, Params, Probe, Router, RouterBuilder,
};
use pyo3::exceptions::PyTypeError;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use pyo3::{IntoPyObjectExt, PyTraverseError};

use super::generation::generation;
use super::journal::log_exception;
use super::pipeline::Pipeline;
use crate::object::worker::Pace;
use crate::plan::Plan;

/// One route as the door needs it.
pub(crate) struct Row {
    /// None: Python answers.
    pub(crate) plan: Option<Py<Plan>>,
    /// What `enter` is told about the route.
    pub(crate) child: Py<PyAny>,
    /// `{name: convertor}` of the path's parameters, or None.
    pub(crate) convertors: Py<PyAny>,
    /// For reports of requests that do not end.
    pub(crate) label: Arc<str>,
    pub(crate) pace: Arc<Pace>,
    pub(crate) takes_body: bool,
    pub(crate) max_body: Option<u64>,
    pub(crate) cancels: Option<bool>,
}

/// What Python says about the application as a whole.
pub(crate) struct Settings {
    /// May the socket door run plans without the application's ASGI callable?
    pub(crate) direct: bool,
    /// Is an unknown path answered with FastAPI's plain 404?
    pub(crate) plain_not_found: bool,
    pub(crate) redirects_slashes: bool,
    pub(crate) root_path: String,
    pub(crate) max_body: Option<u64>,
    pub(crate) cancels: bool,
    /// `route_error(scope, receive, send, exc)`, a coroutine function.
    pub(crate) route_error: Option<Py<PyAny>>,
    /// The same when an answer has begun.
    pub(crate) late_error: Option<Py<PyAny>>,
    /// The class of request objects.
    pub(crate) request: Option<Py<PyAny>>,
    /// `enter(scope, child)`: puts into a scope what Python's router would put there.
    pub(crate) enter: Option<Py<PyAny>>,
    /// `collect(attempt, receive)`, a coroutine function: reads a body for the ASGI door.
    pub(crate) collect: Option<Py<PyAny>>,
    /// `deliver(send, start, body, background)`, a coroutine function: sends an answer through the ASGI door.
    pub(crate) deliver: Option<Py<PyAny>>,
    /// The application's middleware on the socket door.
    pub(crate) pipeline: Pipeline,
}

/// The finished table. Immutable.
pub(crate) struct Table {
    generation: u64,
    pub(crate) router: Router,
    /// Parameters of each custom pattern, by id.
    custom: Perhaps,
    rows: Vec<Row>,
    hosts: bool,
    pub(crate) settings: Settings,
}

/// Who answers a request.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Verdict {
    /// This row's plan.
    Native(u32),
    /// The Python path; the row is known when one matched.
    Python(Option<u32>),
    /// Nobody: a plain 404.
    NotFound,
}

/// Patterns with user converters are Python's to match; here they match all paths that begin like them.
struct Perhaps(Vec<usize>);

impl CustomConverters for Perhaps {
    fn match_route(&self, id: u32, _path: &str) -> Option<Vec<(usize, usize)>> {
        Some(vec![(0, 0); self.0.get(id as usize).copied().unwrap_or(0)])
    }
}

impl Table {
    /// Resolve a path; the parameters of a native row are in `params`.
    pub(crate) fn resolve(
        &self,
        path: &str,
        method: &str,
        host: Option<&str>,
        params: &mut Params,
    ) -> Verdict {
        // Before a line feed at the end the `$` of Python's expressions matches, too.
        if path.ends_with('\n') {
            return Verdict::Python(None);
        }
        match self.router.resolve(path, method, host, params, self.converters()) {
            Outcome::Found { tag } => match self.row(tag) {
                Some(Row { plan: Some(_), .. }) => Verdict::Native(tag),
                _ => Verdict::Python(Some(tag)),
            },
            Outcome::MethodNotAllowed { tag, .. } => Verdict::Python(Some(tag)),
            Outcome::Opaque { before } => Verdict::Python(before),
            Outcome::NotFound if self.settings.plain_not_found && !self.redirects(path, host) => {
                Verdict::NotFound
            }
            Outcome::NotFound => Verdict::Python(None),
        }
    }

    /// Was the table made from what holds now?
    pub(crate) fn is_current(&self) -> bool {
        self.generation == generation()
    }

    /// Does the client's leaving end the handler?
    pub(crate) fn cancels(&self, tag: Option<u32>) -> bool {
        let own = tag.and_then(|tag| self.row(tag)).and_then(|row| row.cancels);
        own.unwrap_or(self.settings.cancels)
    }

    /// Whether the engine cancels the whole task of a request on the Python path. A route that says so itself
    /// cancels its handler only: what follows the handler still runs.
    pub(crate) fn cancels_outside(&self, tag: Option<u32>) -> bool {
        let own = tag.and_then(|tag| self.row(tag)).and_then(|row| row.cancels);
        own.is_none() && self.settings.cancels
    }

    /// Does the route itself say that the client's leaving ends its handler, and nothing around it?
    pub(crate) fn cancels_inside(&self, tag: u32) -> bool {
        self.row(tag).and_then(|row| row.cancels).unwrap_or(false)
    }

    /// Does any route ask for a host?
    pub(crate) fn needs_host(&self) -> bool {
        self.hosts
    }

    /// The row with this tag.
    pub(crate) fn row(&self, tag: u32) -> Option<&Row> {
        self.rows.get(tag as usize)
    }

    fn converters(&self) -> &dyn CustomConverters {
        if self.custom.0.is_empty() {
            &NoCustomConverters
        } else {
            &self.custom
        }
    }

    /// Would the path match with its last slash added or taken away?
    fn redirects(&self, path: &str, host: Option<&str>) -> bool {
        if !self.settings.redirects_slashes || path == "/" {
            return false;
        }
        let probe = match path.ends_with('/') {
            true => self
                .router
                .would_match(path.trim_end_matches('/'), host, self.converters()),
            false => self
                .router
                .would_match(&format!("{path}/"), host, self.converters()),
        };
        probe != Probe::No
    }

    /// Read what Python handed over: `(entries, settings)`.
    fn from_python(data: &Bound<'_, PyAny>, generation: u64) -> PyResult<Self> {
        let (entries, settings): (Bound<'_, PyList>, Bound<'_, PyDict>) = data.extract()?;
        let settings = Settings::from_python(&settings)?;
        let mut builder = RouterBuilder::new();
        for name in names(data, "converters")? {
            builder.converter(&name);
        }
        let mut rows = Vec::with_capacity(entries.len());
        for (tag, entry) in (0u32..).zip(entries.iter()) {
            rows.push(add(&mut builder, tag, entry.cast::<PyTuple>()?)?);
        }
        let router = builder.build();
        let params = |pattern: &covet_router::CustomPattern| {
            pattern
                .pieces
                .iter()
                .filter(|piece| matches!(piece, covet_router::Piece::Param(_)))
                .count()
        };
        let custom = Perhaps(router.custom_patterns().iter().map(params).collect());
        let hosts = (0..).take(rows.len()).any(|tag| router.host(tag).is_some());
        Ok(Self {
            generation,
            router,
            custom,
            rows,
            hosts,
            settings,
        })
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        for row in &self.rows {
            visit.call(&row.plan)?;
            visit.call(&row.child)?;
            visit.call(&row.convertors)?;
        }
        visit.call(&self.settings.route_error)?;
        visit.call(&self.settings.late_error)?;
        visit.call(&self.settings.request)?;
        visit.call(&self.settings.enter)?;
        visit.call(&self.settings.collect)?;
        visit.call(&self.settings.deliver)?;
        self.settings.pipeline.traverse(visit)
    }
}

fn names(data: &Bound<'_, PyAny>, key: &str) -> PyResult<Vec<String>> {
    let settings = data.get_item(1)?;
    let found = settings.cast::<PyDict>()?.get_item(key)?;
    found.map_or(Ok(Vec::new()), |names| names.extract())
}

impl Settings {
    fn from_python(settings: &Bound<'_, PyDict>) -> PyResult<Self> {
        let flag = |key: &str| {
            settings
                .get_item(key)?
                .map_or(Ok(false), |value| value.is_truthy())
        };
        let object = |key: &str| -> PyResult<Option<Py<PyAny>>> {
            Ok(settings
                .get_item(key)?
                .filter(|value| !value.is_none())
                .map(Bound::unbind))
        };
        let max_body = settings
            .get_item("max_body")?
            .and_then(|value| value.extract().ok());
        Ok(Self {
            direct: flag("direct")?,
            plain_not_found: flag("plain_not_found")?,
            redirects_slashes: flag("redirect_slashes")?,
            root_path: settings
                .get_item("root_path")?
                .map_or(Ok(String::new()), |value| value.extract())?,
            max_body,
            cancels: flag("cancel_on_disconnect")?,
            route_error: object("route_error")?,
            late_error: object("late_error")?,
            request: object("request")?,
            enter: object("enter")?,
            collect: object("collect")?,
            deliver: object("deliver")?,
            pipeline: Pipeline::from_python(settings.get_item("pipeline")?)?,
        })
    }
}

/// Add one entry; what the router cannot read is Python's to match.
fn add(builder: &mut RouterBuilder, tag: u32, entry: &Bound<'_, PyTuple>) -> PyResult<Row> {
    let pattern: String = entry.get_item(0)?.extract()?;
    let methods: Option<Vec<String>> = entry.get_item(1)?.extract()?;
    let host: Option<String> = entry.get_item(2)?.extract()?;
    let kind = entry.get_item(3)?;
    let kind = kind.cast::<PyString>()?.to_str()?;
    let made = match (kind, &host) {
        ("route", _) => Entry::route(&pattern).methods(methods.unwrap_or_default()),
        ("prefix", _) => Entry::prefix(&pattern),
        ("host", Some(host)) => Entry::host(host),
        _ => Entry::opaque(),
    };
    let made = match &host {
        Some(host) if matches!(kind, "route" | "prefix") => made.on_host(host),
        _ => made,
    };
    if builder.add(tag, &made).is_err() {
        let unreadable = builder.add(tag, &Entry::opaque());
        unreadable.map_err(|error| PyTypeError::new_err(error.to_string()))?;
    }
    row(entry)
}

fn row(entry: &Bound<'_, PyTuple>) -> PyResult<Row> {
    let py = entry.py();
    let plan = entry.get_item(4)?;
    let route = entry.get_item(5)?;
    let label = entry.get_item(6)?.extract::<String>()?;
    let child = entry.get_item(7).map_or_else(|_| py.None(), Bound::unbind);
    let attribute = |name| {
        route
            .getattr_opt(name)
            .ok()
            .flatten()
            .filter(|value| !value.is_none())
    };
    let plan = match plan.is_instance_of::<PyTuple>() {
        // A plan this engine does not know is no error: the route stays on the Python path.
        true => Plan::from_python(&plan).ok(),
        false => None,
    };
    Ok(Row {
        takes_body: plan.as_ref().is_some_and(Plan::takes_body),
        plan: plan.map(|plan| Py::new(py, plan)).transpose()?,
        child,
        convertors: attribute(intern!(py, "param_convertors")).map_or_else(|| py.None(), Bound::unbind),
        label: label.into(),
        pace: Arc::default(),
        max_body: attribute(intern!(py, "max_body_size")).and_then(|value| value.extract().ok()),
        cancels: attribute(intern!(py, "cancel_on_disconnect")).and_then(|value| value.extract().ok()),
    })
}

/// Where a table comes from, and the newest one.
pub(crate) struct Tables {
    compile: Py<PyAny>,
    newest: Mutex<Option<Arc<Table>>>,
    /// The generation that could not be compiled: it is not tried for every request again.
    failed: AtomicU64,
}

impl Tables {
    /// `compile` returns the table as data.
    pub(crate) fn new(compile: Py<PyAny>) -> Self {
        Self {
            compile,
            newest: Mutex::new(None),
            failed: AtomicU64::new(0),
        }
    }

    /// The table of this moment; compiled when anything it was made from has changed. None when that fails: Python
    /// answers then, and the log says why.
    pub(crate) fn current(&self, py: Python<'_>) -> Option<Arc<Table>> {
        if let Some(table) = self.peek()
            && table.is_current()
        {
            return Some(table);
        }
        if self.failed.load(Ordering::Relaxed) == generation() {
            return None;
        }
        match self.compiled(py) {
            Ok(table) => {
                let old = self
                    .newest
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .replace(table.clone());
                drop(old);
                Some(table)
            }
            Err(error) => {
                self.failed.store(generation(), Ordering::Relaxed);
                log_exception(py, "The routes could not be compiled; Python answers.", &error);
                None
            }
        }
    }

    fn compiled(&self, py: Python<'_>) -> PyResult<Arc<Table>> {
        let data = self.compile.bind(py).call0()?;
        // Compiling may build what is built lazily, so the generation is read after it.
        Ok(Arc::new(Table::from_python(&data, generation())?))
    }

    fn peek(&self) -> Option<Arc<Table>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// For `__traverse__`. A table that a request holds at this moment counts as alive.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.compile)?;
        let Ok(newest) = self.newest.try_lock() else {
            return Ok(());
        };
        match newest.as_ref() {
            Some(table) if Arc::strong_count(table) == 1 => table.traverse(visit),
            _ => Ok(()),
        }
    }

    /// For `__clear__`.
    pub(crate) fn clear(&self) {
        let table = self.newest.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(table);
    }
}

/// The path parameters as Python's router gives them: converted by the route's own convertors.
pub(crate) fn path_params<'py>(
    py: Python<'py>,
    row: &Row,
    texts: impl Iterator<Item = (String, String)>,
) -> PyResult<Bound<'py, PyDict>> {
    let params = PyDict::new(py);
    let convertors = row.convertors.bind(py);
    for (name, text) in texts {
        let convertor = match convertors.is_none() {
            true => None,
            false => convertors.get_item(&name).ok(),
        };
        let value = match convertor {
            Some(convertor) => convertor.call_method1(intern!(py, "convert"), (text,))?,
            None => text.into_bound_py_any(py)?,
        };
        params.set_item(name, value)?;
    }
    Ok(params)
}
