//! Encoding of whole files, from rows or a source, to any writer. No `Seek`.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use crate::encode::CogEncoder;
use crate::error::{Error, ErrorKind, Result};
use crate::executor::Executor;
use crate::grid::Level;
use crate::options::Predictor;
use crate::plan::{CogPlan, Header};
use crate::sample::Sample;
use crate::statistics::BandStatistics;
use crate::tiff::variant::Variant;
use crate::view::PixelSource;

use super::ahead::Ahead;
use super::direct::DirectFile;
use super::file::{FileOptions, OutputFile};
use super::place::{Kept, Output, Place, check_stored};
use super::store::{SectionStore, StoreOptions};
use super::target::Target;
use super::verify::{refuse, verify};

/// Summary of a written file.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// File size in bytes.
    pub bytes: u64,
    /// True if the file is a BigTIFF.
    pub big_tiff: bool,
    /// The predictor that [`Predictor::Auto`] selected, or the one that was requested.
    pub predictor: Predictor,
    /// Bytes of tiles that went through a temporary file; see [`StoreOptions`].
    pub spooled: u64,
    /// All levels, full resolution first.
    pub levels: Vec<LevelSummary>,
    /// Statistics of all bands; empty unless [requested](crate::EncodeOptions::statistics).
    pub statistics: Vec<BandStatistics>,
}

/// Summary of a written level.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LevelSummary {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Number of tiles of the image, without those of the mask.
    pub tiles: u64,
    /// Size of all tiles with leaders and trailers in bytes, including the mask.
    pub bytes: u64,
}

/// Progress of an encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Rows of full resolution that have been read and encoded.
    pub rows_done: u32,
    /// Total number of rows of full resolution.
    pub rows: u32,
}

/// Encodes a whole source to a writer.
///
/// Calls `progress` after every few tiles; [`ControlFlow::Break`] stops the encoding.
///
/// ```
/// use std::ops::ControlFlow;
/// use cogsmith::{CogPlan, DataType, EncodeOptions, Executor, GeoRef, ImageSpec, Metadata, SliceSource, StoreOptions};
/// let pixels = vec![7u16; 600 * 600];
/// let spec = ImageSpec::new(600, 600, 1, DataType::U16);
/// let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &EncodeOptions::default())?;
/// let mut source = SliceSource::new(spec, &pixels)?;
/// let mut file = Vec::new();
/// let go_on = &mut |_| ControlFlow::Continue(());
/// let summary =
///     cogsmith::encode(&mut source, &plan, &Executor::serial(), &StoreOptions::default(), &mut file, go_on)?;
/// assert_eq!(summary.bytes, file.len() as u64);
/// # Ok::<(), cogsmith::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::InvalidImage`] if the source does not match the plan, [`ErrorKind::InvalidOption`] for
/// [`StoreOptions::verify`], [`ErrorKind::Cancelled`] after [`ControlFlow::Break`], and any error in reading, encoding,
/// or writing.
pub fn encode(
    source: &mut dyn PixelSource,
    plan: &CogPlan,
    executor: &Executor,
    store: &StoreOptions,
    writer: &mut dyn Write,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Summary> {
    run(&mut [source], plan, executor, store, Output::Writer(writer), progress)
}

/// Encodes a whole source to a file. The result is the same as that of [`encode`], but uncompressed tiles, whose size
/// is known in advance, are written directly to their positions, and the system copies tiles from the temporary file,
/// if it supports that.
///
/// The caller [commits](OutputFile::commit) the file.
///
/// # Errors
/// The errors of [`encode`], except that [`StoreOptions::verify`] is only refused for outputs that are not regular
/// files; [`ErrorKind::Verification`] if the file that was read back differs from what was encoded.
pub fn encode_to_output(
    source: &mut dyn PixelSource,
    plan: &CogPlan,
    executor: &Executor,
    store: &StoreOptions,
    output: &mut OutputFile,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Summary> {
    run(&mut [source], plan, executor, store, Output::File(output), progress)
}

/// Encodes an image with finished overviews: `sources` contains one source per level of a plan that was made with
/// [`Overviews::Finished`](crate::Overviews::Finished), full resolution first. Each level is encoded unchanged, with
/// its mask if the image has one. Levels are read one after the other, so memory use is that of the widest level.
///
/// ```
/// use std::ops::ControlFlow;
/// use cogsmith::{CogPlan, DataType, EncodeOptions, Executor, GeoRef, ImageSpec, Metadata, Overviews, SliceSource, StoreOptions};
/// let (image, overview) = (vec![7u16; 600 * 600], vec![8u16; 200 * 200]);
/// let spec = ImageSpec::new(600, 600, 1, DataType::U16);
/// let options = EncodeOptions { overviews: Overviews::Finished(vec![(200, 200)]), ..EncodeOptions::default() };
/// let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options)?;
/// let mut full = SliceSource::new(spec.clone(), &image)?;
/// let mut third = SliceSource::new(ImageSpec { width: 200, height: 200, ..spec }, &overview)?;
/// let mut file = Vec::new();
/// let go_on = &mut |_| ControlFlow::Continue(());
/// let store = StoreOptions::default();
/// cogsmith::encode_levels(&mut [&mut full, &mut third], &plan, &Executor::serial(), &store, &mut file, go_on)?;
/// # Ok::<(), cogsmith::Error>(())
/// ```
///
/// # Errors
/// The errors of [`encode`]; also [`ErrorKind::InvalidImage`] if there is not exactly one source per level, or a source
/// does not have the size of its level, and [`ErrorKind::InvalidOption`] for a plan that computes overviews.
pub fn encode_levels(
    sources: &mut [&mut dyn PixelSource],
    plan: &CogPlan,
    executor: &Executor,
    store: &StoreOptions,
    writer: &mut dyn Write,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Summary> {
    check_count(sources, plan)?;
    run(sources, plan, executor, store, Output::Writer(writer), progress)
}

/// Encodes an image with finished overviews, as [`encode_levels`] does, to a file, as [`encode_to_output`] does.
///
/// # Errors
/// The errors of [`encode_levels`] and [`encode_to_output`].
pub fn encode_levels_to_output(
    sources: &mut [&mut dyn PixelSource],
    plan: &CogPlan,
    executor: &Executor,
    store: &StoreOptions,
    output: &mut OutputFile,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Summary> {
    check_count(sources, plan)?;
    run(sources, plan, executor, store, Output::File(output), progress)
}

/// Encodes `sources`: only full resolution, or every level.
fn run(
    sources: &mut [&mut dyn PixelSource],
    plan: &CogPlan,
    executor: &Executor,
    store: &StoreOptions,
    mut output: Output<'_>,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Summary> {
    for (source, level) in sources.iter().zip(plan.levels()) {
        check_source(*source, plan, level)?;
    }
    if store.verify {
        refuse(match &output {
            Output::File(file) => Some(file),
            Output::Writer(_) => None,
        })?;
    }
    let mut place = match &output {
        Output::File(file) => DirectFile::new(plan, file)?.map_or(Place::Store, Place::Direct),
        Output::Writer(_) => Place::Store,
    };
    let mut cog = CogWriter::of(plan.clone(), executor.clone(), store.clone(), sources.len() > 1)?;
    let rows = plan.spec().height;
    for (level, source) in sources.iter_mut().enumerate() {
        if level > 0 {
            cog.encoder.next_level(level, store.batch)?;
        }
        while cog.encoder.rows_wanted() > 0 {
            let wanted = cog.encoder.rows_wanted();
            cog.encoder.take_rows_from(*source, wanted)?;
            let rows_done = if level == 0 { cog.encoder.rows_done() } else { rows };
            let go_on = || go_on(progress, rows_done, rows);
            let CogWriter { encoder, store, stored, .. } = &mut cog;
            let (place, output) = (&mut place, &mut output);
            let mut kept = Kept { plan, place, output, store, stored, go_on, tiles: 0 };
            encoder.encode_waiting(Some(*source), &mut kept)?;
            (kept.go_on)()?;
        }
    }
    let mut step = || go_on(progress, rows, rows);
    if let Place::Direct((file, header)) = place {
        let checksums = cog.encoder.checksums();
        let index = cog.encoder.finish()?;
        file.finish(plan, &index)?;
        if let (Some(checksums), Output::File(file)) = (checksums, &output) {
            verify(file, plan, &checksums, executor, &mut step)?;
        }
        return Ok(summary(plan, index.statistics(), &header, 0));
    }
    let mut target = match output {
        Output::Writer(writer) => Target::writer(writer),
        Output::File(file) => Target::File(file),
    };
    let ahead = if let Place::Ahead(ahead) = place { Some(ahead) } else { None };
    cog.write(&mut target, ahead, &mut step)
}

/// Reports progress to the caller, who may stop the encoding.
fn go_on(progress: &mut dyn FnMut(Progress) -> ControlFlow<()>, rows_done: u32, rows: u32) -> Result<()> {
    match progress(Progress { rows_done, rows }) {
        ControlFlow::Break(()) => Err(ErrorKind::Cancelled.into()),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Encodes a whole source to a vector, on the calling thread.
///
/// # Errors
/// The errors of [`encode`].
pub fn encode_to_vec(source: &mut dyn PixelSource, plan: &CogPlan) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    encode(source, plan, &Executor::serial(), &StoreOptions::in_memory(), &mut bytes, &mut |_| {
        ControlFlow::Continue(())
    })?;
    Ok(bytes)
}

/// Encodes a whole source to a file that appears complete or not at all; see [`OutputFile`]. Encoded tiles that don't
/// fit in memory spill to a temporary file in the same directory.
///
/// # Errors
/// The errors of [`encode`], [`OutputFile::create`], and [`OutputFile::commit`].
pub fn encode_to_file(
    source: &mut dyn PixelSource,
    plan: &CogPlan,
    executor: &Executor,
    path: &Path,
    options: &FileOptions,
) -> Result<Summary> {
    let mut file = OutputFile::create(path, options)?;
    let store = StoreOptions { directory: Some(file.directory().to_path_buf()), ..StoreOptions::default() };
    let summary = encode_to_output(source, plan, executor, &store, &mut file, &mut |_| ControlFlow::Continue(()))?;
    file.commit()?;
    Ok(summary)
}

/// An encoder that takes rows in order and writes the file at the end.
///
/// ```
/// use cogsmith::{CogPlan, CogWriter, DataType, EncodeOptions, Executor, GeoRef, ImageSpec, Metadata, StoreOptions};
/// let spec = ImageSpec::new(1000, 3000, 1, DataType::U8);
/// let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &EncodeOptions::default())?;
/// let mut writer = CogWriter::new(plan, Executor::all_cores()?, StoreOptions::default())?;
/// for row in 0..3000u32 {
///     let row: Vec<u8> = (0..1000u32).map(|column| ((row ^ column) % 256) as u8).collect();
///     writer.push_rows(&row, None)?;
/// }
/// let mut file = Vec::new();
/// writer.finish(&mut file)?;
/// # Ok::<(), cogsmith::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing is written before `finish`"]
pub struct CogWriter {
    encoder: CogEncoder,
    store: SectionStore,
    stored: u64,
    executor: Executor,
}

impl CogWriter {
    /// Creates a writer.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`] if the tile index or the rows of a batch don't fit in memory;
    /// [`ErrorKind::InvalidOption`] for [finished](crate::Overviews::Finished) overviews.
    pub fn new(plan: CogPlan, executor: Executor, store: StoreOptions) -> Result<Self> {
        Self::of(plan, executor, store, false)
    }

    /// Creates a writer, which also takes the rows of overviews if they are `finished`.
    fn of(plan: CogPlan, executor: Executor, store: StoreOptions, finished: bool) -> Result<Self> {
        let make = if finished { CogEncoder::level_by_level } else { CogEncoder::with_batch };
        let mut encoder = make(plan, executor.clone(), store.batch)?;
        if store.verify {
            encoder.take_checksums()?;
        }
        Ok(Self { encoder, store: SectionStore::new(store), stored: 0, executor })
    }

    /// Encodes any number of rows, with the bands of each pixel together: (row, column, band), and their mask if the
    /// image has one.
    ///
    /// # Errors
    /// The errors of [`CogEncoder::push_rows`], and [`ErrorKind::Io`] if the temporary file cannot be written.
    pub fn push_rows<T: Sample>(&mut self, samples: &[T], mask: Option<&[u8]>) -> Result<()> {
        self.encoder.push_rows(samples, mask)?;
        self.store_finished()
    }

    /// Writes the file: the header, then all sections in order.
    ///
    /// # Errors
    /// [`ErrorKind::PixelCount`] if rows are missing, [`ErrorKind::Limit`] if classic TIFF was requested and the file
    /// is larger than 4 GiB, [`ErrorKind::Io`] if writing fails, and [`ErrorKind::InvalidOption`], before anything is
    /// written, for [`StoreOptions::verify`]: a writer cannot be read back.
    pub fn finish(self, writer: &mut dyn Write) -> Result<Summary> {
        self.write(&mut Target::writer(writer), None, &mut || Ok(()))
    }

    /// Writes the file as [`finish`](Self::finish) does, to an [`OutputFile`]: the system copies tiles from the
    /// temporary file, if it supports that. The caller [commits](OutputFile::commit) the file.
    ///
    /// # Errors
    /// The errors of [`finish`](Self::finish), except that [`StoreOptions::verify`] is only refused for outputs that
    /// are not regular files; [`ErrorKind::Verification`] if the file that was read back differs from what was encoded.
    pub fn finish_to(self, output: &mut OutputFile) -> Result<Summary> {
        self.write(&mut Target::File(output), None, &mut || Ok(()))
    }

    /// Writes the file, or the rest of one that was started ahead.
    fn write(
        mut self,
        target: &mut Target<'_>,
        ahead: Option<Ahead>,
        step: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Summary> {
        let plan = self.encoder.plan().clone();
        let checksums = self.encoder.checksums();
        if checksums.is_some() {
            refuse(target.file())?;
        }
        let index = self.encoder.finish()?;
        let header = plan.header(&index)?;
        let mut bytes = header.bytes.len() as u64;
        match &ahead {
            Some(ahead) => bytes += ahead.written(),
            None => target.write(&header.bytes)?,
        }
        for section in plan.sections() {
            bytes += self.store.write_section(section, u64::MAX, target, step)?;
        }
        target.flush()?;
        if let Some(ahead) = ahead {
            ahead.finish(&header)?;
        }
        let summary = summary(&plan, index.statistics(), &header, self.store.spooled());
        if bytes != summary.bytes {
            return Err(ErrorKind::PixelCount { what: "bytes of the file", expected: summary.bytes, got: bytes }.into());
        }
        if let (Some(checksums), Some(file)) = (checksums, target.file()) {
            verify(file, &plan, &checksums, &self.executor, step)?;
        }
        Ok(summary)
    }

    /// Moves encoded tiles to the store.
    fn store_finished(&mut self) -> Result<()> {
        for chunk in self.encoder.drain() {
            self.stored += chunk.bytes.len() as u64;
            check_stored(self.encoder.plan(), self.stored)?;
            self.store.append(chunk.section, &chunk.bytes)?;
            self.encoder.give_back(chunk.bytes);
        }
        Ok(())
    }
}

/// Creates the summary from the statistics and the header.
pub(super) fn summary(plan: &CogPlan, statistics: Vec<BandStatistics>, header: &Header, spooled: u64) -> Summary {
    let levels = plan.levels().iter().zip(&header.level_bytes);
    let levels: Vec<_> = levels
        .map(|(level, &bytes)| LevelSummary {
            width: level.width,
            height: level.height,
            tiles: level.tiles_per_plane() * u64::from(plan.grid().planes),
            bytes,
        })
        .collect();
    let bytes = header.bytes.len() as u64 + header.level_bytes.iter().sum::<u64>();
    let (predictor, big_tiff) = (plan.predictor(), header.variant == Variant::Big);
    Summary { bytes, big_tiff, predictor, spooled, levels, statistics }
}

/// Checks that there is exactly one source per level.
fn check_count(sources: &[&mut dyn PixelSource], plan: &CogPlan) -> Result<()> {
    if !plan.overviews_are_finished() {
        let reason = "the plan computes overviews, but they are supplied; use finished overviews in the plan";
        return Err(Error::option("overviews", reason));
    }
    let (given, planned) = (sources.len(), plan.levels().len());
    if given == planned {
        return Ok(());
    }
    Err(Error::image(format!("got {given} sources for {planned} levels; pass one per level, full resolution first")))
}

/// Checks that a source matches the plan.
fn check_source(source: &dyn PixelSource, plan: &CogPlan, level: &Level) -> Result<()> {
    let (given, planned) = (source.spec(), plan.spec());
    let got = (given.width, given.height, given.bands, given.data_type, given.mask);
    let needed = (level.width, level.height, planned.bands, planned.data_type, planned.mask);
    if got == needed {
        return Ok(());
    }
    let say = |(width, height, bands, data_type, mask): (_, _, _, _, bool)| {
        format!("{width}x{height}, {bands} bands, {data_type}, {} mask", if mask { "with" } else { "without" })
    };
    let what = if level.index == 0 { "the plan".to_owned() } else { format!("level {} of the plan", level.index) };
    Err(Error::image(format!("the source has {}, but {what} expects {}", say(got), say(needed))))
}
