//! Encoding a whole array to a COG.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cogsmith::{
    FileOptions, ImageSpec, OutputFile, PixelSource, StoreOptions, encode as encode_to, encode_levels,
    encode_levels_to_output, encode_levels_to_sink, encode_to_output, encode_to_sink,
};
use pyo3::prelude::*;

use crate::array::Pixels;
use crate::error::raise;
use crate::plan::{Plan, summary};
use crate::store;
use crate::supervise::{Audience, supervise};
use crate::target::PythonWriter;

/// Options of the run, which do not affect the file: `_plan.Work`.
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
    /// Options of the connection to an object store.
    pub(crate) storage_options: BTreeMap<String, String>,
    /// A callable that takes rows done and rows in total.
    pub(crate) progress: Option<Py<PyAny>>,
}

impl Work {
    pub(crate) fn file_options(&self) -> FileOptions {
        FileOptions::new().overwrite(self.overwrite).sync(self.sync)
    }

    /// Returns the memory limits; the rest spills to `directory` unless the user chose another.
    pub(crate) fn store(&self, directory: Option<PathBuf>) -> StoreOptions {
        let mut options = StoreOptions::new().verify(self.verify);
        options.memory = self.tile_memory.unwrap_or(options.memory);
        options.batch = self.row_memory.unwrap_or(options.batch);
        options.directory = self.temp_dir.clone().or(directory);
        options
    }
}

/// Pixels that any thread may read.
pub(crate) type Source<'a> = &'a mut (dyn PixelSource + Send);

/// The work on the sources of all levels. Boxed, since each level would otherwise be another type of closure.
pub(crate) type Run<'a, R> = Box<dyn FnOnce(Vec<Source<'_>>) -> PyResult<R> + 'a>;

/// Writes pixels by a plan to a path or an object with `write`, and returns the summary. `levels` are the pixels of
/// full resolution alone, or of every level of the plan.
#[pyfunction]
pub(crate) fn encode<'py>(
    py: Python<'py>,
    plan: &Plan,
    levels: Vec<Pixels<'py>>,
    target: Bound<'py, PyAny>,
    work: Work,
) -> PyResult<Bound<'py, PyAny>> {
    let plan = &plan.plan;
    let audience = Audience { callback: work.progress.as_ref(), rows: plan.spec().height };
    let parts = plan.levels().iter().zip(&levels);
    let parts: Vec<_> = parts
        .map(|(level, pixels)| (plan.source_spec().clone().width(level.width).height(level.height), pixels))
        .collect();
    let run: Run<'_, _> = Box::new(|mut sources| {
        if let Some(object) = store::object(&target)? {
            return supervise(py, work.threads, &audience, |supervisor| {
                let mut sink = work.object_sink(&object, plan, supervisor.flag())?;
                let (executor, store, progress) = (supervisor.executor(), work.store(None), &mut supervisor.progress());
                match sources.as_mut_slice() {
                    [source] => encode_to_sink(*source, plan, executor, &store, &mut sink, progress),
                    all => encode_levels_to_sink(&mut plain(all), plan, executor, &store, &mut sink, progress),
                }
            });
        }
        if let Ok(path) = target.extract::<PathBuf>() {
            return supervise(py, work.threads, &audience, |supervisor| {
                let mut output = OutputFile::create(&path, &work.file_options())?;
                let store = work.store(Some(output.directory().to_path_buf()));
                let progress = &mut supervisor.progress();
                let executor = supervisor.executor();
                let written = match sources.as_mut_slice() {
                    [source] => encode_to_output(*source, plan, executor, &store, &mut output, progress),
                    all => encode_levels_to_output(&mut plain(all), plan, executor, &store, &mut output, progress),
                }?;
                supervisor.check()?;
                output.commit()?;
                Ok(written)
            });
        }
        work.file_options().check_for_stream().map_err(raise)?;
        let (mut writer, failure) = PythonWriter::new(target.unbind());
        let written = supervise(py, work.threads, &audience, |supervisor| {
            let (executor, progress) = (supervisor.executor(), &mut supervisor.progress());
            let store = work.store(None);
            match sources.as_mut_slice() {
                [source] => encode_to(*source, plan, executor, &store, &mut writer, progress),
                all => encode_levels(&mut plain(all), plan, executor, &store, &mut writer, progress),
            }
        });
        written.map_err(|error| failure.take().unwrap_or(error))
    });
    let written = with_sources(&parts, Vec::new(), run)?;
    summary(py, written)
}

/// Checks the options of a target that is not a file.
#[pyfunction]
pub(crate) fn check_stream(work: Work) -> PyResult<()> {
    work.file_options().check_for_stream().map_err(raise)
}

/// Appends sources for all `parts` to `sources`, and passes them to `run`.
pub(crate) fn with_sources<R>(
    parts: &[(ImageSpec, &Pixels<'_>)],
    sources: Vec<Source<'_>>,
    run: Run<'_, R>,
) -> PyResult<R> {
    let Some(((spec, pixels), rest)) = parts.split_first() else { return run(sources) };
    pixels.with_source(spec, |source| {
        let mut all: Vec<Source<'_>> = sources.into_iter().map(|source| source as Source<'_>).collect();
        all.push(source);
        with_sources(rest, all, run)
    })
}

/// Returns the same sources as the library takes them.
pub(crate) fn plain<'a>(sources: &'a mut [Source<'_>]) -> Vec<&'a mut dyn PixelSource> {
    sources.iter_mut().map(|source| &mut **source as &mut dyn PixelSource).collect()
}
