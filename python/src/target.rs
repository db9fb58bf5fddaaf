//! Where a COG goes: a path, memory, or a Python object that can write.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Bytes of a piece of a file in memory: more than what the C library may keep for later once it is freed.
const PIECE: usize = 64 << 20;
/// Bytes that are handed to Python at once.
const BUFFER: usize = 1 << 20;

/// A file in memory, in pieces that go one by one as they become Python bytes, so that it is never there twice.
#[derive(Default)]
pub(crate) struct Pieces(Vec<Vec<u8>>);

impl Pieces {
    /// The Python bytes.
    pub(crate) fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyBytes>> {
        let length = self.0.iter().map(Vec::len).sum();
        PyBytes::new_with(py, length, |mut target| {
            for piece in self.0 {
                let (now, rest) = target.split_at_mut(piece.len());
                now.copy_from_slice(&piece);
                target = rest;
            }
            Ok(())
        })
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let full = self.0.last().is_none_or(|piece| piece.len() >= PIECE);
        if full {
            self.0.push(Vec::new());
        }
        let Some(piece) = self.0.last_mut() else { return Ok(0) };
        let count = bytes.len().min(PIECE - piece.len());
        piece.try_reserve(count)?;
        piece.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

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
