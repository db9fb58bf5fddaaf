//! Whole files: rows or a source in, a COG out, to anything that can be written to. No `Seek`.

use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;

use crate::encode::CogEncoder;
use crate::error::{Error, ErrorKind, Result};
use crate::executor::Executor;
use crate::options::BigTiff;
use crate::plan::CogPlan;
use crate::sample::Sample;
use crate::tiff::variant::Variant;
use crate::view::PixelSource;

use super::file::{FileOptions, OutputFile};
use super::store::{SectionStore, StoreOptions};

/// Bytes handed to the output at once.
const BLOCK: usize = 1 << 20;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Bytes of the file.
    pub bytes: u64,
    /// Whether it is a BigTIFF.
    pub big_tiff: bool,
    /// Every level, full resolution first.
    pub levels: Vec<LevelSummary>,
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
/// [`ErrorKind::InvalidImage`] where the source is not what the plan was made for, [`ErrorKind::Cancelled`] after
/// [`ControlFlow::Break`], and whatever goes wrong in reading, encoding or writing.
pub fn encode(
    source: &mut dyn PixelSource,
    plan: &CogPlan,
    executor: &Executor,
    store: &StoreOptions,
    writer: &mut dyn Write,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Summary> {
    check_source(source, plan)?;
    let mut cog = CogWriter::new(plan.clone(), executor.clone(), store.clone())?;
    let rows = plan.spec().height;
    while cog.encoder.rows_done() < rows {
        let wanted = cog.encoder.rows_wanted();
        cog.encoder.take_rows_from(source, wanted)?;
        loop {
            let more = cog.encoder.encode_some()?;
            cog.store_finished()?;
            if progress(Progress { rows_done: cog.encoder.rows_done(), rows }).is_break() {
                return Err(ErrorKind::Cancelled.into());
            }
            if !more {
                break;
            }
        }
    }
    cog.finish(writer)
}

/// Encodes a whole source to bytes, on the caller's thread.
///
/// # Errors
/// As [`encode`].
pub fn encode_to_vec(source: &mut dyn PixelSource, plan: &CogPlan) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let store = StoreOptions { memory: u64::MAX, directory: None };
    encode(source, plan, &Executor::serial(), &store, &mut bytes, &mut |_| ControlFlow::Continue(()))?;
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
    let summary = encode(source, plan, executor, &store, &mut file, &mut |_| ControlFlow::Continue(()))?;
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
    plan: CogPlan,
    encoder: CogEncoder,
    store: SectionStore,
    stored: u64,
}

impl CogWriter {
    /// A writer that has seen no rows.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`] where the index of tiles, or the rows of a batch, can't be held.
    pub fn new(plan: CogPlan, executor: Executor, store: StoreOptions) -> Result<Self> {
        let encoder = CogEncoder::new(plan.clone(), executor)?;
        Ok(Self { plan, encoder, store: SectionStore::new(store), stored: 0 })
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
    /// file is larger than 4 GiB, [`ErrorKind::Io`] where writing fails.
    pub fn finish(mut self, writer: &mut dyn Write) -> Result<Summary> {
        self.store_finished()?;
        let index = self.encoder.finish()?;
        let header = self.plan.header(&index)?;
        let mut out = BufWriter::with_capacity(BLOCK, Counted { writer, bytes: 0 });
        let failed = |error| Error::io("write the output", error);
        out.write_all(&header.bytes).map_err(failed)?;
        for section in self.plan.sections() {
            self.store.write_section(section, &mut out)?;
        }
        out.flush().map_err(failed)?;
        let bytes = out.get_ref().bytes;
        let expected = header.bytes.len() as u64 + header.level_bytes.iter().sum::<u64>();
        if bytes != expected {
            return Err(ErrorKind::PixelCount { what: "bytes of the file", expected, got: bytes }.into());
        }
        let levels = self
            .plan
            .levels()
            .iter()
            .zip(header.level_bytes)
            .map(|(level, bytes)| LevelSummary {
                width: level.width,
                height: level.height,
                tiles: level.tiles_per_plane() * u64::from(self.plan.grid().planes),
                bytes,
            })
            .collect();
        Ok(Summary { bytes, big_tiff: header.variant == Variant::Big, levels })
    }

    /// Moves finished tiles to the store.
    fn store_finished(&mut self) -> Result<()> {
        for chunk in self.encoder.drain() {
            self.stored += chunk.bytes.len() as u64;
            self.store.append(chunk.section, chunk.bytes)?;
        }
        let limit = Variant::Classic.max_offset();
        if self.plan.big_tiff() == BigTiff::No && self.stored > limit {
            return Err(Error::limit("the size of the classic TIFF asked for, in bytes so far,", self.stored, limit));
        }
        Ok(())
    }
}

/// Checks that a source gives what the plan was made for.
fn check_source(source: &dyn PixelSource, plan: &CogPlan) -> Result<()> {
    let (given, planned) = (source.spec(), plan.spec());
    let shape = |spec: &crate::spec::ImageSpec| (spec.width, spec.height, spec.bands, spec.data_type, spec.mask);
    if shape(given) == shape(planned) {
        return Ok(());
    }
    let say = |(width, height, bands, data_type, mask): (_, _, _, _, bool)| {
        format!("{width}x{height}, {bands} bands, {data_type}, {} mask", if mask { "with" } else { "without" })
    };
    Err(Error::image(format!("the source gives {}, the plan is for {}", say(shape(given)), say(shape(planned)))))
}

/// Counts the bytes that reach a writer.
struct Counted<'a> {
    writer: &'a mut dyn Write,
    bytes: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.writer.write(bytes)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
