//! Replacement of a window of a file, as in the command.

use std::path::PathBuf;

use cogsmith::{FileOptions, InputFiles, PatchOptions, Resampling};
use pyo3::prelude::*;

use crate::error::raise_for_create;
use crate::supervise::{Audience, supervise};

/// Options of a patch: `_plan.PatchChoice`.
#[derive(FromPyObject)]
pub(crate) struct PatchChoice {
    output: Option<PathBuf>,
    overwrite: bool,
    replace_all: bool,
    overview_resampling: Vec<String>,
    level: Option<u8>,
    statistics: bool,
    threads: Option<usize>,
    dry_run: bool,
    sync: bool,
}

/// A level: width, height, and the numbers of tiles that were encoded and copied.
type Level = (u32, u32, u64, u64);

/// The summary of a patch: bytes, whether it is a BigTIFF, levels, windows (column, row, width, height), and warnings.
type Patched = (u64, bool, Vec<Level>, Vec<(u32, u32, u32, u32)>, Vec<String>);

/// Replaces windows of a file by the pixels of others.
#[pyfunction]
pub(crate) fn patch(py: Python<'_>, path: PathBuf, updates: Vec<PathBuf>, choice: PatchChoice) -> PyResult<Patched> {
    let kernels = choice.overview_resampling.iter().map(|name| name.parse::<Resampling>().map_err(raise_for_create));
    let options = PatchOptions::new()
        .overview_resampling(kernels.collect::<PyResult<Vec<_>>>()?)
        .replace_all(choice.replace_all)
        .level(choice.level)
        .statistics(choice.statistics)
        .output(choice.output)
        .file(FileOptions::new().overwrite(choice.overwrite).sync(choice.sync))
        .dry_run(choice.dry_run)
        .threads(choice.threads);
    let nobody = Audience { callback: None, rows: 0 };
    let done = supervise(py, Some(1), &nobody, |supervisor| {
        let files = InputFiles::find(&updates, None)?;
        cogsmith::patch(&path, files.paths(), &options.clone().cancel(supervisor.flag()))
    })?;
    let levels = done.levels.iter().map(|level| (level.width, level.height, level.encoded, level.copied));
    let windows = done.windows.iter().map(|one| (one.columns.start, one.rows.start, one.width(), one.height()));
    Ok((done.bytes, done.big_tiff, levels.collect(), windows.collect(), done.warnings))
}
