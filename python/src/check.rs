//! Validation, description, and explanation of files, as the command prints them with `--json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cogsmith::check::{self, CheckOptions};
use cogsmith::{ExplainOptions, ReadAt, ReadOptions};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyDict, PyMapping};
use pythonize::pythonize;

use crate::remote::{Remote, is_remote};
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

    fn path(&self) -> Option<&Path> {
        match self {
            Self::Bytes(_) => None,
            Self::Path(path) => Some(path),
        }
    }

    fn with_reader<R>(
        &self,
        remote: &Remote,
        look: impl FnOnce(&dyn ReadAt) -> cogsmith::Result<R>,
    ) -> cogsmith::Result<R> {
        match self {
            Self::Bytes(bytes) => {
                let bytes: &[u8] = bytes;
                look(&bytes)
            }
            Self::Path(path) => look(&*remote.open(path)?),
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
    storage_options: BTreeMap<String, String>,
) -> PyResult<Bound<'py, PyDict>> {
    let options = if quick { CheckOptions::quick() } else { CheckOptions::full() };
    let mut options = options.external_overviews(subject.external_overviews());
    if quick && subject.path().is_some_and(is_remote) {
        options = options.sample_bytes(CheckOptions::REMOTE_SAMPLE);
    }
    let nobody = Audience { callback: None, rows: 0 };
    let (report, remote) = supervise(py, threads, &nobody, |supervisor| {
        let remote = Remote::new(subject.path(), &storage_options, supervisor.flag())?;
        let report = subject.with_reader(&remote, |reader| check::validate(reader, &options, supervisor.executor()))?;
        Ok((report, remote))
    })?;
    let verdict = PyDict::new(py);
    verdict.set_item("verdict", if report.is_valid(strict) { "valid" } else { "invalid" })?;
    verdict.set_item("strict", strict)?;
    verdict.set_item("quick", quick)?;
    verdict.update(pythonize(py, &report)?.cast::<PyMapping>()?)?;
    remote.add_traffic(&verdict)?;
    Ok(verdict)
}

/// Describes a file.
#[pyfunction]
pub(crate) fn info<'py>(
    py: Python<'py>,
    subject: Subject,
    storage_options: BTreeMap<String, String>,
) -> PyResult<Bound<'py, PyDict>> {
    let nobody = Audience { callback: None, rows: 0 };
    let (info, remote) = supervise(py, Some(1), &nobody, |supervisor| {
        let remote = Remote::new(subject.path(), &storage_options, supervisor.flag())?;
        Ok((subject.with_reader(&remote, |reader| check::inspect(reader))?, remote))
    })?;
    let result = PyDict::new(py);
    result.update(pythonize(py, &info)?.cast::<PyMapping>()?)?;
    remote.add_traffic(&result)?;
    Ok(result)
}

/// Explains a file.
#[pyfunction]
pub(crate) fn explain<'py>(
    py: Python<'py>,
    path: PathBuf,
    trials: bool,
    storage_options: BTreeMap<String, String>,
) -> PyResult<Bound<'py, PyDict>> {
    let nobody = Audience { callback: None, rows: 0 };
    let (explanation, remote) = supervise(py, None, &nobody, |supervisor| {
        let remote = Remote::new([path.as_path()], &storage_options, supervisor.flag())?;
        let options = ExplainOptions::new()
            .trials(trials)
            .read_options(ReadOptions::new().addresses(remote.addresses()))
            .cancel(supervisor.flag());
        Ok((cogsmith::explain(&path, &options)?, remote))
    })?;
    let result = PyDict::new(py);
    result.update(pythonize(py, &explanation)?.cast::<PyMapping>()?)?;
    remote.add_traffic(&result)?;
    Ok(result)
}
