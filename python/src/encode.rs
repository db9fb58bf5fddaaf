//! A whole array to a COG.

use std::path::PathBuf;

use cogsmith::{FileOptions, OutputFile, StoreOptions, encode as encode_to, encode_to_output};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::array::Pixels;
use crate::plan::{Plan, summary};
use crate::supervise::{Audience, supervise};
use crate::target::PythonWriter;

/// How the work is done, which changes nothing in the file: `_plan.Work`.
#[derive(FromPyObject)]
pub(crate) struct Work {
    /// `None`: all cores.
    pub(crate) threads: Option<usize>,
    pub(crate) overwrite: bool,
    pub(crate) sync: bool,
    pub(crate) verify: bool,
    pub(crate) temp_dir: Option<PathBuf>,
    pub(crate) tile_memory: Option<u64>,
    pub(crate) row_memory: Option<u64>,
    /// A callable that takes rows done and rows in all.
    pub(crate) progress: Option<Py<PyAny>>,
}

impl Work {
    pub(crate) fn file_options(&self) -> FileOptions {
        FileOptions { overwrite: self.overwrite, sync: self.sync }
    }

    /// What may be taken of memory; `directory` is where the rest goes unless the user said otherwise.
    pub(crate) fn store(&self, directory: Option<PathBuf>) -> StoreOptions {
        let default = StoreOptions::default();
        StoreOptions {
            memory: self.tile_memory.unwrap_or(default.memory),
            batch: self.row_memory.unwrap_or(default.batch),
            directory: self.temp_dir.clone().or(directory),
            verify: self.verify,
        }
    }
}

/// Writes pixels by a plan to a path or an object with `write`; what was written.
#[pyfunction]
pub(crate) fn encode<'py>(
    py: Python<'py>,
    plan: &Plan,
    pixels: Pixels<'py>,
    target: Bound<'py, PyAny>,
    work: Work,
) -> PyResult<Bound<'py, PyDict>> {
    let plan = &plan.plan;
    let audience = Audience { callback: work.progress.as_ref(), rows: plan.spec().height };
    let written = pixels.with_source(plan.spec(), |source| {
        if let Ok(path) = target.extract::<PathBuf>() {
            return supervise(py, work.threads, &audience, |supervisor| {
                let mut output = OutputFile::create(&path, &work.file_options())?;
                let store = work.store(Some(output.directory().to_path_buf()));
                let progress = &mut supervisor.progress();
                let written = encode_to_output(source, plan, supervisor.executor(), &store, &mut output, progress)?;
                supervisor.check()?;
                output.commit()?;
                Ok(written)
            });
        }
        let (mut writer, failure) = PythonWriter::new(target.unbind());
        let written = supervise(py, work.threads, &audience, |supervisor| {
            let (executor, progress) = (supervisor.executor(), &mut supervisor.progress());
            encode_to(source, plan, executor, &work.store(None), &mut writer, progress)
        });
        written.map_err(|error| failure.take().unwrap_or(error))
    })?;
    summary(py, plan, &written)
}
