//! Python objects with a method `write` as targets of a COG. Memory is one of them: Python's `BytesIO`, which returns
//! its bytes without a copy.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Bytes that are passed to Python at a time.
const BUFFER: usize = 1 << 20;

/// A Python object with a method `write`, such as an open file.
pub(crate) struct PythonWriter {
    object: Py<PyAny>,
    failure: Failure,
    buffer: Vec<u8>,
}

/// The exception of the object, which is raised instead of the I/O error that it caused.
#[derive(Clone, Default)]
pub(crate) struct Failure(Arc<Mutex<Option<PyErr>>>);

impl Failure {
    /// Takes the exception, if there was one.
    pub(crate) fn take(&self) -> Option<PyErr> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl PythonWriter {
    /// Returns the writer, and the holder of its exception.
    pub(crate) fn new(object: Py<PyAny>) -> (Self, Failure) {
        let failure = Failure::default();
        (Self { object, failure: failure.clone(), buffer: Vec::with_capacity(BUFFER) }, failure)
    }

    fn hand_over(&self, bytes: &[u8]) -> io::Result<()> {
        Python::attach(|py| {
            let mut rest = bytes;
            while !rest.is_empty() {
                let written = self.object.call_method1(py, "write", (PyBytes::new(py, rest),))?;
                // Buffered files accept everything, raw ones return the number of bytes they accepted, and some of
                // either kind return `None`.
                let count = written.extract::<Option<usize>>(py)?.unwrap_or(rest.len());
                if count == 0 || count > rest.len() {
                    return Err(pyo3::exceptions::PyOSError::new_err(format!("write() returned {count}")));
                }
                rest = &rest[count..];
            }
            Ok(())
        })
        .map_err(|error| {
            *self.failure.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            io::Error::other("the Python file object raised an exception")
        })
    }
}

impl Write for PythonWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() >= BUFFER {
            self.flush()?;
            self.hand_over(bytes)?;
        } else {
            if self.buffer.len() + bytes.len() > BUFFER {
                self.flush()?;
            }
            self.buffer.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let buffer = std::mem::take(&mut self.buffer);
        let result = self.hand_over(&buffer);
        self.buffer = buffer;
        self.buffer.clear();
        result
    }
}
