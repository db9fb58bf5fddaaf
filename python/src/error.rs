//! Errors of the library as Python exceptions.

use cogsmith::{Error, ErrorKind};
use pyo3::exceptions::{PyFileExistsError, PyMemoryError, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

/// `EEXIST`, the same number on every system that Python runs on.
const FILE_EXISTS: i32 = 17;

/// Returns the exception for an error, with its message.
pub(crate) fn to_python(error: &Error) -> PyErr {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::InvalidOption { .. }
        | ErrorKind::InvalidImage { .. }
        | ErrorKind::Unsupported { .. }
        | ErrorKind::NotTiff { .. }
        | ErrorKind::Address { .. }
        | ErrorKind::Corrupt { .. }
        | ErrorKind::Limit { .. }
        | ErrorKind::PixelCount { .. } => PyValueError::new_err(text),
        ErrorKind::OutOfMemory { .. } => PyMemoryError::new_err(text),
        // Callers of datacube and odc-geo look for "File exists".
        ErrorKind::TargetExists { path } => {
            let reason = "File exists; pass overwrite=True to replace it";
            PyFileExistsError::new_err((FILE_EXISTS, reason, path.clone()))
        }
        ErrorKind::Io { source, .. } => match source.raw_os_error() {
            // OSError selects the subclass by the number: FileNotFoundError, PermissionError, …
            Some(number) => PyOSError::new_err((number, text)),
            None => match source.kind() {
                std::io::ErrorKind::NotFound => pyo3::exceptions::PyFileNotFoundError::new_err(text),
                std::io::ErrorKind::IsADirectory => pyo3::exceptions::PyIsADirectoryError::new_err(text),
                std::io::ErrorKind::NotADirectory => pyo3::exceptions::PyNotADirectoryError::new_err(text),
                _ => PyOSError::new_err(text),
            },
        },
        _ => PyRuntimeError::new_err(text),
    }
}

/// [`to_python`] for `map_err`.
pub(crate) fn raise(error: Error) -> PyErr {
    to_python(&error)
}
