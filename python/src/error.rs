//! Errors of the library as Python exceptions.

use cogsmith::{Error, ErrorKind};
use pyo3::exceptions::{PyFileExistsError, PyMemoryError, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

/// `EEXIST`, the same number on every system that Python runs on.
const FILE_EXISTS: i32 = 17;

/// Options whose names in Python are not those of the command with `_` for `-`; in `create`, and in functions for arrays.
const NAMES: [(&str, &str, &str); 6] = [
    ("stats", "statistics", "statistics"),
    ("gcp", "gcps", "gcps"),
    ("pixel-is", "pixel_is", "pixel_is_point"),
    ("band-description", "band_description", "band_names"),
    ("color-interpretation", "color_interpretation", "colorinterp"),
    ("metadata", "metadata", "tags"),
];

/// Returns the exception for an option of `create`, or of a function for arrays, by its name in Python.
fn of_option(option: &str, reason: &str, is_create: bool) -> PyErr {
    let name = NAMES.iter().find(|(command, ..)| *command == option);
    let name = name.map(|(_, create, array)| if is_create { *create } else { *array });
    let name = name.map_or_else(|| option.replace('-', "_"), str::to_owned);
    PyValueError::new_err(format!("option '{name}': {reason}"))
}

/// [`to_python`] for errors of `create`, whose options have the names of the command.
pub(crate) fn raise_for_create(error: Error) -> PyErr {
    match error.kind() {
        ErrorKind::InvalidOption { option, reason } if *option == "nodata" => {
            let reason = format!("{reason}; pass nodata=None, or a value that samples can have");
            of_option(option, &reason, true)
        }
        ErrorKind::InvalidOption { option, reason } => of_option(option, reason, true),
        _ => raise(error),
    }
}

/// Returns the exception for an error, with its message.
pub(crate) fn to_python(error: &Error) -> PyErr {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::InvalidOption { option, reason } => of_option(option, reason, false),
        ErrorKind::InvalidImage { .. }
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
