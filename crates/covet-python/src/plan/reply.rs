//! The response half of a plan: makes an answer of what the endpoint returned, as FastAPI's request handler does.
//!
//! `(mode, serializer, status, media_type, headers, response_class)`:
//! - mode 0: our JSON writer; what it does not know goes through `jsonable_encoder` and `response_class`;
//! - mode 1: serializer is `(validator, serializer, options, refuse, shape)`: `validator.validate_python(value,
//!   from_attributes=True)`, then `serializer.to_json(value, **options)`, or our writer by the shape unless that is None;
//!   on a ValidationError `refuse(error, value, request)` raises what FastAPI raises;
//! - mode 2: a str is the body; anything else as in mode 0;
//! - mode 3: serializer is `finish(value, request)`, which gives the response object.
//!
//! status: None means 200. headers: None or pairs of bytes added to native answers.

use bytes::Bytes;
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyInt, PyList, PyString, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit};

use super::host::Host;
use super::outcome::{Answer, Outcome};
use super::response::{self, bodyless};
use super::values::Values;
use crate::json::{self, Shape, Written};
use crate::object::ffi::Arguments;

/// The response's tuple.
type Data<'py> = (
    u8,
    Bound<'py, PyAny>,
    Option<u16>,
    Option<String>,
    Option<Vec<PairData<'py>>>,
    Py<PyAny>,
);
type PairData<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>);

/// Validator, serialiser, options of `to_json`, refuse, shape.
type ModelData<'py> = (
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyDict>,
    Py<PyAny>,
    Option<Bound<'py, PyTuple>>,
);

/// Status and headers.
type Head = (u16, Vec<(Bytes, Bytes)>);

enum Mode {
    Json,
    Model(Model),
    Text,
    Python(Py<PyAny>),
}

/// How the endpoint's value becomes an answer.
pub(super) struct Reply {
    mode: Mode,
    status: Option<u16>,
    content_type: Option<Bytes>,
    headers: Vec<(Bytes, Bytes)>,
    class: Py<PyAny>,
}

/// pydantic's halves for one response model.
struct Model {
    validate: Py<PyAny>,
    from_attributes: Py<PyTuple>,
    yes: Py<PyAny>,
    to_json: Py<PyAny>,
    option_names: Py<PyTuple>,
    options: Vec<Py<PyAny>>,
    refuse: Py<PyAny>,
    shape: Option<Shape>,
}

impl Reply {
    pub(super) fn from_python(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (mode, serializer, status, media_type, headers, class): Data<'_> = data.extract()?;
        let mode = match mode {
            0 => Mode::Json,
            1 => Mode::Model(Model::from_python(&serializer)?),
            2 => Mode::Text,
            3 => Mode::Python(serializer.unbind()),
            _ => return Err(PyValueError::new_err("unknown mode of a response")),
        };
        let copy = |bytes: &Bound<'_, PyBytes>| Bytes::copy_from_slice(bytes.as_bytes());
        let headers = headers
            .unwrap_or_default()
            .iter()
            .map(|(name, value)| (copy(name), copy(value)))
            .collect();
        let content_type = media_type.filter(|media| !media.is_empty()).map(content_type);
        Ok(Self {
            mode,
            status,
            content_type,
            headers,
            class,
        })
    }

    /// Answer with what the endpoint returned.
    pub(super) fn finish(
        &self,
        value: &Bound<'_, PyAny>,
        values: &Values,
        host: &dyn Host,
    ) -> PyResult<Outcome> {
        let py = value.py();
        if response::is_response(value)? {
            return response::outcome(value.clone(), values.background.as_ref());
        }
        let body = match &self.mode {
            Mode::Json => json::write(value)?,
            Mode::Model(model) => Written::Bytes(model.write(value, host)?),
            Mode::Text => match value
                .cast_exact::<PyString>()
                .ok()
                .and_then(|text| text.to_str().ok())
            {
                Some(text) => Written::Bytes(Bytes::copy_from_slice(text.as_bytes())),
                None => Written::Fallback,
            },
            Mode::Python(finish) => {
                let response = finish.bind(py).call1((value, host.request(py)?))?;
                return response::outcome(response, values.background.as_ref());
            }
        };
        match (body, self.head(py, values)?) {
            (Written::Bytes(body), Some((status, headers))) => Ok(Outcome::Native(Answer {
                status,
                headers,
                framed: false,
                body: if bodyless(status) { Bytes::new() } else { body },
                background: values.background.as_ref().map(|tasks| tasks.clone_ref(py)),
            })),
            (Written::Bytes(body), None) if matches!(self.mode, Mode::Model(_)) => {
                self.by_class(response::plain(py)?, PyBytes::new(py, &body).as_any(), values)
            }
            _ => self.by_class(self.class.bind(py), &encode(value)?, values),
        }
    }

    /// Status and headers of a native answer; None where only Python knows what they come to.
    fn head(&self, py: Python<'_>, values: &Values) -> PyResult<Option<Head>> {
        let mut status = self.status.unwrap_or(200);
        // Room for the length and the server's own fields, too.
        let mut headers = Vec::with_capacity(4 + self.headers.len());
        if let Some(content_type) = &self.content_type {
            headers.push((Bytes::from_static(b"content-type"), content_type.clone()));
        }
        headers.extend_from_slice(&self.headers);
        if let Some(injected) = &values.response {
            let injected = injected.bind(py);
            let own = injected.getattr(intern!(py, "status_code"))?;
            match own
                .cast_exact::<PyInt>()
                .ok()
                .and_then(|own| own.extract::<u16>().ok())
            {
                Some(0) => {}
                Some(own) => status = own,
                None if own.is_none() => {}
                None => return Ok(None),
            }
            let Some(more) = raw_headers(injected)?
                .cast_exact::<PyList>()
                .ok()
                .and_then(response::fields)
            else {
                return Ok(None);
            };
            if more
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case(b"content-length"))
            {
                return Ok(None);
            }
            headers.extend(more);
        }
        // 205 forbids the body but not its length; informational statuses are no final answers.
        Ok(((200..=999).contains(&status) && status != 205).then_some((status, headers)))
    }

    /// The response object that FastAPI would make, for everything out of the ordinary.
    fn by_class(
        &self,
        class: &Bound<'_, PyAny>,
        content: &Bound<'_, PyAny>,
        values: &Values,
    ) -> PyResult<Outcome> {
        let py = class.py();
        let options = PyDict::new(py);
        let injected = values.response.as_ref().map(|response| response.bind(py));
        let own = injected
            .map(|response| response.getattr(intern!(py, "status_code")))
            .transpose()?;
        match own {
            Some(own) if own.is_truthy()? => options.set_item(intern!(py, "status_code"), own)?,
            _ => {
                if let Some(status) = self.status {
                    options.set_item(intern!(py, "status_code"), status)?;
                }
            }
        }
        options.set_item(intern!(py, "background"), values.background.as_ref())?;
        if matches!(self.mode, Mode::Model(_)) {
            options.set_item(intern!(py, "media_type"), intern!(py, "application/json"))?;
        }
        let response = class.call((content,), Some(&options))?;
        let status: i64 = response.getattr(intern!(py, "status_code"))?.extract()?;
        if status < 200 || matches!(status, 204 | 205 | 304) {
            response.setattr(intern!(py, "body"), PyBytes::new(py, b""))?;
        }
        if let Some(injected) = injected {
            raw_headers(&response)?.call_method1(intern!(py, "extend"), (raw_headers(injected)?,))?;
        }
        response::outcome(response, None)
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.class)?;
        match &self.mode {
            Mode::Json | Mode::Text => Ok(()),
            Mode::Python(finish) => visit.call(finish),
            Mode::Model(model) => {
                visit.call(&model.validate)?;
                visit.call(&model.to_json)?;
                for option in &model.options {
                    visit.call(option)?;
                }
                visit.call(&model.refuse)?;
                model.shape.iter().try_for_each(|shape| shape.traverse(visit))
            }
        }
    }
}

impl Model {
    fn from_python(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = data.py();
        let (validator, serializer, options, refuse, shape): ModelData<'_> = data.extract()?;
        let names = options.keys();
        Ok(Self {
            validate: validator.getattr(intern!(py, "validate_python"))?.unbind(),
            from_attributes: PyTuple::new(py, [intern!(py, "from_attributes")])?.unbind(),
            yes: true.into_pyobject(py)?.to_owned().into_any().unbind(),
            to_json: serializer.getattr(intern!(py, "to_json"))?.unbind(),
            option_names: names.to_tuple().unbind(),
            options: options.values().iter().map(Bound::unbind).collect(),
            refuse,
            shape: shape.as_ref().map(Shape::from_python).transpose()?,
        })
    }

    fn write(&self, value: &Bound<'_, PyAny>, host: &dyn Host) -> PyResult<Bytes> {
        let py = value.py();
        let given = value.as_unbound();
        let mut arguments = Arguments::new();
        arguments.push(given);
        arguments.push(&self.yes);
        let valid = match arguments.call(self.validate.bind(py), Some(self.from_attributes.bind(py))) {
            Ok(valid) => valid.unbind(),
            Err(error) if error.is_instance(py, validation_error(py)?) => {
                self.refuse.bind(py).call1((error, value, host.request(py)?))?;
                return Err(PyValueError::new_err("a response that does not validate"));
            }
            Err(error) => return Err(error),
        };
        if let Some(shape) = &self.shape
            && let Written::Bytes(body) = json::write_shaped(valid.bind(py), shape)?
        {
            return Ok(body);
        }
        let mut arguments = Arguments::new();
        arguments.push(&valid);
        for option in &self.options {
            arguments.push(option);
        }
        let json = arguments.call(self.to_json.bind(py), Some(self.option_names.bind(py)))?;
        Ok(response::body_bytes(json.cast::<PyBytes>()?))
    }
}

fn validation_error(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    ERROR.import(py, "pydantic_core", "ValidationError")
}

/// What `jsonable_encoder` makes of a value.
fn encode<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static ENCODER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    ENCODER
        .import(value.py(), "covet.encoders", "jsonable_encoder")?
        .call1((value,))
}

/// The list that `response.headers.raw` is.
fn raw_headers<'py>(response: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = response.py();
    response
        .getattr(intern!(py, "headers"))?
        .getattr(intern!(py, "raw"))
}

/// A media type as responses write it.
fn content_type(media: String) -> Bytes {
    if media.starts_with("text/") && !media.to_ascii_lowercase().contains("charset=") {
        return Bytes::from(media + "; charset=utf-8");
    }
    Bytes::from(media)
}
