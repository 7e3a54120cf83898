//! The only unsafe code of the project: calls of CPython's C interface that pyo3 has no safe words for, and the
//! wrapper that keeps loop-bound values on their thread. Everything here must be sound for any caller.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::os::raw::c_int;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use pyo3::PyClass;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::True;
use pyo3::types::{PyDict, PyInt, PyTuple, PyType};

unsafe extern "C" {
    fn PyContext_Copy(context: *mut ffi::PyObject) -> *mut ffi::PyObject;
    fn PyContext_CopyCurrent() -> *mut ffi::PyObject;
    fn PyContext_Enter(context: *mut ffi::PyObject) -> c_int;
    fn PyContext_Exit(context: *mut ffi::PyObject) -> c_int;
}

/// How many arguments a call holds without a heap allocation.
const INLINE: usize = 16;

/// The arguments of one call, borrowed; slot 0 is the scratch slot vectorcall may write to.
pub(crate) struct Arguments<'a> {
    inline: [*mut ffi::PyObject; INLINE + 1],
    spilled: Vec<*mut ffi::PyObject>,
    len: usize,
    owner: PhantomData<&'a Py<PyAny>>,
}

impl<'a> Arguments<'a> {
    /// No arguments yet.
    pub(crate) fn new() -> Self {
        Self {
            inline: [ptr::null_mut(); INLINE + 1],
            spilled: Vec::new(),
            len: 0,
            owner: PhantomData,
        }
    }

    /// Append one argument.
    pub(crate) fn push(&mut self, value: &'a Py<PyAny>) {
        self.len += 1;
        if self.spilled.is_empty() {
            if let Some(slot) = self.inline.get_mut(self.len) {
                *slot = value.as_ptr();
                return;
            }
            self.spilled.extend_from_slice(&self.inline);
        }
        self.spilled.push(value.as_ptr());
    }

    /// Call `callable`; the last `names.len()` arguments go by those keywords.
    pub(crate) fn call<'py>(
        &mut self,
        callable: &Bound<'py, PyAny>,
        names: Option<&Bound<'py, PyTuple>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let keywords = names.map_or(0, |names| names.len());
        let positional = self.len.checked_sub(keywords).ok_or_else(|| {
            pyo3::exceptions::PySystemError::new_err("a call has more keyword names than arguments")
        })?;
        let values = if self.spilled.is_empty() {
            self.inline.as_mut_ptr()
        } else {
            self.spilled.as_mut_ptr()
        };
        let names = names.map_or(ptr::null_mut(), Bound::as_ptr);
        // SAFETY: `values` has len + 1 slots, each but the first a live object borrowed for 'a; the offset flag
        // lends the callee the first slot only; `callable` proves that this thread is attached.
        unsafe {
            let result = ffi::PyObject_Vectorcall(
                callable.as_ptr(),
                values.add(1),
                positional | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET,
                names,
            );
            Bound::from_owned_ptr_or_err(callable.py(), result)
        }
    }
}

/// What one step of a coroutine or generator gave.
pub(crate) enum Step<'py> {
    /// It yielded this to whoever drives it.
    Yielded(Bound<'py, PyAny>),
    /// It is finished with this result.
    Returned(Bound<'py, PyAny>),
    /// It raised.
    Raised(PyErr),
}

/// Send `value` into a coroutine, generator or iterator, without a StopIteration object.
pub(crate) fn send<'py>(coroutine: &Bound<'py, PyAny>, value: &Bound<'py, PyAny>) -> Step<'py> {
    let py = coroutine.py();
    let mut result = ptr::null_mut();
    // SAFETY: both objects are alive and this thread is attached; the result is owned by us in the two good cases.
    unsafe {
        match ffi::PyIter_Send(coroutine.as_ptr(), value.as_ptr(), &raw mut result) {
            ffi::PySendResult::PYGEN_RETURN => Step::Returned(Bound::from_owned_ptr(py, result)),
            ffi::PySendResult::PYGEN_NEXT => Step::Yielded(Bound::from_owned_ptr(py, result)),
            ffi::PySendResult::PYGEN_ERROR => Step::Raised(PyErr::fetch(py)),
        }
    }
}

/// A contextvars context of ours, so that entering it needs no type check.
pub(crate) struct Context(Py<PyAny>);

impl Context {
    /// Copy the context this thread is in.
    pub(crate) fn current(py: Python<'_>) -> PyResult<Self> {
        // SAFETY: attached; the function gives a new reference or NULL with an error set.
        let copy = unsafe { Bound::from_owned_ptr_or_err(py, PyContext_CopyCurrent())? };
        Ok(Self(copy.unbind()))
    }

    /// An independent copy (constant time).
    pub(crate) fn copy(&self, py: Python<'_>) -> PyResult<Self> {
        // SAFETY: attached; our object is a context by construction.
        let copy = unsafe { Bound::from_owned_ptr_or_err(py, PyContext_Copy(self.0.as_ptr()))? };
        Ok(Self(copy.unbind()))
    }

    /// The same context again.
    pub(crate) fn clone_ref(&self, py: Python<'_>) -> Self {
        Self(self.0.clone_ref(py))
    }

    /// As an object for Python.
    pub(crate) fn object(&self) -> &Py<PyAny> {
        &self.0
    }

    /// Run `work` inside this context.
    pub(crate) fn run<T>(&self, py: Python<'_>, work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
        // SAFETY: attached; our object is a context; every successful enter is paired with one exit, also when
        // `work` panics (the guard below).
        if unsafe { PyContext_Enter(self.0.as_ptr()) } < 0 {
            return Err(PyErr::fetch(py));
        }
        struct Leave<'a>(&'a Py<PyAny>);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                // SAFETY: made only after a successful enter, on the same attached thread. A refusal (somebody left
                // out of order) must not replace the pending error, so it is dropped here.
                unsafe {
                    if PyContext_Exit(self.0.as_ptr()) < 0 {
                        ffi::PyErr_Clear();
                    }
                }
            }
        }
        let leave = Leave(&self.0);
        let outcome = work();
        drop(leave);
        outcome
    }
}

/// The token of an attached thread, for callbacks of the engine that are only ever made inside a Python call.
pub(crate) fn attached<T>(work: impl for<'py> FnOnce(Python<'py>) -> T) -> T {
    // A nested attach is a counter increment; it stays correct if a caller ever comes from elsewhere.
    Python::attach(work)
}

thread_local! {
    static MARK: u8 = const { 0 };
}

fn this_thread() -> usize {
    MARK.with(|mark| ptr::from_ref(mark) as usize)
}

/// A value that only its own thread touches, inside objects that Python may share between threads. Dropped
/// elsewhere (a garbage collection in a pool thread) it waits for its thread to call `bury`.
pub(crate) struct LoopBound<T: 'static> {
    thread: usize,
    value: ManuallyDrop<T>,
}

// SAFETY: `get` refuses other threads, and `drop` hands the value back to its thread, so T itself never is used from
// two threads.
unsafe impl<T> Send for LoopBound<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for LoopBound<T> {}

trait Orphan {}
impl<T> Orphan for T {}

struct Grave {
    thread: usize,
    _value: Box<dyn Orphan>,
}

// SAFETY: a grave is opened (dropped) only by `bury` on the thread it names.
unsafe impl Send for Grave {}

static GRAVES: Mutex<Vec<Grave>> = Mutex::new(Vec::new());
static WAITING: AtomicUsize = AtomicUsize::new(0);

impl<T: 'static> LoopBound<T> {
    /// Bind `value` to the calling thread.
    pub(crate) fn new(value: T) -> Self {
        Self {
            thread: this_thread(),
            value: ManuallyDrop::new(value),
        }
    }

    /// The value, on its own thread.
    pub(crate) fn get(&self) -> Option<&T> {
        self.here().then_some(&*self.value)
    }

    /// Is this the thread the value belongs to?
    pub(crate) fn here(&self) -> bool {
        self.thread == this_thread()
    }
}

impl<T: 'static> Drop for LoopBound<T> {
    fn drop(&mut self) {
        if self.thread == this_thread() {
            // SAFETY: dropped once, here, and never used again.
            unsafe { ManuallyDrop::drop(&mut self.value) };
            return;
        }
        // SAFETY: taken once, here, and never used again.
        let value = unsafe { ManuallyDrop::take(&mut self.value) };
        let grave = Grave {
            thread: self.thread,
            _value: Box::new(value),
        };
        GRAVES.lock().unwrap_or_else(PoisonError::into_inner).push(grave);
        WAITING.fetch_add(1, Ordering::Release);
    }
}

/// Drop what other threads left for this one. The loop calls it once a pass.
pub(crate) fn bury() {
    if WAITING.load(Ordering::Acquire) == 0 {
        return;
    }
    let here = this_thread();
    let mut mine = Vec::new();
    {
        let mut graves = GRAVES.lock().unwrap_or_else(PoisonError::into_inner);
        let mut at = 0;
        while let Some(grave) = graves.get(at) {
            if grave.thread == here {
                mine.push(graves.swap_remove(at));
            } else {
                at += 1;
            }
        }
    }
    WAITING.fetch_sub(mine.len(), Ordering::AcqRel);
    drop(mine);
}

/// Is this a coroutine object of an `async def`, that can be stepped as it is?
pub(crate) fn is_coroutine(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: a type check of a live object by an attached thread.
    unsafe { ffi::PyCoro_CheckExact(object.as_ptr()) != 0 }
}

/// Is `class` the type `base` or derived from it? By inheritance only: no `__subclasscheck__` runs.
pub(crate) fn is_subtype(class: &Bound<'_, PyType>, base: &Bound<'_, PyType>) -> bool {
    // SAFETY: both are live type objects and this thread is attached; the function only reads the MRO.
    unsafe { ffi::PyType_IsSubtype(class.as_type_ptr(), base.as_type_ptr()) != 0 }
}

/// The dictionary in which an object keeps its attributes; an error when it has none.
pub(crate) fn instance_dict<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: a live object and an attached thread; the function gives a new reference, or NULL with an error set.
    unsafe {
        let dict = ffi::PyObject_GenericGetDict(object.as_ptr(), ptr::null_mut());
        Bound::from_owned_ptr_or_err(object.py(), dict)
    }
}

/// The value of an int that fits into 64 bits, without an exception when it does not.
pub(crate) fn small_int(integer: &Bound<'_, PyInt>) -> Option<i64> {
    let mut overflow = 0;
    // SAFETY: an exact or derived int, alive, on an attached thread: the conversion itself cannot fail.
    let value = unsafe { ffi::PyLong_AsLongLongAndOverflow(integer.as_ptr(), &raw mut overflow) };
    (overflow == 0).then_some(value)
}

/// The entries of a dict, one by one. A change of the dict meanwhile may skip or repeat entries, nothing worse.
pub(crate) struct Entries<'a, 'py> {
    dict: &'a Bound<'py, PyDict>,
    position: ffi::Py_ssize_t,
}

impl<'a, 'py> Entries<'a, 'py> {
    /// Begin at the first entry.
    pub(crate) fn of(dict: &'a Bound<'py, PyDict>) -> Self {
        Self { dict, position: 0 }
    }

    /// The next entry, owned.
    pub(crate) fn next(&mut self) -> Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let (mut key, mut value) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the dict is alive and this thread is attached, so nobody changes it during the call; the position
        // is only ever what an earlier call left, and is checked against the dict's size by the callee. The borrowed
        // references are made owned before anything else can run.
        unsafe {
            if ffi::PyDict_Next(
                self.dict.as_ptr(),
                &raw mut self.position,
                &raw mut key,
                &raw mut value,
            ) == 0
            {
                return None;
            }
            let py = self.dict.py();
            Some((
                Bound::from_borrowed_ptr(py, key),
                Bound::from_borrowed_ptr(py, value),
            ))
        }
    }
}

/// A duplicate of a descriptor that somebody else owns; closed on exec.
pub(crate) fn duplicate(descriptor: std::os::fd::RawFd) -> std::io::Result<std::os::fd::OwnedFd> {
    if descriptor < 0 {
        return Err(std::io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: borrowed for this call only; not -1. A number that names nothing makes the call fail, no more.
    let borrowed = unsafe { std::os::fd::BorrowedFd::borrow_raw(descriptor) };
    borrowed.try_clone_to_owned()
}

/// A class whose objects are stepped as coroutines are.
pub(crate) trait Stepped: PyClass<Frozen = True> + Sync {
    /// Take one step.
    fn step<'py>(&self, value: Bound<'py, PyAny>) -> Step<'py>;
}

/// Let `PyIter_Send`, and with it every asyncio task, step the objects of a class without StopIteration objects.
/// Called once, when the class is made and nothing of it exists yet.
pub(crate) fn install_send<T: Stepped>(py: Python<'_>) {
    let class = T::type_object_raw(py);
    // SAFETY: the class is a live heap type, whose async slots live in the type object itself; this thread is
    // attached and there is no instance yet, so nobody reads the slot meanwhile.
    unsafe {
        if let Some(slots) = (*class).tp_as_async.as_mut() {
            slots.am_send = Some(send_slot::<T>);
            ffi::PyType_Modified(class);
        }
    }
}

/// The slot itself. SAFETY of its callers: the interpreter calls it with an object of the class it was installed in,
/// a live value and a place for the result.
unsafe extern "C" fn send_slot<T: Stepped>(
    object: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> ffi::PySendResult {
    Python::attach(|py| {
        let step = || {
            // SAFETY: see above; both references are borrowed for the call and made owned here.
            let (object, value) = unsafe {
                (
                    Bound::from_borrowed_ptr(py, object).cast_into_unchecked::<T>(),
                    Bound::from_borrowed_ptr(py, value),
                )
            };
            object.get().step(value)
        };
        // A panic must not cross the interpreter's frames.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(step));
        let (kind, object) = match outcome {
            Ok(Step::Yielded(value)) => (ffi::PySendResult::PYGEN_NEXT, value.into_ptr()),
            Ok(Step::Returned(value)) => (ffi::PySendResult::PYGEN_RETURN, value.into_ptr()),
            Ok(Step::Raised(error)) => {
                error.restore(py);
                (ffi::PySendResult::PYGEN_ERROR, ptr::null_mut())
            }
            Err(_panic) => {
                pyo3::exceptions::PyRuntimeError::new_err("the engine panicked in a step").restore(py);
                (ffi::PySendResult::PYGEN_ERROR, ptr::null_mut())
            }
        };
        // SAFETY: the caller owns the place; the reference in it becomes the caller's.
        unsafe { *result = object };
        kind
    })
}
