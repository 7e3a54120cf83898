//! Takes a plan's values out of a request and converts them. Nothing is called but pydantic's validator of the body,
//! so every irregularity can still send the request down the Python path.

use std::borrow::Cow;

use covet_http::{cookies, latin1, query};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyList;

use super::convert::{Kind, Length};
use super::source::ValueSource;
use super::spec::{Absent, Param, Place, Plan};
use super::values::Values;

/// Why Python has to answer; for tests and traces.
pub(super) type Irregular = &'static str;

/// What became of a request's values.
pub(crate) enum Prepared {
    /// Everything was found and fits.
    Ready(Values),
    /// Python answers, from the start.
    Fallback(&'static str),
}

/// How many parameters are looked up without an allocation.
const INLINE: usize = 16;

impl Plan {
    /// Extract and convert every value. `body` is complete; it is ignored where the plan takes none.
    pub(crate) fn prepare<S: ValueSource>(&self, py: Python<'_>, source: &S, body: &[u8]) -> Prepared {
        let mut values = Values::new(self.slots());
        match self.fill(py, source, body, &mut values) {
            Ok(()) => Prepared::Ready(values),
            Err(why) => Prepared::Fallback(why),
        }
    }

    fn fill<S: ValueSource>(
        &self,
        py: Python<'_>,
        source: &S,
        body: &[u8],
        values: &mut Values,
    ) -> Result<(), Irregular> {
        let mut inline = [const { None }; INLINE];
        let mut spilled = Vec::new();
        let found = match inline.get_mut(..self.params.len()) {
            Some(found) => found,
            None => {
                spilled.resize(self.params.len(), None);
                spilled.as_mut_slice()
            }
        };
        if self.queries {
            scan(source.query(), &self.params, found);
        }
        for (slot, (param, found)) in self.params.iter().zip(found).enumerate() {
            if param.place != Place::Body {
                values.set(slot, take(py, param, source, found.as_deref())?);
            }
        }
        match &self.body {
            Some(spec) => {
                values.set(self.params.len(), spec.read(py, source, body)?);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// Remember the last value of each query parameter.
fn scan<'a>(query: &'a [u8], params: &[Param], found: &mut [Option<Cow<'a, str>>]) {
    for (name, value) in query::pairs(query) {
        for (param, found) in params.iter().zip(found.iter_mut()) {
            if param.place == Place::Query && param.name == name {
                *found = Some(value.clone());
            }
        }
    }
}

/// The value of one parameter; `last` is the last text of its name in the query.
fn take<S: ValueSource>(
    py: Python<'_>,
    param: &Param,
    source: &S,
    last: Option<&str>,
) -> Result<Py<PyAny>, Irregular> {
    let convert = |text: &str| param.kind.convert(py, text).ok_or(ODD);
    let found = match (param.place, &param.kind) {
        (Place::Query, Kind::List(..)) if last.is_none() => None,
        (Place::Query, Kind::List(item, length)) => {
            Some(query_list(py, source.query(), param, item, length)?)
        }
        (Place::Header, Kind::List(item, length)) => header_list(py, source, param, item, length)?,
        (Place::Query, _) => last.map(convert).transpose()?,
        (Place::Path, _) => source.path(&param.name).map(|text| convert(&text)).transpose()?,
        (Place::Header, _) => first_header(source, param, convert)?,
        (Place::Cookie, _) => last_cookie(source, &param.name, convert)?,
        (Place::Body, _) => None,
    };
    match found {
        Some(value) => Ok(value),
        None => absent(py, param),
    }
}

const ODD: Irregular = "a value that is not of the plain form of its type, or out of bounds";
const MEMORY: Irregular = "no memory";

fn query_list(
    py: Python<'_>,
    query: &[u8],
    param: &Param,
    item: &Kind,
    length: &Length,
) -> Result<Py<PyAny>, Irregular> {
    let list = PyList::empty(py);
    for (_, text) in query::pairs(query).filter(|(name, _)| *name == param.name) {
        list.append(item.convert(py, &text).ok_or(ODD)?)
            .map_err(|_| MEMORY)?;
    }
    if length.hold(list.len()) {
        Ok(list.into_any().unbind())
    } else {
        Err(ODD)
    }
}

fn header_list<S: ValueSource>(
    py: Python<'_>,
    source: &S,
    param: &Param,
    item: &Kind,
    length: &Length,
) -> Result<Option<Py<PyAny>>, Irregular> {
    let list = PyList::empty(py);
    let mut outcome = Ok(());
    source.headers(param.name.as_bytes(), &mut |value| {
        outcome = match item.convert(py, &latin1::decode(value)) {
            Some(item) => list.append(item).map_err(|_| MEMORY),
            None => Err(ODD),
        };
        outcome.is_ok()
    });
    outcome?;
    match list.len() {
        0 => Ok(None),
        items if length.hold(items) => Ok(Some(list.into_any().unbind())),
        _ => Err(ODD),
    }
}

fn first_header<S: ValueSource, T>(
    source: &S,
    param: &Param,
    convert: impl Fn(&str) -> Result<T, Irregular>,
) -> Result<Option<T>, Irregular> {
    let mut first = None;
    source.headers(param.name.as_bytes(), &mut |value| {
        first = Some(convert(&latin1::decode(value)));
        false
    });
    first.transpose()
}

/// Later Cookie fields win over earlier ones, as later cookies do within one.
fn last_cookie<S: ValueSource, T>(
    source: &S,
    name: &str,
    convert: impl Fn(&str) -> Result<T, Irregular>,
) -> Result<Option<T>, Irregular> {
    let mut last = None;
    source.headers(b"cookie", &mut |field| {
        if let Some(text) = cookies::find(field, name) {
            last = Some(convert(&text));
        }
        true
    });
    last.transpose()
}

fn absent(py: Python<'_>, param: &Param) -> Result<Py<PyAny>, Irregular> {
    static DEEPCOPY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    match &param.absent {
        Absent::Refused => Err("a required value is missing"),
        Absent::Shared(value) => Ok(value.clone_ref(py)),
        Absent::Copied(value) => {
            let copy = DEEPCOPY.get_or_try_init(py, || {
                py.import(intern!(py, "copy"))?
                    .getattr(intern!(py, "deepcopy"))
                    .map(Bound::unbind)
            });
            copy.and_then(|copy| copy.call1(py, (value,)))
                .map_err(|_| "a default that cannot be copied")
        }
    }
}
