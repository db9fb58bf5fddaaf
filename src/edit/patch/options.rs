//! Options and results of a patch.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::error::{Error, OptionField, Result};
use crate::executor::Executor;
use crate::grid::Rectangle;
use crate::options::Resampling;
use crate::sink::FileOptions;
use crate::source::geotiff::ReadOptions;

/// Options of [`patch`](fn@crate::patch).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
#[must_use]
pub struct PatchOptions {
    /// Kernel of the overviews: one for all bands, or one per band. Default (empty): the one that the metadata of the file
    /// name. Needed for a file with overviews and without this metadata.
    pub overview_resampling: Vec<Resampling>,
    /// True to replace all pixels, also by those that are nodata or masked in the update. Default: `false`, these leave the
    /// old pixels as they are.
    pub replace_all: bool,
    /// Compression level of new tiles, for codecs that have one. Default (`None`): the one with which this library gives
    /// the bytes of tiles of the file; the codec's default, and a warning, if there is none.
    pub level: Option<u8>,
    /// True to compute statistics of every band from the pixels of full resolution, exactly, and store them in place of
    /// others. All tiles of full resolution are decoded for that. Not for complex samples. Default: `false`, statistics are
    /// removed, with a warning.
    pub statistics: bool,
    /// File to write. Default (`None`): the patched file replaces the old one at the end.
    pub output: Option<PathBuf>,
    /// Options of the output. Without [`output`](Self::output), the file is replaced in any case.
    pub file: FileOptions,
    /// The way to read updates that are files or addresses. Default: files only.
    pub read: ReadOptions,
    /// True to report what would be encoded, without encoding or writing it. Default: `false`.
    pub dry_run: bool,
    /// Number of threads. Default (`None`): one per core.
    pub threads: Option<usize>,
    cancel: Option<Arc<AtomicBool>>,
}

/// Each method sets one option and returns the options, so that they can be chained.
impl PatchOptions {
    /// Returns the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the kernel of the overviews: one for all bands, or one per band. Default (empty): the one in the metadata of the
    /// file.
    pub fn overview_resampling(mut self, resampling: impl Into<Vec<Resampling>>) -> Self {
        self.overview_resampling = resampling.into();
        self
    }

    /// Sets whether pixels that are nodata or masked in the update replace others. Default: `false`.
    pub fn replace_all(mut self, replace_all: bool) -> Self {
        self.replace_all = replace_all;
        self
    }

    /// Sets the compression level of new tiles. Default (`None`): that of the file.
    pub fn level(mut self, level: impl Into<Option<u8>>) -> Self {
        self.level = level.into();
        self
    }

    /// Sets whether statistics of every band are computed and stored. Default: `false`.
    pub fn statistics(mut self, statistics: bool) -> Self {
        self.statistics = statistics;
        self
    }

    /// Sets the file to write. Default (`None`): the patched file replaces the old one.
    pub fn output(mut self, output: impl Into<Option<PathBuf>>) -> Self {
        self.output = output.into();
        self
    }

    /// Sets the options of the output.
    pub fn file(mut self, file: FileOptions) -> Self {
        self.file = file;
        self
    }

    /// Sets how updates are read that are files or addresses.
    pub fn read_options(mut self, read: ReadOptions) -> Self {
        self.read = read;
        self
    }

    /// Sets whether the work is only reported. Default: `false`.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Sets the number of threads. Default (`None`): one per core.
    pub fn threads(mut self, threads: impl Into<Option<usize>>) -> Self {
        self.threads = threads.into();
        self
    }

    /// Sets a flag that stops the work when it becomes true.
    pub fn cancel(mut self, flag: Arc<AtomicBool>) -> Self {
        self.cancel = Some(flag);
        self
    }

    /// Checks what needs no file.
    pub(super) fn check(&self) -> Result<()> {
        if self.file.overwrite && self.output.is_none() {
            return Err(Error::option(OptionField::Overwrite, "has no effect without an output; leave it out"));
        }
        Ok(())
    }

    pub(super) fn executor(&self) -> Result<Executor> {
        let executor = self.threads.map_or_else(Executor::all_cores, Executor::threads)?;
        Ok(match &self.cancel {
            Some(flag) => executor.cancelled_by(Arc::clone(flag)),
            None => executor,
        })
    }
}

/// The result of [`patch`](fn@crate::patch).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PatchSummary {
    /// Size of the file in bytes; the old size with `dry_run`.
    pub bytes: u64,
    /// True if the file is a BigTIFF.
    pub big_tiff: bool,
    /// All levels, full resolution first.
    pub levels: Vec<PatchedLevel>,
    /// The pixels of full resolution that each update covers, in the order of the updates.
    pub windows: Vec<Rectangle>,
    /// Parts of the file that are left out, and doubts about it and the updates.
    pub warnings: Vec<String>,
}

impl PatchSummary {
    /// Returns the number of tiles that were encoded, masks included.
    #[must_use]
    pub fn encoded(&self) -> u64 {
        self.levels.iter().map(|level| level.encoded).sum()
    }

    /// Returns the number of tiles that were copied, masks included.
    #[must_use]
    pub fn copied(&self) -> u64 {
        self.levels.iter().map(|level| level.copied).sum()
    }
}

/// A level of a patched file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PatchedLevel {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Number of tiles that were encoded, masks included.
    pub encoded: u64,
    /// Number of tiles that were copied, masks included; tiles that are not stored don't count.
    pub copied: u64,
}
