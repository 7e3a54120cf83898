//! What `jsonable_encoder` makes of objects that are no exact built-ins: models, dataclasses, enumerations, sets,
//! UUIDs and dates natively; everything else by calling `jsonable_encoder` itself for that object alone, which is the
//! same because it treats the parts of a value one by one.

use std::fmt::Write;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDate, PyDateTime, PyDict, PyFloat, PyFrozenSet, PySet, PyString, PyType};

use super::writer::{Rules, Stop, Writer};
use crate::object::ffi;

/// The Python side of the writer, looked up once.
struct Names {
    model: Py<PyType>,
    enumeration: Py<PyType>,
    deque: Py<PyType>,
    uuid: Py<PyType>,
    encoders: Py<PyDict>,
    isoformat: Py<PyAny>,
    encode: Py<PyAny>,
    asdict: Py<PyAny>,
    dump: Py<PyDict>,
}

fn names(py: Python<'_>) -> PyResult<&Names> {
    static NAMES: PyOnceLock<Names> = PyOnceLock::new();
    NAMES.get_or_try_init(py, || {
        let class = |module: &str, name: &str| -> PyResult<Py<PyType>> {
            Ok(py.import(module)?.getattr(name)?.cast_into::<PyType>()?.unbind())
        };
        let encoders = py.import("covet.encoders")?;
        let dump = PyDict::new(py);
        dump.set_item("mode", "json")?;
        dump.set_item("include", py.None())?;
        dump.set_item("exclude", py.None())?;
        dump.set_item("by_alias", true)?;
        for option in ["exclude_unset", "exclude_none", "exclude_defaults"] {
            dump.set_item(option, false)?;
        }
        Ok(Names {
            model: class("pydantic", "BaseModel")?,
            enumeration: class("enum", "Enum")?,
            deque: class("collections", "deque")?,
            uuid: class("uuid", "UUID")?,
            encoders: encoders
                .getattr("ENCODERS_BY_TYPE")?
                .cast_into::<PyDict>()?
                .unbind(),
            isoformat: encoders.getattr("isoformat")?.unbind(),
            encode: encoders.getattr("jsonable_encoder")?.unbind(),
            asdict: py.import("dataclasses")?.getattr("asdict")?.unbind(),
            dump: dump.unbind(),
        })
    })
}

/// Write an object that is no exact str, int, float, bool, None, dict, list or tuple.
pub(super) fn write(writer: &mut Writer, value: &Bound<'_, PyAny>) -> Result<(), Stop> {
    let py = value.py();
    let names = names(py)?;
    let class = value.get_type();
    if ffi::is_subtype(&class, names.model.bind(py)) {
        writer.ran_user_code = true;
        let dumped = value
            .getattr(intern!(py, "model_dump"))?
            .call((), Some(names.dump.bind(py)))?;
        return writer.nested(|writer| writer.value(&dumped, Rules::Encoder));
    }
    if value.is_exact_instance_of::<PySet>()
        || value.is_exact_instance_of::<PyFrozenSet>()
        || class.is(&names.deque)
    {
        let items = value.try_iter()?;
        return writer.nested(|writer| writer.items(items, Rules::Encoder));
    }
    if class.is(&names.uuid) && is_encoded_by(names, &class, py.get_type::<PyString>().as_any())? {
        return write_uuid(writer, value);
    }
    if (value.is_exact_instance_of::<PyDateTime>() || value.is_exact_instance_of::<PyDate>())
        && is_encoded_by(names, &class, names.isoformat.bind(py))?
    {
        let text = value.call_method0(intern!(py, "isoformat"))?;
        return writer.string(text.cast::<PyString>().map_err(PyErr::from)?);
    }
    if !ffi::is_subtype(&class, &py.get_type::<PyType>())
        && class.hasattr(intern!(py, "__dataclass_fields__"))?
    {
        writer.ran_user_code = true;
        let fields = names.asdict.bind(py).call1((value,))?;
        return writer.nested(|writer| writer.value(&fields, Rules::Encoder));
    }
    if ffi::is_subtype(&class, names.enumeration.bind(py)) {
        let plain = value.getattr(intern!(py, "value"))?;
        return writer.nested(|writer| writer.value(&plain, Rules::Plain));
    }
    writer.ran_user_code = true;
    let encoded = names.encode.bind(py).call1((value,))?;
    writer.nested(|writer| writer.value(&encoded, Rules::Plain))
}

/// Users replace entries of `ENCODERS_BY_TYPE`: is this type's still ours?
fn is_encoded_by(names: &Names, class: &Bound<'_, PyType>, encoder: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(names
        .encoders
        .bind(class.py())
        .get_item(class)?
        .is_some_and(|own| own.is(encoder)))
}

/// Write a UUID as its text.
pub(super) fn write_uuid(writer: &mut Writer, value: &Bound<'_, PyAny>) -> Result<(), Stop> {
    let number: u128 = value.getattr(intern!(value.py(), "int"))?.extract()?;
    let mut hex = String::with_capacity(32);
    let _infallible = write!(hex, "{number:032x}");
    writer.out.push(b'"');
    for (at, byte) in hex.bytes().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            writer.out.push(b'-');
        }
        writer.out.push(byte);
    }
    writer.out.push(b'"');
    Ok(())
}

/// Raise what `json.dumps` raises for a number that is not finite.
pub(super) fn refuse_number(number: &Bound<'_, PyFloat>) -> PyResult<()> {
    let py = number.py();
    let options = PyDict::new(py);
    options.set_item("allow_nan", false)?;
    py.import("json")?
        .getattr("dumps")?
        .call((number,), Some(&options))
        .map(drop)
}
