//! The JSON body of a plan: checked for what pydantic's own parser would take differently than Python's, then
//! validated from the bytes. Every refusal sends the request to Python, whose errors are the ones users know.

use covet_http::media_type;
use memchr::{memchr_iter, memchr2_iter, memmem};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use super::extract::Irregular;
use super::host::Host;
use super::source::ValueSource;
use super::values::Values;
use crate::object::ffi::Arguments;

/// Deepest nesting of objects and arrays that is parsed here. `Limits::json_depth` of covet-http has the same default.
const DEPTH: usize = 64;

/// The largest float has one digit less before its point.
const HUGE_DIGITS: usize = 309;

enum Mode {
    /// `validate_json(bytes)`: only for schemas where both modes agree.
    Json,
    /// `json.loads`, then `validate_python(value, from_attributes=True)`.
    Python,
    /// `json.loads` now; `take(parsed)` right before the endpoint, where the Python path validates. For bodies whose
    /// validation runs user code, and for bodies of several parameters. Errors go to the function held here.
    Late(Py<PyAny>),
}

/// How a plan reads its body.
pub(super) struct BodySpec {
    mode: Mode,
    /// The validator's bound method, or `take`.
    validate: Py<PyAny>,
    names: Py<PyTuple>,
    yes: Py<PyAny>,
    untyped: bool,
}

impl BodySpec {
    /// Parse `(mode, validator, media)`; `untyped`: a body without content-type is JSON as well.
    pub(super) fn from_python(data: &Bound<'_, PyAny>, untyped: bool) -> PyResult<Self> {
        let py = data.py();
        let (mode, validator, _media): (u8, Bound<'_, PyAny>, Bound<'_, PyAny>) = data.extract()?;
        let (mode, validate) = match mode {
            1 => (Mode::Json, validator.getattr("validate_json")?),
            2 => (Mode::Python, validator.getattr("validate_python")?),
            3 => {
                let (take, refuse): (Bound<'_, PyAny>, Py<PyAny>) = validator.extract()?;
                (Mode::Late(refuse), take)
            }
            _ => return Err(PyValueError::new_err("unknown mode of a body")),
        };
        Ok(Self {
            mode,
            validate: validate.unbind(),
            names: PyTuple::new(py, [intern!(py, "from_attributes")])?.unbind(),
            yes: true.into_pyobject(py)?.to_owned().into_any().unbind(),
            untyped,
        })
    }

    /// Are the body's values made right before the endpoint is called?
    pub(super) fn is_late(&self) -> bool {
        matches!(self.mode, Mode::Late(_))
    }

    /// Make the values of a late body; they fill `slots`. Errors raise what the Python path raises.
    pub(super) fn take(
        &self,
        py: Python<'_>,
        parsed: usize,
        slots: &[usize],
        values: &mut Values,
        host: &dyn Host,
    ) -> PyResult<()> {
        let taken = self.validate.bind(py).call1((values.get(parsed)?,))?;
        let (taken, errors): (Bound<'_, PyTuple>, Bound<'_, PyAny>) = taken.extract()?;
        if let (true, Mode::Late(refuse)) = (errors.is_truthy()?, &self.mode) {
            refuse
                .bind(py)
                .call1((errors, values.get(parsed)?, host.request(py)?))?;
        }
        if taken.len() != slots.len() {
            return Err(PyValueError::new_err(
                "a body gave another number of values than the plan has",
            ));
        }
        for (slot, value) in slots.iter().zip(taken.iter()) {
            values.set(*slot, value.unbind());
        }
        Ok(())
    }

    /// Validate the body of a request; a late one is only parsed.
    pub(super) fn read<S: ValueSource>(
        &self,
        py: Python<'_>,
        source: &S,
        body: &[u8],
    ) -> Result<Py<PyAny>, Irregular> {
        if !declared(source).unwrap_or(self.untyped) {
            return Err("a body that is not declared as JSON");
        }
        plain(body)?;
        let bytes = PyBytes::new(py, body);
        let value = match self.mode {
            Mode::Json => self.validate.call1(py, (bytes,)),
            Mode::Late(_) => loads(py, bytes),
            Mode::Python => loads(py, bytes).and_then(|value| {
                let mut arguments = Arguments::new();
                arguments.push(&value);
                arguments.push(&self.yes);
                arguments
                    .call(self.validate.bind(py), Some(self.names.bind(py)))
                    .map(Bound::unbind)
            }),
        };
        value.map_err(|_| "a body that does not validate")
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.validate)?;
        match &self.mode {
            Mode::Late(refuse) => visit.call(refuse),
            Mode::Json | Mode::Python => Ok(()),
        }
    }
}

fn loads(py: Python<'_>, bytes: Bound<'_, PyBytes>) -> PyResult<Py<PyAny>> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    LOADS
        .import(py, "json", "loads")?
        .call1((bytes,))
        .map(Bound::unbind)
}

/// Does the content-type, if there is one, say JSON?
fn declared<S: ValueSource>(source: &S) -> Option<bool> {
    let mut json = None;
    source.headers(b"content-type", &mut |value| {
        if !value.is_empty() {
            json = Some(value.is_ascii() && media_type::is_json(value));
        }
        false
    });
    json
}

/// Is this a body that both parsers read alike and that is not too deep?
fn plain(body: &[u8]) -> Result<(), Irregular> {
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => return Err("an empty body"),
        Some(b'n') => return Err("a null body"),
        Some(_) => {}
    }
    // Not a number, infinities: taken by json.loads everywhere, by pydantic's parser by field.
    if memchr_iter(b'N', body).any(|at| body.get(at..).is_some_and(|rest| rest.starts_with(b"NaN")))
        || memmem::find(body, b"Infinity").is_some()
    {
        return Err("a body that may hold numbers that are not finite");
    }
    if huge_number(body) {
        return Err("a body that may hold a number no float can hold");
    }
    if memchr2_iter(b'{', b'[', body).take(DEPTH + 1).count() > DEPTH && depth(body) > DEPTH {
        return Err("a body that is nested too deeply");
    }
    Ok(())
}

/// Is there a number with so many digits that no float can hold it? `json.loads` makes an integer of it, which a
/// float field refuses; pydantic's parser makes it infinity.
fn huge_number(body: &[u8]) -> bool {
    // A run this long covers one of the places looked at.
    (0..body.len())
        .step_by(HUGE_DIGITS)
        .any(|at| digits_around(body, at) >= HUGE_DIGITS)
}

/// How many digits stand in a row around this place.
fn digits_around(body: &[u8], at: usize) -> usize {
    let Some((before, after)) = body.split_at_checked(at) else {
        return 0;
    };
    let right = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if right == 0 {
        return 0;
    }
    right
        + before
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
}

/// The deepest nesting outside of strings.
fn depth(body: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    let mut bytes = body.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(inside) = bytes.next() {
                    match inside {
                        b'"' => break,
                        b'\\' => drop(bytes.next()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::{depth, plain};

    #[test]
    fn numbers_that_no_float_can_hold_are_refused_wherever_they_stand() {
        for pad in [0, 1, 308, 309, 400] {
            let number = |digits: usize| [vec![b' '; pad], vec![b'1'; digits], vec![b']'; 2]].concat();
            assert!(plain(&number(308)).is_ok());
            assert!(plain(&number(309)).is_err());
        }
    }

    #[test]
    fn nesting_inside_strings_does_not_count() {
        assert_eq!(depth(br#"{"a": ["[[[\"[["], "b": {}}"#), 2);
    }

    #[test]
    fn a_body_at_the_depth_limit_passes_and_one_above_does_not() {
        let nested = |levels: usize| [vec![b'['; levels], vec![b']'; levels]].concat();
        assert!(plain(&nested(64)).is_ok());
        assert!(plain(&nested(65)).is_err());
    }
}
