//! Whole files: rows or a source in, a COG out, to anything that can be written to. No `Seek`.

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

/// What was written.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Bytes of the file.
    pub bytes: u64,
    /// Whether it is a BigTIFF.
    pub big_tiff: bool,
    /// What [`Predictor::Auto`] came to, or the one that was asked for.
    pub predictor: Predictor,
    /// Bytes of tiles that waited in a temporary file; see [`StoreOptions`].
    pub spooled: u64,
    /// Every level, full resolution first.
    pub levels: Vec<LevelSummary>,
    /// Every band; empty unless [statistics](crate::EncodeOptions::statistics) were asked for.
    pub statistics: Vec<BandStatistics>,
}

/// What was written of a level.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LevelSummary {
    /// Columns in pixels.
    pub width: u32,
    /// Rows in pixels.
    pub height: u32,
    /// Tiles of the image, without those of the mask.
    pub tiles: u64,
    /// Bytes of all tiles with their frames, mask included.
    pub bytes: u64,
}

/// How far an encoding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Rows of full resolution that are read and encoded.
    pub rows_done: u32,
    /// Rows of full resolution.
    pub rows: u32,
}

/// Encodes a whole source to a writer.
///
/// `progress` is called after every few tiles; [`ControlFlow::Break`] stops the encoding.
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
/// [`ErrorKind::InvalidImage`] where the source is not what the plan was made for, [`ErrorKind::InvalidOption`] for
/// [`StoreOptions::verify`], [`ErrorKind::Cancelled`] after [`ControlFlow::Break`], and whatever goes wrong in reading,
/// encoding or writing.
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

/// As [`encode`], to a file: tiles whose size is known beforehand, those without compression, go to their places at
/// once, and what waits in a temporary file is copied by the system itself where it can. The bytes are the same.
///
/// The caller [commits](OutputFile::commit) the file.
///
/// # Errors
/// As [`encode`]; [`StoreOptions::verify`] is refused for outputs that are no regular files alone, and
/// [`ErrorKind::Verification`] means that what was read back is not what was encoded.
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

/// Encodes levels that are all finished: `sources` gives the image and its overviews, one for each level of the plan,
/// which was made with [`Overviews::Finished`](crate::Overviews::Finished). Each level is kept as it comes, with its mask
/// if the image has one. Levels are read one after the other, so memory is that of the widest.
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
/// As [`encode`]; [`ErrorKind::InvalidImage`] also where there is not one source for each level, or one is not of its
/// level's size, and [`ErrorKind::InvalidOption`] for a plan whose overviews are to be computed.
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

/// As [`encode_levels`], to a file, in the way of [`encode_to_output`].
///
/// # Errors
/// As [`encode_levels`] and [`encode_to_output`].
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

/// `sources` gives full resolution alone, or every level.
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

/// Tells the caller how far the encoding is, who may stop it.
fn go_on(progress: &mut dyn FnMut(Progress) -> ControlFlow<()>, rows_done: u32, rows: u32) -> Result<()> {
    match progress(Progress { rows_done, rows }) {
        ControlFlow::Break(()) => Err(ErrorKind::Cancelled.into()),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Encodes a whole source to bytes, on the caller's thread.
///
/// # Errors
/// As [`encode`].
pub fn encode_to_vec(source: &mut dyn PixelSource, plan: &CogPlan) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    encode(source, plan, &Executor::serial(), &StoreOptions::in_memory(), &mut bytes, &mut |_| {
        ControlFlow::Continue(())
    })?;
    Ok(bytes)
}

/// Encodes a whole source to a file that appears whole or not at all; see [`OutputFile`]. What memory doesn't hold of the
/// finished tiles waits in the file's directory.
///
/// # Errors
/// As [`encode`], [`OutputFile::create`] and [`OutputFile::commit`].
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

/// Takes rows as they come and writes the file at the end.
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
    /// A writer that has seen no rows.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`] where the index of tiles, or the rows of a batch, can't be held;
    /// [`ErrorKind::InvalidOption`] for [finished](crate::Overviews::Finished) overviews.
    pub fn new(plan: CogPlan, executor: Executor, store: StoreOptions) -> Result<Self> {
        Self::of(plan, executor, store, false)
    }

    /// A writer that has seen no rows, and gets those of overviews too if they are `finished`.
    fn of(plan: CogPlan, executor: Executor, store: StoreOptions, finished: bool) -> Result<Self> {
        let make = if finished { CogEncoder::level_by_level } else { CogEncoder::with_batch };
        let mut encoder = make(plan, executor.clone(), store.batch)?;
        if store.verify {
            encoder.take_checksums()?;
        }
        Ok(Self { encoder, store: SectionStore::new(store), stored: 0, executor })
    }

    /// Takes any number of rows whose bands lie together: (row, column, band), and their mask if the image has one.
    ///
    /// # Errors
    /// As [`CogEncoder::push_rows`], and [`ErrorKind::Io`] where the temporary file can't be written.
    pub fn push_rows<T: Sample>(&mut self, samples: &[T], mask: Option<&[u8]>) -> Result<()> {
        self.encoder.push_rows(samples, mask)?;
        self.store_finished()
    }

    /// Writes the file: header, then all sections in order.
    ///
    /// # Errors
    /// [`ErrorKind::PixelCount`] where rows are missing, [`ErrorKind::Limit`] where classic TIFF was asked for and the
    /// file is larger than 4 GiB, [`ErrorKind::Io`] where writing fails, and [`ErrorKind::InvalidOption`], before
    /// anything is written, for [`StoreOptions::verify`]: what is written so can't be read back.
    pub fn finish(self, writer: &mut dyn Write) -> Result<Summary> {
        self.write(&mut Target::writer(writer), None, &mut || Ok(()))
    }

    /// As [`finish`](Self::finish), to a file, for which the system itself copies what waits in a temporary file, where
    /// it can. The caller [commits](OutputFile::commit) it.
    ///
    /// # Errors
    /// As [`finish`](Self::finish); [`StoreOptions::verify`] is refused for outputs that are no regular files alone, and
    /// [`ErrorKind::Verification`] means that what was read back is not what was encoded.
    pub fn finish_to(self, output: &mut OutputFile) -> Result<Summary> {
        self.write(&mut Target::File(output), None, &mut || Ok(()))
    }

    /// Writes the file, or the rest of one that was begun ahead.
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

    /// Moves finished tiles to the store.
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

/// Sums up what was written, by the statistics of each band and the header.
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

/// Checks that there is a source for each level.
fn check_count(sources: &[&mut dyn PixelSource], plan: &CogPlan) -> Result<()> {
    if !plan.overviews_are_finished() {
        let reason = "they are to be computed, but come with the image; ask for finished ones";
        return Err(Error::option("overviews", reason));
    }
    let (given, planned) = (sources.len(), plan.levels().len());
    if given == planned {
        return Ok(());
    }
    Err(Error::image(format!("{given} sources for {planned} levels: each level needs one, the image first")))
}

/// Checks that a source gives what the plan was made for.
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
    Err(Error::image(format!("the source gives {}, {what} is for {}", say(got), say(needed))))
}
