//! Encoding of whole files, from rows or a source, to any writer. No `Seek`.

use std::borrow::BorrowMut;
use std::fmt;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use crate::encode::{CogEncoder, Summary, TileSink, check_source};
use crate::error::{Error, ErrorKind, OptionField, Result};
use crate::executor::Executor;
use crate::plan::CogPlan;
use crate::sample::Sample;
use crate::view::PixelSource;

use super::direct::DirectSink;
use super::file::{FileOptions, OutputFile};
use super::in_place::InPlaceSink;
use super::memory::MemorySink;
use super::spooled::SpooledSink;
use super::store::StoreOptions;
use super::verify::{readable, verify};

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
    run(&mut [source], plan, executor, store, &mut SpooledSink::new(writer, store.clone()), progress)
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
    run(&mut [source], plan, executor, store, file_sink(plan, store, output)?.as_mut(), progress)
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
/// let options = EncodeOptions::new().overviews(Overviews::Finished(vec![(200, 200)]));
/// let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options)?;
/// let mut full = SliceSource::new(spec.clone(), &image)?;
/// let mut third = SliceSource::new(spec.width(200).height(200), &overview)?;
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
    run(sources, plan, executor, store, &mut SpooledSink::new(writer, store.clone()), progress)
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
    run(sources, plan, executor, store, file_sink(plan, store, output)?.as_mut(), progress)
}

/// Encodes a whole source to any sink, and [commits](TileSink::commit) it.
///
/// # Errors
/// The errors of [`encode`] and of the sink. [`StoreOptions::verify`] is refused by sinks that can't be
/// [read back](TileSink::readable).
pub fn encode_to_sink(
    source: &mut dyn PixelSource,
    plan: &CogPlan,
    executor: &Executor,
    store: &StoreOptions,
    sink: &mut dyn TileSink,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Summary> {
    let summary = run(&mut [source], plan, executor, store, sink, progress)?;
    commit(executor, sink)?;
    Ok(summary)
}

/// Encodes an image with finished overviews, as [`encode_levels`] does, to any sink, and [commits](TileSink::commit) it.
///
/// # Errors
/// The errors of [`encode_levels`] and [`encode_to_sink`].
pub fn encode_levels_to_sink(
    sources: &mut [&mut dyn PixelSource],
    plan: &CogPlan,
    executor: &Executor,
    store: &StoreOptions,
    sink: &mut dyn TileSink,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Summary> {
    check_count(sources, plan)?;
    let summary = run(sources, plan, executor, store, sink, progress)?;
    commit(executor, sink)?;
    Ok(summary)
}

/// Returns the sink for a file. Uncompressed tiles, whose size is known in advance, are written directly to their
/// positions; others wait in memory or in a temporary file until their positions are known. Committing the sink makes the
/// file appear.
///
/// # Errors
/// [`ErrorKind::Io`] if the header of an uncompressed file cannot be written; [`ErrorKind::OutOfMemory`] if the index of
/// its tiles does not fit in memory.
pub fn file_sink<'a, F: BorrowMut<OutputFile> + Send + 'a>(
    plan: &CogPlan,
    store: &StoreOptions,
    output: F,
) -> Result<Box<dyn TileSink + Send + 'a>> {
    Ok(match DirectSink::begin(plan, output)? {
        Ok(direct) => Box::new(direct),
        Err(output) => Box::new(InPlaceSink::new(output, store.clone())),
    })
}

/// Encodes `sources`: only full resolution, or every level.
fn run(
    sources: &mut [&mut dyn PixelSource],
    plan: &CogPlan,
    executor: &Executor,
    store: &StoreOptions,
    sink: &mut dyn TileSink,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Summary> {
    let mut existing = match sources {
        [source] => existing_overviews(*source, plan)?,
        _ => Vec::new(),
    };
    // Each source with the first level that it fills: its own. Those up to the next source's are computed from it.
    let overviews = existing.iter_mut().map(|(level, source)| (*level, source.as_mut() as &mut dyn PixelSource));
    let mut parts: Vec<(usize, &mut dyn PixelSource)> =
        sources.iter_mut().map(|source| &mut **source).enumerate().chain(overviews).collect();
    let ends: Vec<usize> = parts.iter().skip(1).map(|part| part.0).chain([plan.levels().len()]).collect();
    for (level, source) in &parts {
        let part = if *level == 0 { "the plan".to_owned() } else { format!("level {level} of the plan") };
        let level = &plan.levels()[*level];
        check_source(plan.source_spec(), (level.width, level.height), &part, *source)?;
    }
    let mut encoder = if parts.len() > 1 {
        CogEncoder::by_levels(plan.clone(), ends[0], executor.clone(), store.batch)?
    } else {
        CogEncoder::with_batch(plan.clone(), executor.clone(), store.batch)?
    };
    if store.verify {
        readable(sink)?;
        encoder.take_checksums()?;
    }
    let rows = plan.spec().height;
    for ((level, source), end) in parts.iter_mut().zip(ends) {
        let is_overview = *level > 0;
        if is_overview {
            encoder.next_levels(*level..end, store.batch)?;
        }
        while encoder.rows_wanted() > 0 {
            encoder.take_rows_from(*source, encoder.rows_wanted())?;
            let rows_done = if is_overview { rows } else { encoder.rows_done() };
            let mut step = || report(progress, rows_done, rows);
            encoder.encode_waiting(Some(*source), sink, &mut step)?;
            step()?;
        }
    }
    finish(encoder, executor, sink, &mut || report(progress, rows, rows))
}

/// Takes the overviews of a source that the plan uses, each with the level that it is for.
fn existing_overviews(
    source: &mut dyn PixelSource,
    plan: &CogPlan,
) -> Result<Vec<(usize, Box<dyn PixelSource + Send>)>> {
    let wanted: Vec<_> =
        plan.levels().iter().filter_map(|level| Some((level.index, plan.existing_overview(level)?))).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut overviews: Vec<_> = source.take_overviews()?.into_iter().map(Some).collect();
    let take = |(level, index): (usize, usize)| {
        let overview = overviews.get_mut(index).and_then(Option::take);
        let overview = overview.ok_or_else(|| Error::image(format!("the source lacks its overview {index}")))?;
        Ok((level, overview))
    };
    wanted.into_iter().map(take).collect()
}

/// Finishes an encoding once all rows have been passed.
fn finish(
    mut encoder: CogEncoder,
    executor: &Executor,
    sink: &mut dyn TileSink,
    step: &mut dyn FnMut() -> Result<()>,
) -> Result<Summary> {
    let (plan, checksums) = (encoder.plan().clone(), encoder.checksums());
    let file = encoder.finish()?;
    sink.finish(&file, step)?;
    if let Some(checksums) = checksums {
        verify(sink, &plan, &checksums, executor, step)?;
    }
    Ok(Summary { spooled: sink.spooled(), ..file.summary })
}

/// Makes the finished file appear, unless the work has been cancelled.
fn commit(executor: &Executor, sink: &mut dyn TileSink) -> Result<()> {
    if executor.is_cancelled() { Err(ErrorKind::Cancelled.into()) } else { sink.commit() }
}

/// Reports progress to the caller, who may stop the encoding.
fn report(progress: &mut dyn FnMut(Progress) -> ControlFlow<()>, rows_done: u32, rows: u32) -> Result<()> {
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
    let mut sink = MemorySink::new();
    let go_on = &mut |_| ControlFlow::Continue(());
    encode_to_sink(source, plan, &Executor::serial(), &StoreOptions::in_memory(), &mut sink, go_on)?;
    Ok(sink.into_bytes())
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
    let file = OutputFile::create(path, options)?;
    let store = StoreOptions { directory: Some(file.directory().to_path_buf()), ..StoreOptions::default() };
    let mut sink = file_sink(plan, &store, file)?;
    encode_to_sink(source, plan, executor, &store, sink.as_mut(), &mut |_| ControlFlow::Continue(()))
}

/// An encoder that takes rows in order, and passes finished tiles to a file, a writer or any other sink.
///
/// ```
/// use cogsmith::{CogPlan, CogWriter, DataType, EncodeOptions, Executor, GeoRef, ImageSpec, Metadata, StoreOptions};
/// let spec = ImageSpec::new(1000, 3000, 1, DataType::U8);
/// let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &EncodeOptions::default())?;
/// let mut file = Vec::new();
/// let mut writer = CogWriter::to_writer(plan, Executor::all_cores()?, StoreOptions::default(), &mut file)?;
/// for row in 0..3000u32 {
///     let row: Vec<u8> = (0..1000u32).map(|column| ((row ^ column) % 256) as u8).collect();
///     writer.push_rows(&row, None)?;
/// }
/// writer.finish()?;
/// # Ok::<(), cogsmith::Error>(())
/// ```
#[must_use = "the file is complete only after `finish`"]
pub struct CogWriter<'a> {
    encoder: CogEncoder,
    sink: Box<dyn TileSink + Send + 'a>,
    executor: Executor,
}

impl fmt::Debug for CogWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CogWriter").field("encoder", &self.encoder).finish_non_exhaustive()
    }
}

impl<'a> CogWriter<'a> {
    /// Creates a writer to anything that can be written to. Nothing reaches it before [`finish`](Self::finish).
    ///
    /// # Errors
    /// The errors of [`to_sink`](Self::to_sink).
    pub fn to_writer(
        plan: CogPlan,
        executor: Executor,
        store: StoreOptions,
        writer: impl Write + Send + 'a,
    ) -> Result<Self> {
        let sink = Box::new(SpooledSink::new(writer, store.clone()));
        Self::to_sink(plan, executor, &store, sink)
    }

    /// Creates a writer to a file, which appears on [`finish`](Self::finish). Tiles move to their place in it as soon as
    /// that is known.
    ///
    /// # Errors
    /// The errors of [`to_sink`](Self::to_sink), and [`ErrorKind::Io`] if the header of an uncompressed file cannot be
    /// written.
    pub fn to_file(plan: CogPlan, executor: Executor, store: StoreOptions, file: OutputFile) -> Result<Self> {
        let sink = file_sink(&plan, &store, file)?;
        Self::to_sink(plan, executor, &store, sink)
    }

    /// Creates a writer to any sink.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`] if the tile index or the rows of a batch don't fit in memory;
    /// [`ErrorKind::InvalidOption`] for [finished](crate::Overviews::Finished) overviews, and for
    /// [`StoreOptions::verify`] with a sink that cannot be [read back](TileSink::readable).
    pub fn to_sink(
        plan: CogPlan,
        executor: Executor,
        store: &StoreOptions,
        sink: Box<dyn TileSink + Send + 'a>,
    ) -> Result<Self> {
        let mut encoder = CogEncoder::with_batch(plan, executor.clone(), store.batch)?;
        if store.verify {
            readable(sink.as_ref())?;
            encoder.take_checksums()?;
        }
        Ok(Self { encoder, sink, executor })
    }

    /// Encodes any number of rows, with the bands of each pixel together: (row, column, band), and their mask if the
    /// image has one.
    ///
    /// # Errors
    /// The errors of [`CogEncoder::push_rows`], and [`ErrorKind::Io`] if a file cannot be written. After an error the
    /// writer is of no further use.
    pub fn push_rows<T: Sample>(&mut self, samples: &[T], mask: Option<&[u8]>) -> Result<()> {
        let Self { encoder, sink, .. } = self;
        encoder
            .push_rows_into(samples, mask, &mut |encoder| encoder.encode_waiting(None, sink.as_mut(), &mut || Ok(())))
    }

    /// Finishes the file and makes it appear.
    ///
    /// # Errors
    /// [`ErrorKind::PixelCount`] if rows are missing, [`ErrorKind::Limit`] if classic TIFF was requested and the file is
    /// larger than 4 GiB, [`ErrorKind::Io`] if writing fails, [`ErrorKind::Verification`] if the file that was read back
    /// differs from what was encoded, and the errors of [`OutputFile::commit`].
    pub fn finish(self) -> Result<Summary> {
        self.finish_with(&mut |_| ControlFlow::Continue(()))
    }

    /// Like [`finish`](Self::finish), but calls `progress` after every few megabytes. [`ControlFlow::Break`] stops, and
    /// the file does not appear.
    ///
    /// # Errors
    /// The errors of [`finish`](Self::finish), and [`ErrorKind::Cancelled`].
    pub fn finish_with(mut self, progress: &mut dyn FnMut(Progress) -> ControlFlow<()>) -> Result<Summary> {
        let (rows_done, rows) = (self.encoder.rows_done(), self.encoder.plan().spec().height);
        let step = &mut || report(progress, rows_done, rows);
        let summary = finish(self.encoder, &self.executor, self.sink.as_mut(), step)?;
        step()?;
        commit(&self.executor, self.sink.as_mut())?;
        Ok(summary)
    }
}

/// Checks that there is exactly one source per level.
fn check_count(sources: &[&mut dyn PixelSource], plan: &CogPlan) -> Result<()> {
    if !plan.overviews_are_finished() {
        let reason = "the plan computes overviews, but they are supplied; use finished overviews in the plan";
        return Err(Error::option(OptionField::Overviews, reason));
    }
    let (given, planned) = (sources.len(), plan.levels().len());
    if given == planned {
        return Ok(());
    }
    Err(Error::image(format!("got {given} sources for {planned} levels; pass one per level, full resolution first")))
}
