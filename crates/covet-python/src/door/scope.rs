//! The ASGI scope of a request on the socket door: a real dict with uvicorn's keys. Made for the Python path, and
//! for native requests when somebody asks for the request object.

use covet_engine::Address;
use covet_http::percent;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use super::exchange::Exchange;
use super::table::path_params;

impl Exchange {
    /// The scope of this request; the same dict each time.
    pub(crate) fn scope(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        if let Some(scope) = &*self.scope.borrow() {
            return Ok(scope.clone_ref(py));
        }
        let scope = self.bare_scope(py)?;
        let scope = scope.into_any().unbind();
        *self.scope.borrow_mut() = Some(scope.clone_ref(py));
        Ok(scope)
    }

    /// The scope as it is inside the matched route.
    pub(crate) fn route_scope(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let scope = self.scope(py)?;
        if self.routed.replace(true) {
            return Ok(scope);
        }
        let Some((table, tag, params)) = self.found_parts() else {
            return Ok(scope);
        };
        let dict = scope.bind(py).cast::<PyDict>()?;
        if let Some(row) = table.row(tag) {
            if let Some(enter) = &table.settings.enter {
                enter.call1(py, (&scope, &row.child))?;
            }
            let params = path_params(py, row, params.into_iter())?;
            dict.set_item(intern!(py, "path_params"), params)?;
        }
        Ok(scope)
    }

    fn bare_scope<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let options = &self.site.options;
        let head = &self.head;
        let origin = options.proxies.origin(&self.peer, &head.headers);
        let scope = PyDict::new(py);
        let set = |key: &Bound<'py, PyString>, value: Bound<'py, PyAny>| scope.set_item(key, value);
        set(intern!(py, "type"), intern!(py, "http").clone().into_any())?;
        set(intern!(py, "asgi"), self.site.asgi_version(py)?)?;
        let version = if head.minor == 0 {
            intern!(py, "1.0")
        } else {
            intern!(py, "1.1")
        };
        set(intern!(py, "http_version"), version.clone().into_any())?;
        set(intern!(py, "server"), server(py, &self.peer.local)?)?;
        set(intern!(py, "client"), client(py, origin.client)?)?;
        let scheme = match origin.https {
            Some(true) => intern!(py, "https").clone(),
            Some(false) => intern!(py, "http").clone(),
            None => PyString::new(py, &options.scheme),
        };
        set(intern!(py, "scheme"), scheme.into_any())?;
        set(
            intern!(py, "method"),
            PyString::new(py, head.method.as_str()).into_any(),
        )?;
        let root = PyString::new(py, &options.root_path);
        set(intern!(py, "root_path"), root.into_any())?;
        let path = percent::decode_path(&head.path);
        let path = if options.root_path.is_empty() {
            path
        } else {
            (options.root_path.clone() + &path).into()
        };
        set(intern!(py, "path"), PyString::new(py, &path).into_any())?;
        set(
            intern!(py, "raw_path"),
            raw_path(py, &options.root_path, &head.path),
        )?;
        set(
            intern!(py, "query_string"),
            PyBytes::new(py, &head.query).into_any(),
        )?;
        set(intern!(py, "headers"), self.header_list(py)?)?;
        if let Some(state) = &options.state {
            set(
                intern!(py, "state"),
                state.bind(py).call_method0(intern!(py, "copy"))?,
            )?;
        }
        // `covet.scope_keys.HELD_BODY`: a streamed body is bounded where somebody keeps all of it.
        set(
            intern!(py, "covet.held_body"),
            options.max_body.into_pyobject(py)?.into_any(),
        )?;
        let extensions = PyDict::new(py);
        extensions.set_item(intern!(py, "http.response.early_hint"), PyDict::new(py))?;
        // `covet.scope_keys.DOOR`: a body need not be followed by an empty last message.
        extensions.set_item(intern!(py, "covet.door"), PyDict::new(py))?;
        set(intern!(py, "extensions"), extensions.into_any())?;
        Ok(scope)
    }

    fn header_list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let list = PyList::empty(py);
        for (name, value) in self.head.headers.iter() {
            list.append(PyTuple::new(
                py,
                [self.site.field_name(py, name), PyBytes::new(py, value)],
            )?)?;
        }
        Ok(list.into_any())
    }
}

fn raw_path<'py>(py: Python<'py>, root: &str, path: &[u8]) -> Bound<'py, PyAny> {
    if root.is_empty() {
        return PyBytes::new(py, path).into_any();
    }
    PyBytes::new(py, &[root.as_bytes(), path].concat()).into_any()
}

fn server<'py>(py: Python<'py>, local: &Address) -> PyResult<Bound<'py, PyAny>> {
    match local {
        Address::Tcp(socket) => {
            let pair = (socket.ip().to_canonical().to_string(), socket.port());
            Ok(pair.into_pyobject(py)?.into_any())
        }
        Address::Unix(Some(path)) => Ok((path.to_string_lossy().into_owned(), py.None())
            .into_pyobject(py)?
            .into_any()),
        Address::Unix(None) | Address::Unknown => Ok(py.None().into_bound(py)),
    }
}

fn client<'py>(py: Python<'py>, client: Option<(String, u16)>) -> PyResult<Bound<'py, PyAny>> {
    match client {
        Some(pair) => Ok(pair.into_pyobject(py)?.into_any()),
        None => Ok(py.None().into_bound(py)),
    }
}
