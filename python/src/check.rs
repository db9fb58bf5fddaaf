//! Validation and description of files, as the command prints them with `--json`.

use std::path::{Path, PathBuf};

use cogsmith::check::{self, CheckOptions};
use cogsmith::{DiskFile, ReadAt};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyDict, PyMapping};
use pythonize::pythonize;

use crate::error::raise;
use crate::supervise::{Audience, supervise};

/// A file to read: its bytes, or its path.
#[derive(FromPyObject)]
pub(crate) enum Subject {
    Bytes(PyBackedBytes),
    Path(PathBuf),
}

impl Subject {
    fn external_overviews(&self) -> bool {
        let Self::Path(path) = self else { return false };
        [".ovr", ".OVR"].iter().any(|extension| {
            let mut name = path.as_os_str().to_owned();
            name.push(extension);
            Path::new(&name).is_file()
        })
    }

    fn with_reader<R>(&self, look: impl FnOnce(&dyn ReadAt) -> cogsmith::Result<R>) -> cogsmith::Result<R> {
        match self {
            Self::Bytes(bytes) => {
                let bytes: &[u8] = bytes;
                look(&bytes)
            }
            Self::Path(path) => look(&DiskFile::open(path)?),
        }
    }
}

/// Validates a file.
#[pyfunction]
pub(crate) fn validate<'py>(
    py: Python<'py>,
    subject: Subject,
    strict: bool,
    quick: bool,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyDict>> {
    let options = if quick { CheckOptions::quick() } else { CheckOptions::full() };
    let options = options.external_overviews(subject.external_overviews());
    let nobody = Audience { callback: None, rows: 0 };
    let report = supervise(py, threads, &nobody, |supervisor| {
        subject.with_reader(|reader| check::validate(reader, &options, supervisor.executor()))
    })?;
    let verdict = PyDict::new(py);
    verdict.set_item("verdict", if report.is_valid(strict) { "valid" } else { "invalid" })?;
    verdict.set_item("strict", strict)?;
    verdict.set_item("quick", quick)?;
    verdict.update(pythonize(py, &report)?.cast::<PyMapping>()?)?;
    Ok(verdict)
}

/// Describes a file.
#[pyfunction]
pub(crate) fn info(py: Python<'_>, subject: Subject) -> PyResult<Bound<'_, PyAny>> {
    let info = py.detach(|| subject.with_reader(|reader| check::inspect(reader))).map_err(raise)?;
    Ok(pythonize(py, &info)?)
}
