//! The ASGI door: native plans inside an ASGI application, with the values taken from the scope. Called by Python's
//! router for every HTTP request; gives None when that router has to answer. Needs nothing of asyncio, so it works
//! under trio and under any ASGI server.

use std::borrow::Cow;
use std::sync::Arc;

use covet_router::{Params, Source};
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use super::asgi_host::AsgiHost;
use super::location::below;
use super::table::{Table, Tables, Verdict, path_params};
use crate::object::ffi::Arguments;
use crate::plan::{Execution, Prepared, ValueSource};

/// Native plans inside an ASGI application.
#[pyclass(frozen, module = "covet._engine")]
pub(crate) struct AsgiDoor {
    tables: Tables,
}

#[pymethods]
impl AsgiDoor {
    #[new]
    fn new(table: Py<PyAny>) -> Self {
        Self {
            tables: Tables::new(table),
        }
    }

    /// Begin to answer a request; None: Python's router answers it.
    #[pyo3(signature = (scope, receive, send, /))]
    fn __call__(
        &self,
        py: Python<'_>,
        scope: &Bound<'_, PyAny>,
        receive: Py<PyAny>,
        send: Py<PyAny>,
    ) -> PyResult<Option<Py<PyAny>>> {
        // A scope that is no plain dict (some middleware makes its own) is Python's.
        let Ok(scope) = scope.cast_exact::<PyDict>() else {
            return Ok(None);
        };
        let Some(table) = self.tables.current(py) else {
            return Ok(None);
        };
        let Some(located) = Located::find(scope, &table)? else {
            return Ok(None);
        };
        let attempt = Attempt {
            table,
            located,
            scope: scope.clone().unbind(),
            receive,
            send,
        };
        if !attempt.takes_body() {
            return attempt.run(py, b"", &attempt.receive);
        }
        let Some(collect) = attempt
            .table
            .settings
            .collect
            .as_ref()
            .map(|collect| collect.clone_ref(py))
        else {
            return Ok(None);
        };
        let receive = attempt.receive.clone_ref(py);
        let attempt = Py::new(py, attempt)?.into_any();
        let mut arguments = Arguments::new();
        arguments.push(&attempt);
        arguments.push(&receive);
        Ok(Some(arguments.call(collect.bind(py), None)?.unbind()))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.tables.traverse(&visit)
    }

    fn __clear__(&self) {
        self.tables.clear();
    }
}

/// Where a request goes: a row with a plan.
struct Located {
    tag: u32,
    params: Params,
    path: String,
}

impl Located {
    fn find(scope: &Bound<'_, PyDict>, table: &Table) -> PyResult<Option<Self>> {
        let py = scope.py();
        let (Some(path), Some(method)) = (
            scope.get_item(intern!(py, "path"))?,
            scope.get_item(intern!(py, "method"))?,
        ) else {
            return Ok(None);
        };
        let (Ok(path), Ok(method)) = (path.cast::<PyString>(), method.cast::<PyString>()) else {
            return Ok(None);
        };
        // Lone surrogates have no UTF-8: Python knows what to do with them.
        let (Ok(path), Ok(method)) = (path.to_str(), method.to_str()) else {
            return Ok(None);
        };
        let start = match scope.get_item(intern!(py, "root_path"))? {
            Some(root) => root
                .cast::<PyString>()
                .ok()
                .and_then(|root| root.to_str().ok().map(|r| below(path, r))),
            None => Some(0),
        };
        let Some(start) = start else { return Ok(None) };
        let route = path.get(start..).unwrap_or_default();
        let host = if table.needs_host() { host(scope)? } else { None };
        let mut params = Params::new();
        Ok(match table.resolve(route, method, host.as_deref(), &mut params) {
            // Only Python can watch an ASGI `receive` for the client's leaving while the handler runs.
            Verdict::Native(tag) if table.cancels(Some(tag)) => None,
            Verdict::Native(tag) => Some(Self {
                tag,
                params,
                path: route.to_owned(),
            }),
            Verdict::Python(_) | Verdict::NotFound => None,
        })
    }

    fn texts<'a>(&'a self, table: &'a Table) -> impl Iterator<Item = (String, String)> + 'a {
        let names = table.router.names(self.tag);
        self.params.iter().map(move |span| {
            let name = names
                .get(usize::from(span.name))
                .map(|name| name.to_string())
                .unwrap_or_default();
            (name, span.text(&self.path, "").to_owned())
        })
    }
}

fn host(scope: &Bound<'_, PyDict>) -> PyResult<Option<String>> {
    let Some(headers) = scope.get_item(intern!(scope.py(), "headers"))? else {
        return Ok(None);
    };
    for field in headers.try_iter()? {
        let (name, value): (Vec<u8>, Vec<u8>) = field?.extract()?;
        if name == b"host" {
            return Ok(String::from_utf8(value).ok());
        }
    }
    Ok(None)
}

/// One request that a plan may answer, between its head and its body. Python's `collect` calls it with the body.
#[pyclass(frozen, module = "covet._engine")]
pub(crate) struct Attempt {
    table: Arc<Table>,
    located: Located,
    scope: Py<PyDict>,
    receive: Py<PyAny>,
    send: Py<PyAny>,
}

#[pymethods]
impl Attempt {
    /// The awaitable that answers; None when the plan cannot (nothing was called then). `receive` gives the body again,
    /// to whoever asks for the request.
    fn __call__(
        &self,
        py: Python<'_>,
        body: &Bound<'_, PyBytes>,
        receive: &Bound<'_, PyAny>,
    ) -> PyResult<Option<Py<PyAny>>> {
        self.run(py, body.as_bytes(), receive.as_unbound())
    }

    /// The largest body that is collected for a plan, by the route, the application or our server; None is no limit.
    #[getter]
    fn max_body(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        let given = self
            .table
            .row(self.located.tag)
            .and_then(|row| row.max_body)
            .or(self.table.settings.max_body);
        if given.is_some() {
            return Ok(given);
        }
        let held = self.scope.bind(py).get_item(intern!(py, "covet.held_body"))?;
        Ok(held.and_then(|held| held.extract().ok()))
    }

    /// The scope of the request.
    #[getter]
    fn scope(&self, py: Python<'_>) -> Py<PyDict> {
        self.scope.clone_ref(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.scope)?;
        visit.call(&self.receive)?;
        visit.call(&self.send)
    }
}

impl Attempt {
    fn takes_body(&self) -> bool {
        self.table.row(self.located.tag).is_some_and(|row| row.takes_body)
    }

    fn run(&self, py: Python<'_>, body: &[u8], receive: &Py<PyAny>) -> PyResult<Option<Py<PyAny>>> {
        let Some(row) = self.table.row(self.located.tag) else {
            return Ok(None);
        };
        let Some(plan) = &row.plan else { return Ok(None) };
        let scope = self.scope.bind(py);
        // Below a function middleware generator dependencies need a task of their own: Python's router makes one.
        let in_task = scope.get_item(intern!(py, "covet.in_task"))?;
        if plan.get().opens_generators() && in_task.is_some_and(|held| !matches!(held.is_truthy(), Ok(false)))
        {
            return Ok(None);
        }
        let Some(source) = ScopeSource::new(scope, self)? else {
            return Ok(None);
        };
        let values = match plan.get().prepare(py, &source, body) {
            Prepared::Ready(values) => values,
            Prepared::Fallback(_) => return Ok(None),
        };
        // From here on the plan answers, so the scope becomes what Python's router would have made of it.
        if let Some(enter) = &self.table.settings.enter {
            enter.call1(py, (scope, &row.child))?;
        }
        let params = path_params(py, row, self.located.texts(&self.table))?;
        let params = match scope.get_item(intern!(py, "path_params"))? {
            Some(outer) if outer.is_truthy()? => {
                // A new dict: the outer one belongs to whoever mounted us.
                let all = outer.call_method0(intern!(py, "copy"))?;
                all.call_method1(intern!(py, "update"), (params,))?;
                all
            }
            _ => params.into_any(),
        };
        scope.set_item(intern!(py, "path_params"), params)?;
        let host = AsgiHost::new(
            py,
            self.table.clone(),
            &self.scope,
            receive,
            &self.send,
            row.pace.clone(),
        );
        let execution = Execution::new(plan.clone_ref(py), values, Arc::new(host));
        Ok(Some(execution.into_run(py)?.into_any()))
    }
}

/// A plan's values, from the scope.
struct ScopeSource<'a, 'py> {
    query: Bound<'py, PyBytes>,
    headers: Bound<'py, PyList>,
    attempt: &'a Attempt,
}

impl<'a, 'py> ScopeSource<'a, 'py> {
    /// None: the scope holds something else than bytes and a list.
    fn new(scope: &Bound<'py, PyDict>, attempt: &'a Attempt) -> PyResult<Option<Self>> {
        let py = scope.py();
        let query = match scope.get_item(intern!(py, "query_string"))? {
            Some(query) => query.cast_into::<PyBytes>().ok(),
            None => Some(PyBytes::new(py, b"")),
        };
        let headers = match scope.get_item(intern!(py, "headers"))? {
            Some(headers) => headers.cast_into::<PyList>().ok(),
            None => Some(PyList::empty(py)),
        };
        Ok(query.zip(headers).map(|(query, headers)| Self {
            query,
            headers,
            attempt,
        }))
    }
}

impl ValueSource for ScopeSource<'_, '_> {
    fn path(&self, name: &str) -> Option<Cow<'_, str>> {
        let Located { tag, params, path } = &self.attempt.located;
        let names = self.attempt.table.router.names(*tag);
        let span = params
            .iter()
            .find(|span| names.get(usize::from(span.name)).is_some_and(|n| **n == *name))?;
        (span.source == Source::Path).then(|| Cow::Borrowed(span.text(path, "")))
    }

    fn query(&self) -> &[u8] {
        self.query.as_bytes()
    }

    fn headers(&self, name: &[u8], each: &mut dyn FnMut(&[u8]) -> bool) {
        for field in self.headers.iter() {
            let pair = match field.cast_into::<PyTuple>() {
                Ok(pair) => pair.as_sequence().to_list(),
                Err(other) => other.into_inner().cast_into::<PyList>().map_err(PyErr::from),
            };
            let Ok(pair) = pair else { continue };
            let (Ok(field), Ok(value)) = (pair.get_item(0), pair.get_item(1)) else {
                continue;
            };
            let (Ok(field), Ok(value)) = (field.cast::<PyBytes>(), value.cast::<PyBytes>()) else {
                continue;
            };
            if field.as_bytes() == name && !each(value.as_bytes()) {
                return;
            }
        }
    }
}
