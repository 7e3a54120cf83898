//! The recursive writer of exact built-in types; `objects.rs` knows the others. It never overflows the native stack
//! (cycles end in Python's RecursionError) and holds no borrow of the shared buffer while Python runs.

use std::cell::Cell;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use super::{number, objects, text};
use crate::object::ffi::{self, Entries};

/// Nested containers written here; what is deeper is Python's.
const DEPTH: usize = 200;

/// Why writing ended early.
pub(super) enum Stop {
    /// Python would write, or raise, something that is not certain here.
    Uncertain,
    /// User code raised.
    Raised(PyErr),
}

impl From<PyErr> for Stop {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

/// Whose rules hold for a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    /// `jsonable_encoder`, then `json.dumps`.
    Encoder,
    /// `json.dumps` alone: an encoder has made this value.
    Plain,
}

/// One value being written.
pub(super) struct Writer {
    pub(super) out: Vec<u8>,
    depth: usize,
    /// User code ran: writing anew in Python could give something else (a generator is empty the second time).
    pub(super) ran_user_code: bool,
}

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Write into this thread's buffer and hand the text to `take`; None when Python has to write it.
pub(super) fn with_buffer<T>(
    write: impl FnOnce(&mut Writer) -> Result<(), Stop>,
    take: impl FnOnce(&mut Vec<u8>) -> T,
) -> PyResult<Option<T>> {
    const KEPT: usize = 256 * 1024;
    let mut writer = Writer {
        out: BUFFER.take(),
        depth: 0,
        ran_user_code: false,
    };
    writer.out.clear();
    let outcome = match write(&mut writer) {
        Ok(()) => Ok(Some(take(&mut writer.out))),
        Err(Stop::Uncertain) => Ok(None),
        Err(Stop::Raised(error)) => Err(error),
    };
    if writer.out.capacity() <= KEPT {
        BUFFER.set(writer.out);
    }
    outcome
}

impl Writer {
    /// Write any value.
    pub(super) fn value(&mut self, value: &Bound<'_, PyAny>, rules: Rules) -> Result<(), Stop> {
        if let Ok(string) = value.cast_exact::<PyString>() {
            return self.string(string);
        }
        if let Ok(integer) = value.cast_exact::<PyInt>() {
            return self.integer(integer);
        }
        if let Ok(dict) = value.cast_exact::<PyDict>() {
            return self.nested(|writer| writer.dict(dict, rules));
        }
        if let Ok(list) = value.cast_exact::<PyList>() {
            return self.nested(|writer| writer.items(list.iter().map(Ok), rules));
        }
        if let Ok(boolean) = value.cast_exact::<PyBool>() {
            self.out
                .extend_from_slice(if boolean.is_true() { b"true" } else { b"false" });
            return Ok(());
        }
        if value.is_none() {
            return self.null();
        }
        if let Ok(float) = value.cast_exact::<PyFloat>() {
            return self.float(float);
        }
        if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            return self.nested(|writer| writer.items(tuple.iter().map(Ok), rules));
        }
        match rules {
            Rules::Encoder => objects::write(self, value),
            Rules::Plain => Err(Stop::Uncertain),
        }
    }

    /// Write the items of an iterable as an array.
    pub(super) fn items<'py>(
        &mut self,
        items: impl Iterator<Item = PyResult<Bound<'py, PyAny>>>,
        rules: Rules,
    ) -> Result<(), Stop> {
        self.out.push(b'[');
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.value(&item?, rules)?;
        }
        self.out.push(b']');
        Ok(())
    }

    /// Go one level down.
    pub(super) fn nested(&mut self, write: impl FnOnce(&mut Self) -> Result<(), Stop>) -> Result<(), Stop> {
        if self.depth == DEPTH {
            return Err(Stop::Uncertain);
        }
        self.depth += 1;
        write(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn dict(&mut self, dict: &Bound<'_, PyDict>, rules: Rules) -> Result<(), Stop> {
        self.out.push(b'{');
        let size = dict.len();
        let mut first = true;
        let mut entries = Entries::of(dict);
        while let Some((key, value)) = entries.next() {
            if let Ok(key) = key.cast_exact::<PyString>() {
                let text = key.to_str().map_err(|_| Stop::Uncertain)?;
                if rules == Rules::Encoder && text.starts_with("_sa") {
                    continue;
                }
                self.comma(&mut first);
                text::write(&mut self.out, text);
            } else {
                self.comma(&mut first);
                self.key(&key)?;
            }
            self.out.push(b':');
            self.value(&value, rules)?;
            // Code that ran for a value may have changed the dict; Python raises then.
            if dict.len() != size {
                return Err(Stop::Uncertain);
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    /// Write what None is.
    pub(super) fn null(&mut self) -> Result<(), Stop> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    /// Separate an entry from the one before it.
    pub(super) fn comma(&mut self, first: &mut bool) {
        if !std::mem::take(first) {
            self.out.push(b',');
        }
    }

    /// A key that is no string, written as the string that `json.dumps` makes of it.
    fn key(&mut self, key: &Bound<'_, PyAny>) -> Result<(), Stop> {
        let plain = key.is_none()
            || key.is_exact_instance_of::<PyInt>()
            || key.is_exact_instance_of::<PyBool>()
            || key.is_exact_instance_of::<PyFloat>();
        if !plain {
            return Err(Stop::Uncertain);
        }
        self.out.push(b'"');
        self.value(key, Rules::Plain)?;
        self.out.push(b'"');
        Ok(())
    }

    pub(super) fn string(&mut self, string: &Bound<'_, PyString>) -> Result<(), Stop> {
        match string.to_str() {
            Ok(text) => {
                text::write(&mut self.out, text);
                Ok(())
            }
            // Surrogates cannot be encoded: after user code ran the error is raised here, else Python raises it.
            Err(error) if self.ran_user_code => Err(Stop::Raised(error)),
            Err(_) => Err(Stop::Uncertain),
        }
    }

    fn integer(&mut self, integer: &Bound<'_, PyInt>) -> Result<(), Stop> {
        if let Some(value) = ffi::small_int(integer) {
            number::write_int(&mut self.out, value);
            return Ok(());
        }
        let digits = integer.str()?;
        self.out.extend_from_slice(digits.to_str()?.as_bytes());
        Ok(())
    }

    pub(super) fn float(&mut self, float: &Bound<'_, PyFloat>) -> Result<(), Stop> {
        let value = float.value();
        if value.is_finite() {
            number::write_float(&mut self.out, value);
            return Ok(());
        }
        if self.ran_user_code {
            objects::refuse_number(float)?;
        }
        Err(Stop::Uncertain)
    }
}
