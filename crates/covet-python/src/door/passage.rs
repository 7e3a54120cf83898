//! One request on its way through function middleware (`covet/middleware/function_step.py`): what Python's steps ask of
//! the engine. As long as nobody has changed the request, what lies behind a step is run natively; Python decides what
//! else happens. Lives as long as the outermost step runs.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use covet_http::{Body, ResponseHead};
use covet_middleware::{Entry, Stack, StoreAnswer};
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyInt, PyList, PyString, PyTuple};

use super::asgi_out::pair;
use super::conclusion::framed;
use super::exchange::{Exchange, Incoming, SharedExchange};
use super::head_source::HeadSource;
use super::native_body::NativeBody;
use super::socket_host::SocketHost;
use super::step_host::StepHost;
use super::table::Settings;
use crate::object::ffi::{Context, LoopBound};
use crate::object::task::Started;
use crate::plan::{Answer, Execution, PlanRun, Prepared, native_answer, raw_fields};

/// The channel of a request for Python: scope, `receive` and `send`.
struct Opened {
    scope: Py<PyDict>,
    receive: Py<PyAny>,
    send: Py<PyAny>,
    /// What the scope said when it was made.
    came: [Option<Py<PyAny>>; ROUTED.len()],
    /// The fields it had then.
    fields: Py<PyTuple>,
}

/// What of a scope decides what a plan does, besides the fields.
const ROUTED: [&str; 4] = ["method", "path", "root_path", "query_string"];

#[derive(Default)]
struct Course {
    opened: RefCell<Option<Opened>>,
    /// Has a plan been run? The scope then knows the route.
    planned: Cell<bool>,
    background: RefCell<Vec<Py<PyAny>>>,
}

/// One request on its way through function middleware.
#[pyclass(frozen, module = "covet._engine")]
pub(crate) struct Passage {
    exchange: SharedExchange,
    course: LoopBound<Course>,
}

#[pymethods]
impl Passage {
    /// `(scope, receive, send)`, made at the first call.
    fn open(&self, py: Python<'_>) -> PyResult<(Py<PyDict>, Py<PyAny>, Py<PyAny>)> {
        let (exchange, course) = self.here()?;
        if course.opened.borrow().is_none() {
            let opened = self.opened(py)?;
            *course.opened.borrow_mut() = Some(opened);
            if course.planned.get() {
                exchange.route_scope(py)?;
            }
        }
        let opened = course.opened.borrow();
        let opened = opened.as_ref().ok_or_else(elsewhere)?;
        Ok((
            opened.scope.clone_ref(py),
            opened.receive.clone_ref(py),
            opened.send.clone_ref(py),
        ))
    }

    /// Is the request still what the client sent, as far as routes and parameters are concerned?
    fn is_unchanged(&self, py: Python<'_>) -> PyResult<bool> {
        let (_, course) = self.here()?;
        let opened = course.opened.borrow();
        let Some(opened) = opened.as_ref() else {
            return Ok(true);
        };
        let scope = opened.scope.bind(py);
        for (key, came) in ROUTED.into_iter().zip(&opened.came) {
            let now = scope.get_item(PyString::intern(py, key))?;
            let same = match (&now, came) {
                (Some(now), Some(came)) => now.is(came),
                (None, None) => true,
                _ => false,
            };
            if !same {
                return Ok(false);
            }
        }
        let Some(fields) = scope.get_item(intern!(py, "headers"))? else {
            return Ok(false);
        };
        // Whoever looks at `request.headers` leaves another list of the same fields.
        let Ok(fields) = fields.cast_exact::<PyList>() else {
            return Ok(false);
        };
        let came = opened.fields.bind(py);
        Ok(fields.len() == came.len() && fields.iter().zip(came.iter()).all(|(now, came)| now.is(&came)))
    }

    /// The scope; a copy of it with what the client sent where that was changed: for middleware outside of the change.
    fn original(&self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        let (scope, ..) = self.open(py)?;
        if self.is_unchanged(py)? {
            return Ok(scope);
        }
        let (_, course) = self.here()?;
        let opened = course.opened.borrow();
        let opened = opened.as_ref().ok_or_else(elsewhere)?;
        let copy = scope.bind(py).copy()?;
        for (key, came) in ROUTED.into_iter().zip(&opened.came) {
            copy.set_item(PyString::intern(py, key), came)?;
        }
        copy.set_item(intern!(py, "headers"), opened.fields.bind(py).to_list())?;
        Ok(copy.unbind())
    }

    /// Go inwards through a segment of native middleware; a response is its early answer.
    fn enter(&self, py: Python<'_>, segment: usize) -> PyResult<Option<Py<PyAny>>> {
        let (exchange, _) = self.here()?;
        let Some(stack) = self.segment(segment)? else {
            return Ok(None);
        };
        match stack.enter(&exchange.head, Instant::now(), |_| StoreAnswer::Unavailable) {
            Entry::Through => Ok(None),
            Entry::Answered(entered, mut head, body) => {
                let body = stack.leave(entered, &exchange.head, &mut head, body);
                self.made(py, head, body).map(Some)
            }
        }
    }

    /// Do dependencies of the route's plan have exits?
    #[getter]
    fn has_exits(&self) -> PyResult<bool> {
        let (exchange, _) = self.here()?;
        let found = exchange.found.borrow();
        let row = found.as_ref().and_then(|found| found.table.row(found.tag));
        Ok(row.is_some_and(|row| {
            row.plan
                .as_ref()
                .is_some_and(|plan| plan.get().opens_generators())
        }))
    }

    /// The awaitable of the route's plan, which gives the response as it leaves the segment; None when only Python can
    /// answer. Nothing of the user's is called before it is awaited. A plan with exits awaits `deliver(response)` before
    /// they run, and gives nothing.
    #[pyo3(signature = (segment, deliver=None))]
    fn plan(
        slf: &Bound<'_, Self>,
        segment: Option<usize>,
        deliver: Option<Py<PyAny>>,
    ) -> PyResult<Option<Py<PlanRun>>> {
        let py = slf.py();
        let (exchange, course) = slf.get().here()?;
        let Some(found) = exchange.found.borrow().clone() else {
            return Ok(None);
        };
        let Some((row, plan)) = found
            .table
            .row(found.tag)
            .and_then(|row| row.plan.as_ref().map(|plan| (row, plan)))
        else {
            return Ok(None);
        };
        let body = match &*exchange.incoming.borrow() {
            Incoming::Whole(bytes) => bytes.clone(),
            // A plan that takes a body was given all of it; another one leaves it to whoever reads it.
            Incoming::Stream(_) | Incoming::Over => Bytes::new(),
        };
        let source = HeadSource::new(&exchange.head, &exchange.site.options.root_path, &found);
        let Prepared::Ready(values) = plan.get().prepare(py, &source, &body) else {
            return Ok(None);
        };
        course.planned.set(true);
        // What an earlier run left to do is forgotten with its answer.
        drop(course.background.take());
        if course.opened.borrow().is_some() {
            exchange.route_scope(py)?;
        }
        let socket = SocketHost {
            exchange: slf.get().exchange.clone(),
            pace: row.pace.clone(),
        };
        let host = StepHost::new(socket, slf.clone().unbind(), segment, deliver);
        Execution::new(plan.clone_ref(py), values, Arc::new(host))
            .into_run(py)
            .map(Some)
    }

    /// Start a coroutine in a task of its own and a copy of this context; None: it has ended already.
    fn start(&self, py: Python<'_>, coroutine: Py<PyAny>) -> PyResult<Option<Py<PyAny>>> {
        let (exchange, _) = self.here()?;
        match exchange
            .site
            .tasks
            .start(py, &coroutine, &Context::current(py)?)?
        {
            Started::Pending(task) => Ok(Some(task)),
            Started::Finished(_) => Ok(None),
            Started::Raised(error) => Err(error),
        }
    }

    /// Take a response outwards, through a segment if there is one; None when only its `__call__` knows what it sends.
    fn leave(&self, segment: Option<usize>, response: &Bound<'_, PyAny>) -> PyResult<Option<Py<PyAny>>> {
        if segment.is_none() && self.is_ours(response)? {
            return Ok(Some(response.clone().unbind()));
        }
        let Some((head, body)) = self.taken(response)? else {
            return Ok(None);
        };
        let (head, body) = self.left(segment, head, body)?;
        self.made(response.py(), head, body).map(Some)
    }

    /// Answer with a response; False when only its `__call__` knows what it sends.
    fn send(&self, response: &Bound<'_, PyAny>) -> PyResult<bool> {
        let (exchange, _) = self.here()?;
        match self.taken(response)? {
            Some((head, body)) => {
                exchange.respond(head, body);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// What plans left to be called and awaited after the answer, in order. Given once.
    fn background(&self) -> PyResult<Vec<Py<PyAny>>> {
        Ok(self.here()?.1.background.take())
    }

    /// Has an answer gone out, wholly or in part?
    #[getter]
    fn has_begun(&self) -> PyResult<bool> {
        Ok(self.here()?.0.has_begun())
    }

    /// What answers from here on stands outside of all the user's middleware.
    fn step_outside(&self) -> PyResult<()> {
        self.here()?.0.step_outside();
        Ok(())
    }
}

impl Passage {
    /// The way of a request that has a row.
    pub(crate) fn new(exchange: SharedExchange) -> Self {
        Self {
            exchange,
            course: LoopBound::new(Course::default()),
        }
    }

    /// The response object of a plan's answer, outside of a segment.
    pub(crate) fn response(
        &self,
        py: Python<'_>,
        answer: Answer,
        segment: Option<usize>,
    ) -> PyResult<Py<PyAny>> {
        let (exchange, course) = self.here()?;
        let (head, body, background) = framed(exchange, answer);
        course.background.borrow_mut().extend(background);
        let (head, body) = self.left(segment, head, body)?;
        self.made(py, head, body)
    }

    fn here(&self) -> PyResult<(&Exchange, &Course)> {
        let exchange = Exchange::here(&self.exchange)?;
        Ok((exchange, self.course.get().ok_or_else(elsewhere)?))
    }

    fn settings<T>(&self, ask: impl FnOnce(&Settings) -> Option<T>) -> PyResult<Option<T>> {
        Ok(self.here()?.0.found_settings(ask))
    }

    fn segment(&self, number: usize) -> PyResult<Option<Stack>> {
        self.settings(|settings| settings.pipeline.segments.get(number).cloned())
    }

    /// An answer outside of a segment, if there is one.
    fn left(
        &self,
        segment: Option<usize>,
        mut head: ResponseHead,
        body: Body,
    ) -> PyResult<(ResponseHead, Body)> {
        let (exchange, _) = self.here()?;
        let stack = segment.map(|number| self.segment(number)).transpose()?.flatten();
        let body = match stack {
            Some(stack) => stack.leave(stack.len(), &exchange.head, &mut head, body),
            None => body,
        };
        Ok((head, body))
    }

    fn made(&self, py: Python<'_>, head: ResponseHead, body: Body) -> PyResult<Py<PyAny>> {
        let (exchange, _) = self.here()?;
        let respond = self.settings(|settings| {
            let respond = settings.pipeline.respond.as_ref();
            respond.map(|respond| respond.clone_ref(py))
        })?;
        let respond = respond.ok_or_else(|| PyRuntimeError::new_err("the application makes no responses"))?;
        let headers = PyList::empty(py);
        for (name, value) in &head.headers {
            headers.append(PyTuple::new(
                py,
                [exchange.site.field_name(py, name), PyBytes::new(py, value)],
            )?)?;
        }
        respond.call1(py, (head.status, headers, Py::new(py, NativeBody::new(body))?))
    }

    /// Is it what `made` made, or at least of that class?
    fn is_ours(&self, response: &Bound<'_, PyAny>) -> PyResult<bool> {
        let ours = self.settings(|settings| {
            let class = settings.pipeline.response.as_ref()?;
            Some(response.get_type().is(class))
        })?;
        Ok(ours == Some(true))
    }

    /// Head and body of a response whose sending holds no surprise; its body is taken from it.
    fn taken(&self, response: &Bound<'_, PyAny>) -> PyResult<Option<(ResponseHead, Body)>> {
        let py = response.py();
        if !self.is_ours(response)? {
            return Ok(native_answer(response)?.map(|answer| {
                let (status, headers) = (answer.status, answer.headers);
                (ResponseHead { status, headers }, Body::from(answer.body))
            }));
        }
        let held = response.getattr(intern!(py, "body_iterator"))?;
        let Ok(held) = held.cast_exact::<NativeBody>() else {
            return Ok(None);
        };
        let Some(head) = head_of(response)? else {
            return Ok(None);
        };
        if !held.get().is_whole() || !frames(&head, held.get().length()) {
            return Ok(None);
        }
        Ok(held.get().take().map(|body| (head, body)))
    }

    fn opened(&self, py: Python<'_>) -> PyResult<Opened> {
        let (exchange, _) = self.here()?;
        let scope = exchange.scope(py)?.into_bound(py).cast_into::<PyDict>()?;
        let arrive = self.settings(|settings| {
            let arrive = settings.pipeline.arrive.as_ref();
            arrive.map(|arrive| arrive.clone_ref(py))
        })?;
        if let Some(arrive) = arrive {
            arrive.call1(py, (&scope,))?;
        }
        let (receive, send) = pair(py, &self.exchange)?;
        let came = ROUTED.map(|key| scope.get_item(key).ok().flatten().map(Bound::unbind));
        let fields = match scope.get_item(intern!(py, "headers"))? {
            Some(fields) => fields.cast_into::<PyList>()?.to_tuple().unbind(),
            None => PyTuple::empty(py).unbind(),
        };
        Ok(Opened {
            scope: scope.unbind(),
            receive,
            send,
            came,
            fields,
        })
    }
}

fn elsewhere() -> PyErr {
    PyRuntimeError::new_err("a request belongs to the thread of its event loop")
}

/// Status and headers as they are now; None where they are not what a server can send.
fn head_of(response: &Bound<'_, PyAny>) -> PyResult<Option<ResponseHead>> {
    let py = response.py();
    let status = response.getattr(intern!(py, "status_code"))?;
    let raw = response.getattr(intern!(py, "raw_headers"))?;
    let (Ok(status), Ok(raw)) = (status.cast_exact::<PyInt>(), raw.cast_exact::<PyList>()) else {
        return Ok(None);
    };
    let status = status.extract::<u16>().ok();
    let status = status.filter(|status| (200..=999).contains(status));
    Ok(status
        .zip(raw_fields(raw))
        .map(|(status, headers)| ResponseHead { status, headers }))
}

/// Do the headers say the truth about a body of this length? Otherwise the Python path has its own words for it.
fn frames(head: &ResponseHead, length: Option<u64>) -> bool {
    let mut announced = head
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case(b"content-length"));
    if head.get(b"transfer-encoding").is_some() {
        return false;
    }
    match (announced.next(), announced.next()) {
        (None, _) => true,
        (Some(_), None) => head.content_length() == length && length.is_some(),
        (Some(_), Some(_)) => false,
    }
}
