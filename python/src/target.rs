//! Python objects that can write as the target of a COG. Memory is one of them: Python's `BytesIO`, which gives its bytes
//! away without a copy.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Bytes that are handed to Python at once.
const BUFFER: usize = 1 << 20;

/// A Python object with a method `write`, such as an open file.
pub(crate) struct PythonWriter {
    object: Py<PyAny>,
    failure: Failure,
    buffer: Vec<u8>,
}

/// What the object raised, to be raised again in place of the I/O error that it became.
#[derive(Clone, Default)]
pub(crate) struct Failure(Arc<Mutex<Option<PyErr>>>);

impl Failure {
    /// The exception, if there was one.
    pub(crate) fn take(&self) -> Option<PyErr> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl PythonWriter {
    /// The writer, and where its exceptions go.
    pub(crate) fn new(object: Py<PyAny>) -> (Self, Failure) {
        let failure = Failure::default();
        (Self { object, failure: failure.clone(), buffer: Vec::with_capacity(BUFFER) }, failure)
    }

    fn hand_over(&self, bytes: &[u8]) -> io::Result<()> {
        Python::attach(|py| {
            let mut rest = bytes;
            while !rest.is_empty() {
                let written = self.object.call_method1(py, "write", (PyBytes::new(py, rest),))?;
                // Buffered files take all; raw ones say how much they took, and `None` is said by some of either.
                let count = written.extract::<Option<usize>>(py)?.unwrap_or(rest.len());
                if count == 0 || count > rest.len() {
                    return Err(pyo3::exceptions::PyOSError::new_err(format!("write() took {count} bytes")));
                }
                rest = &rest[count..];
            }
            Ok(())
        })
        .map_err(|error| {
            *self.failure.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            io::Error::other("the Python object failed")
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
