//! Text to Python values: the plain, certain forms of each kind, with the plan's bounds. None means that pydantic has
//! to decide (an error, or one of its more generous forms); never guess here.

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDate, PyDateTime, PyDict, PyFloat, PyInt, PyString};
use pyo3::{PyTraverseError, PyVisit};

/// Inclusive or exclusive bounds of a number.
pub(super) struct Bounds<T> {
    ge: Option<T>,
    gt: Option<T>,
    le: Option<T>,
    lt: Option<T>,
}

impl<T: PartialOrd + Copy> Bounds<T> {
    fn hold(&self, value: T) -> bool {
        self.ge.is_none_or(|bound| value >= bound)
            && self.gt.is_none_or(|bound| value > bound)
            && self.le.is_none_or(|bound| value <= bound)
            && self.lt.is_none_or(|bound| value < bound)
    }
}

/// How many characters, or items, there may be.
#[derive(Default)]
pub(super) struct Length {
    min: Option<usize>,
    max: Option<usize>,
}

impl Length {
    fn from_python(constraints: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        Ok(Self {
            min: bound(constraints, "min_length")?,
            max: bound(constraints, "max_length")?,
        })
    }

    pub(super) fn hold(&self, length: usize) -> bool {
        self.min.is_none_or(|min| length >= min) && self.max.is_none_or(|max| length <= max)
    }

    fn hold_text(&self, text: &str) -> bool {
        (self.min.is_none() && self.max.is_none()) || self.hold(text.chars().count())
    }
}

/// What a parameter's text is made into.
pub(super) enum Kind {
    Str(Length),
    Int(Bounds<i64>),
    Float(Bounds<f64>),
    Bool,
    Uuid,
    Date,
    DateTime,
    /// An enumeration or literal of strings: text to member.
    Choice(Py<PyDict>),
    List(Box<Kind>, Length),
}

impl Kind {
    /// Parse a kind with its constraints. A constraint that this kind does not know is an error.
    pub(super) fn from_python(kind: u8, constraints: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let known: &[&str] = match kind {
            0 => &["min_length", "max_length"],
            1 | 2 => &["ge", "gt", "le", "lt"],
            3..=6 => &[],
            7 => &["choices"],
            8 => &["item", "min_length", "max_length"],
            _ => return Err(PyValueError::new_err("unknown kind of parameter")),
        };
        for key in constraints.map(|constraints| constraints.keys()).iter().flatten() {
            if !known.contains(&&*key.cast::<PyString>()?.to_cow()?) {
                return Err(PyValueError::new_err(format!(
                    "constraint {key} does not fit its parameter"
                )));
            }
        }
        Ok(match kind {
            0 => Self::Str(Length::from_python(constraints)?),
            1 => Self::Int(bounds(constraints)?),
            2 => Self::Float(bounds(constraints)?),
            3 => Self::Bool,
            4 => Self::Uuid,
            5 => Self::Date,
            6 => Self::DateTime,
            7 => Self::Choice(required(constraints, "choices")?.cast_into::<PyDict>()?.unbind()),
            _ => Self::List(
                Box::new(item(&required(constraints, "item")?)?),
                Length::from_python(constraints)?,
            ),
        })
    }

    /// Convert one text. None: pydantic decides.
    pub(super) fn convert(&self, py: Python<'_>, text: &str) -> Option<Py<PyAny>> {
        match self {
            Self::Str(length) => length
                .hold_text(text)
                .then(|| PyString::new(py, text).into_any().unbind()),
            Self::Int(bounds) => integer(text)
                .filter(|value| bounds.hold(*value))?
                .into_py_any(py)
                .ok(),
            Self::Float(bounds) => {
                let value = float(text).filter(|value| bounds.hold(*value))?;
                Some(PyFloat::new(py, value).into_any().unbind())
            }
            Self::Bool => Some(PyBool::new(py, boolean(text)?).to_owned().into_any().unbind()),
            Self::Uuid => uuid(py, text),
            Self::Date => date(py, text),
            Self::DateTime => datetime(py, text),
            Self::Choice(choices) => choices
                .bind(py)
                .get_item(PyString::new(py, text))
                .ok()?
                .map(Bound::unbind),
            Self::List(..) => None,
        }
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Choice(choices) => visit.call(choices),
            Self::List(item, _) => item.traverse(visit),
            _ => Ok(()),
        }
    }
}

fn item(data: &Bound<'_, PyAny>) -> PyResult<Kind> {
    let kind = match data.extract::<u8>() {
        Ok(kind) => Kind::from_python(kind, None)?,
        Err(_) => {
            let (kind, constraints): (u8, Option<Bound<'_, PyDict>>) = data.extract()?;
            Kind::from_python(kind, constraints.as_ref())?
        }
    };
    match kind {
        Kind::List(..) => Err(PyValueError::new_err("a list of lists is no parameter")),
        kind => Ok(kind),
    }
}

fn required<'py>(constraints: Option<&Bound<'py, PyDict>>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    let found = constraints
        .map(|constraints| constraints.get_item(name))
        .transpose()?
        .flatten();
    found.ok_or_else(|| PyValueError::new_err(format!("a parameter of this kind needs {name}")))
}

fn bound<T>(constraints: Option<&Bound<'_, PyDict>>, name: &str) -> PyResult<Option<T>>
where
    T: for<'a, 'py> FromPyObject<'a, 'py, Error = PyErr>,
{
    match constraints
        .map(|constraints| constraints.get_item(name))
        .transpose()?
        .flatten()
    {
        Some(value) if !value.is_none() => value.extract().map(Some),
        _ => Ok(None),
    }
}

/// Bounds are exact: an int has int bounds; a float's bounds are exact as floats.
trait Number: Sized {
    fn exact(value: &Bound<'_, PyAny>) -> Option<Self>;
}

impl Number for i64 {
    fn exact(value: &Bound<'_, PyAny>) -> Option<Self> {
        value.cast_exact::<PyInt>().ok()?.extract().ok()
    }
}

impl Number for f64 {
    fn exact(value: &Bound<'_, PyAny>) -> Option<Self> {
        const EXACT: i64 = 1 << 53;
        match value.cast_exact::<PyFloat>() {
            Ok(float) => Some(float.value()).filter(|float| float.is_finite()),
            #[allow(clippy::cast_precision_loss)]
            Err(_) => i64::exact(value)
                .filter(|int| (-EXACT..=EXACT).contains(int))
                .map(|int| int as f64),
        }
    }
}

fn bounds<T: Number>(constraints: Option<&Bound<'_, PyDict>>) -> PyResult<Bounds<T>> {
    let one = |name: &str| -> PyResult<Option<T>> {
        match constraints
            .map(|constraints| constraints.get_item(name))
            .transpose()?
            .flatten()
        {
            Some(value) if !value.is_none() => match T::exact(&value) {
                Some(bound) => Ok(Some(bound)),
                None => Err(PyValueError::new_err(format!(
                    "the bound {name} is not exact for its parameter"
                ))),
            },
            _ => Ok(None),
        }
    };
    Ok(Bounds {
        ge: one("ge")?,
        gt: one("gt")?,
        le: one("le")?,
        lt: one("lt")?,
    })
}

/// An optional minus sign and up to 18 digits without leading zeros.
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let plain = match digits {
        [b'0'] => text.len() == 1,
        [b'1'..=b'9', rest @ ..] => rest.len() < 18 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if plain { text.parse().ok() } else { None }
}

/// `-12`, `1.5`, `1e-7`, `2.50E+3`: digits, then an optional fraction and exponent; finite.
fn float(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let after = |at: usize| {
        bytes
            .get(at..)
            .unwrap_or_default()
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    let whole = after(at);
    at += whole;
    let mut plain = whole > 0;
    if bytes.get(at) == Some(&b'.') {
        let fraction = after(at + 1);
        plain &= fraction > 0;
        at += 1 + fraction;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = after(at);
        plain &= exponent > 0;
        at += exponent;
    }
    if plain && at == bytes.len() && bytes.len() <= 40 {
        text.parse::<f64>().ok().filter(|value| value.is_finite())
    } else {
        None
    }
}

fn boolean(text: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(&["true", "1", "yes", "on", "t", "y"]) {
        Some(true)
    } else if is(&["false", "0", "no", "off", "f", "n"]) {
        Some(false)
    } else {
        None
    }
}

/// The hyphenated form only. The object is filled as `uuid.UUID.__init__` would.
fn uuid(py: Python<'_>, text: &str) -> Option<Py<PyAny>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static UNKNOWN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static NEW: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static SET: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let number = uuid_number(text)?;
    let fill = || -> PyResult<Py<PyAny>> {
        let class = CLASS.import(py, "uuid", "UUID")?;
        let unknown = UNKNOWN.get_or_try_init(py, || {
            py.import("uuid")?
                .getattr("SafeUUID")?
                .getattr("unknown")
                .map(Bound::unbind)
        })?;
        let object = py.get_type::<PyAny>();
        let new = NEW.get_or_try_init(py, || object.getattr("__new__").map(Bound::unbind))?;
        let set = SET
            .get_or_try_init(py, || object.getattr("__setattr__").map(Bound::unbind))?
            .bind(py);
        let made = new.bind(py).call1((class,))?;
        set.call1((&made, intern!(py, "int"), number))?;
        set.call1((&made, intern!(py, "is_safe"), unknown))?;
        Ok(made.unbind())
    };
    fill().ok()
}

fn uuid_number(text: &str) -> Option<u128> {
    if text.len() != 36 {
        return None;
    }
    let mut number = 0u128;
    for (at, byte) in text.bytes().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            if byte != b'-' {
                return None;
            }
        } else {
            number = number << 4 | u128::from(char::from(byte).to_digit(16)?);
        }
    }
    Some(number)
}

/// Exactly `digits` decimal digits as a number.
fn number(bytes: Option<&[u8]>, digits: usize) -> Option<u32> {
    let bytes = bytes.filter(|bytes| bytes.len() == digits && bytes.iter().all(u8::is_ascii_digit))?;
    bytes.iter().try_fold(0u32, |sum, byte| {
        sum.checked_mul(10)?.checked_add(u32::from(byte - b'0'))
    })
}

fn year_month_day(bytes: &[u8]) -> Option<(i32, u8, u8)> {
    if bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    let year = number(bytes.get(..4), 4).filter(|year| *year > 0)?;
    let month = number(bytes.get(5..7), 2)?;
    let day = number(bytes.get(8..10), 2)?;
    Some((
        i32::try_from(year).ok()?,
        u8::try_from(month).ok()?,
        u8::try_from(day).ok()?,
    ))
}

/// `2024-02-29`.
fn date(py: Python<'_>, text: &str) -> Option<Py<PyAny>> {
    let (year, month, day) = year_month_day(text.as_bytes()).filter(|_| text.len() == 10)?;
    PyDate::new(py, year, month, day)
        .ok()
        .map(|date| date.into_any().unbind())
}

/// `2024-02-29T12:30:05` with an optional fraction of up to six digits; zones are pydantic's.
fn datetime(py: Python<'_>, text: &str) -> Option<Py<PyAny>> {
    let bytes = text.as_bytes();
    let (year, month, day) = year_month_day(bytes)?;
    if bytes.get(10) != Some(&b'T') || bytes.get(13) != Some(&b':') || bytes.get(16) != Some(&b':') {
        return None;
    }
    let two = |from: usize| number(bytes.get(from..from + 2), 2).and_then(|part| u8::try_from(part).ok());
    let micros = match bytes.get(19) {
        None => 0,
        Some(b'.') => {
            let fraction = bytes
                .get(20..)
                .filter(|fraction| (1..=6).contains(&fraction.len()))?;
            number(Some(fraction), fraction.len())? * 10u32.pow(6 - u32::try_from(fraction.len()).ok()?)
        }
        Some(_) => return None,
    };
    let made = PyDateTime::new(py, year, month, day, two(11)?, two(14)?, two(17)?, micros, None);
    made.ok().map(|datetime| datetime.into_any().unbind())
}

#[cfg(test)]
mod tests {
    use super::{boolean, float, integer, uuid_number};

    #[test]
    fn only_plain_integers_are_taken() {
        assert_eq!(integer("0"), Some(0));
        assert_eq!(integer("-17"), Some(-17));
        assert_eq!(integer("999999999999999999"), Some(999_999_999_999_999_999));
        for odd in [
            "",
            "-",
            "-0",
            "+1",
            "01",
            "1_000",
            " 1",
            "1.0",
            "1e3",
            "٣",
            "1000000000000000000",
        ] {
            assert_eq!(integer(odd), None, "{odd}");
        }
    }

    #[test]
    fn only_plain_floats_are_taken() {
        assert_eq!(float("1.5"), Some(1.5));
        assert_eq!(float("-2e-3"), Some(-0.002));
        for odd in [
            "", ".5", "5.", "1e", "1e+", "nan", "inf", "1e999", "1_0", " 1", "0x1", "+1", "1.5.2",
        ] {
            assert_eq!(float(odd), None, "{odd}");
        }
    }

    #[test]
    fn booleans_are_the_twelve_words() {
        assert_eq!(boolean("On"), Some(true));
        assert_eq!(boolean("F"), Some(false));
        assert_eq!(boolean("2"), None);
    }

    #[test]
    fn a_uuid_has_its_hyphens() {
        assert_eq!(uuid_number("00000000-0000-0000-0000-0000000000ff"), Some(255));
        assert_eq!(uuid_number("000000000000000000000000000000ff0000"), None);
    }
}
