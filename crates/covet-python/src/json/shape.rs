//! The JSON text of a response model, written field by field where pydantic's text depends on nothing but each value's
//! own exact type. `python/covet/dependencies/plan_shape.py` says for which schemas. No code of the user's runs here;
//! whatever is not exactly as the shape says is pydantic's to write, from the beginning.

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDate, PyDateTime, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyString, PyTuple,
    PyType,
};
use pyo3::{PyTraverseError, PyVisit};

use super::writer::{Stop, Writer};
use super::{number, objects, text};
use crate::object::ffi::{self, Entries};

/// How values of one schema are written.
pub(crate) enum Shape {
    Text,
    Integer,
    Float,
    Boolean,
    Null,
    Nullable(Box<Shape>),
    List(Box<Shape>),
    Dict(Box<Shape>),
    OneOf(Py<PyFrozenSet>),
    Model(Model),
    Uuid(Py<PyType>),
    Date,
    /// Time zones whose offset isoformat() writes as pydantic does.
    DateTime(Vec<Py<PyType>>),
    Enum(Py<PyType>),
}

/// A class and its fields, in the order in which pydantic keeps them.
pub(crate) struct Model {
    class: Py<PyType>,
    fields: Vec<Field>,
}

struct Field {
    /// Interned, as pydantic's keys are: nearly always the same object.
    name: Py<PyString>,
    /// The key with what precedes and follows it: `{"key":` or `,"key":`.
    key: Vec<u8>,
    shape: Shape,
}

type FieldData<'py> = (String, Bound<'py, PyBytes>, Bound<'py, PyTuple>);

impl Shape {
    /// Read what Python says of a schema.
    pub(crate) fn from_python(data: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let inner = || -> PyResult<Box<Self>> {
            let inner = data.get_item(1)?;
            Ok(Box::new(Self::from_python(inner.cast::<PyTuple>()?)?))
        };
        Ok(match data.get_item(0)?.extract::<u8>()? {
            0 => Self::Text,
            1 => Self::Integer,
            2 => Self::Float,
            3 => Self::Boolean,
            4 => Self::Null,
            5 => Self::Nullable(inner()?),
            6 => Self::List(inner()?),
            7 => Self::Dict(inner()?),
            8 => {
                let texts = data.get_item(1)?;
                Self::OneOf(PyFrozenSet::new(data.py(), texts.cast::<PyTuple>()?.iter())?.unbind())
            }
            9 => Self::Model(Model::from_python(data)?),
            10 => Self::Uuid(data.get_item(1)?.cast_into::<PyType>()?.unbind()),
            11 => Self::Date,
            12 => Self::DateTime(data.get_item(1)?.extract()?),
            13 => Self::Enum(data.get_item(1)?.cast_into::<PyType>()?.unbind()),
            _ => return Err(PyValueError::new_err("unknown shape of JSON text")),
        })
    }

    /// Write a value that has this shape.
    pub(super) fn write(&self, writer: &mut Writer, value: &Bound<'_, PyAny>) -> Result<(), Stop> {
        match self {
            Self::Text => writer.string(exact::<PyString>(value)?),
            Self::Integer => {
                let small = ffi::small_int(exact::<PyInt>(value)?).ok_or(Stop::Uncertain)?;
                number::write_int(&mut writer.out, small);
                Ok(())
            }
            Self::Float => number::write_common(&mut writer.out, exact::<PyFloat>(value)?.value())
                .then_some(())
                .ok_or(Stop::Uncertain),
            Self::Boolean => {
                let text: &[u8] = match exact::<PyBool>(value)?.is_true() {
                    true => b"true",
                    false => b"false",
                };
                writer.out.extend_from_slice(text);
                Ok(())
            }
            Self::Null if value.is_none() => writer.null(),
            Self::Null => Err(Stop::Uncertain),
            Self::Nullable(_) if value.is_none() => writer.null(),
            Self::Nullable(inner) => inner.write(writer, value),
            Self::List(inner) => {
                let list = exact::<PyList>(value)?;
                writer.nested(|writer| write_list(writer, inner, list))
            }
            Self::Dict(inner) => {
                let dict = exact::<PyDict>(value)?;
                writer.nested(|writer| write_dict(writer, inner, dict))
            }
            Self::OneOf(texts) => {
                let text = exact::<PyString>(value)?;
                match texts.bind(value.py()).contains(text)? {
                    true => writer.string(text),
                    false => Err(Stop::Uncertain),
                }
            }
            Self::Model(model) => writer.nested(|writer| model.write(writer, value)),
            Self::Uuid(class) if value.get_type().is(class) => objects::write_uuid(writer, value),
            Self::Uuid(_) => Err(Stop::Uncertain),
            Self::Date => {
                let text = exact::<PyDate>(value)?.call_method0(intern!(value.py(), "isoformat"))?;
                writer.string(exact::<PyString>(&text)?)
            }
            Self::DateTime(zones) => write_datetime(writer, exact::<PyDateTime>(value)?, zones),
            Self::Enum(class) if value.get_type().is(class) => {
                let text = value.getattr(intern!(value.py(), "_value_"))?;
                writer.string(exact::<PyString>(&text)?)
            }
            Self::Enum(_) => Err(Stop::Uncertain),
        }
    }

    /// Visit the Python objects inside.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Nullable(inner) | Self::List(inner) | Self::Dict(inner) => inner.traverse(visit),
            Self::OneOf(texts) => visit.call(texts),
            Self::Model(model) => {
                visit.call(&model.class)?;
                model
                    .fields
                    .iter()
                    .try_for_each(|field| field.shape.traverse(visit))
            }
            Self::Uuid(class) | Self::Enum(class) => visit.call(class),
            Self::DateTime(zones) => zones.iter().try_for_each(|zone| visit.call(zone)),
            Self::Text | Self::Integer | Self::Float | Self::Boolean | Self::Null | Self::Date => Ok(()),
        }
    }
}

impl Model {
    fn from_python(data: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let class = data.get_item(1)?.cast_into::<PyType>()?.unbind();
        let given: Vec<FieldData<'_>> = data.get_item(2)?.extract()?;
        let mut fields = Vec::with_capacity(given.len());
        for (name, key, shape) in given {
            let before: &[u8] = if fields.is_empty() { b"{" } else { b"," };
            fields.push(Field {
                name: PyString::intern(data.py(), &name).unbind(),
                key: [before, key.as_bytes(), b":"].concat(),
                shape: Shape::from_python(&shape)?,
            });
        }
        Ok(Self { class, fields })
    }

    /// Write the fields as the object's dictionary holds them: all of them, in this order, and nothing else.
    fn write(&self, writer: &mut Writer, value: &Bound<'_, PyAny>) -> Result<(), Stop> {
        let py = value.py();
        if !value.get_type().is(&self.class) {
            return Err(Stop::Uncertain);
        }
        let dict = ffi::instance_dict(value)?;
        let dict = exact::<PyDict>(&dict)?;
        if dict.len() != self.fields.len() {
            return Err(Stop::Uncertain);
        }
        if self.fields.is_empty() {
            writer.out.push(b'{');
        }
        let mut entries = Entries::of(dict);
        for field in &self.fields {
            let (key, value) = entries.next().ok_or(Stop::Uncertain)?;
            if !key.is(&field.name) && !is_same_text(exact::<PyString>(&key)?, field.name.bind(py)) {
                return Err(Stop::Uncertain);
            }
            writer.out.extend_from_slice(&field.key);
            field.shape.write(writer, &value)?;
        }
        writer.out.push(b'}');
        Ok(())
    }
}

fn is_same_text(one: &Bound<'_, PyString>, other: &Bound<'_, PyString>) -> bool {
    matches!((one.to_str(), other.to_str()), (Ok(one), Ok(other)) if one == other)
}

fn write_list(writer: &mut Writer, inner: &Shape, list: &Bound<'_, PyList>) -> Result<(), Stop> {
    writer.out.push(b'[');
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            writer.out.push(b',');
        }
        inner.write(writer, &item)?;
    }
    writer.out.push(b']');
    Ok(())
}

fn write_dict(writer: &mut Writer, inner: &Shape, dict: &Bound<'_, PyDict>) -> Result<(), Stop> {
    writer.out.push(b'{');
    let mut entries = Entries::of(dict);
    let mut first = true;
    while let Some((key, value)) = entries.next() {
        let key = exact::<PyString>(&key)?.to_str().map_err(|_| Stop::Uncertain)?;
        writer.comma(&mut first);
        text::write(&mut writer.out, key);
        writer.out.push(b':');
        inner.write(writer, &value)?;
    }
    writer.out.push(b'}');
    Ok(())
}

/// ISO 8601 with `Z` for an offset of zero.
fn write_datetime(
    writer: &mut Writer,
    value: &Bound<'_, PyDateTime>,
    zones: &[Py<PyType>],
) -> Result<(), Stop> {
    let py = value.py();
    let zone = value.getattr(intern!(py, "tzinfo"))?;
    if !zone.is_none() && !zones.iter().any(|class| zone.get_type().is(class)) {
        return Err(Stop::Uncertain);
    }
    let text = value.call_method0(intern!(py, "isoformat"))?;
    let text = exact::<PyString>(&text)?.to_str().map_err(|_| Stop::Uncertain)?;
    if zone.is_none() {
        text::write(&mut writer.out, text);
    } else if let Some(local) = text.strip_suffix("+00:00") {
        writer.out.push(b'"');
        writer.out.extend_from_slice(local.as_bytes());
        writer.out.extend_from_slice(b"Z\"");
    } else if text
        .len()
        .checked_sub(6)
        .and_then(|at| text.as_bytes().get(at))
        .is_some_and(|sign| b"+-".contains(sign))
    {
        text::write(&mut writer.out, text);
    } else {
        // An offset with seconds.
        return Err(Stop::Uncertain);
    }
    Ok(())
}

fn exact<'a, 'py, T: pyo3::type_object::PyTypeInfo>(
    value: &'a Bound<'py, PyAny>,
) -> Result<&'a Bound<'py, T>, Stop> {
    value.cast_exact::<T>().map_err(|_| Stop::Uncertain)
}
