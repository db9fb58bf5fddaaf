//! The encoder: rows in, framed tiles out, section by section. Performs no I/O.

mod assemble;
mod pixels;
mod rows;
mod shard;

use crate::error::{ErrorKind, Result};
use crate::executor::{Beside, Executor};
use crate::grid::SectionId;
use crate::plan::{CogPlan, Share, TileChecksums, TileIndex};
use crate::sample::Sample;
use crate::view::{PixelSource, SliceSource, Stripe};

pub use assemble::{Assembler, Assembly, Piece};
pub use pixels::{Mosaic, ShardPixels};
pub(crate) use rows::OVERVIEWS_FIRST;
use rows::{EncodedTile, RowEncoder, TakeTiles};
pub use shard::{ShardOutput, ShardRecord, encode_shard};

/// Settles [`Predictor::Auto`](crate::Predictor::Auto) from the pixels, exactly as [`CogEncoder`] does. Shards of the
/// returned plan then give the same bytes as the local encoder, without naming the predictor. `source` provides the
/// whole image, but only its first row of tiles is read. If the predictor is already settled, returns the plan
/// unchanged and reads nothing.
///
/// # Errors
/// Returns [`ErrorKind::InvalidImage`] if the source does not match the plan, [`ErrorKind::OutOfMemory`] if a row of
/// tiles does not fit in memory, and any error of the source.
pub fn settle_predictor(plan: &CogPlan, source: &mut dyn PixelSource, executor: &Executor) -> Result<CogPlan> {
    if !plan.predictor_is_open() {
        return Ok(plan.clone());
    }
    let spec = plan.spec();
    shard::check_source(plan, (spec.width, spec.height), "the image", source)?;
    let mut rows = RowEncoder::new(plan.clone(), Share::first_tiles(plan), executor.clone(), BATCH_BYTES)?;
    while rows.rows_left() > 0 {
        rows.take_rows_from(source, rows.rows_wanted())?;
    }
    Ok(rows.plan)
}

/// Default limit on the bytes of pixels in a batch, unless a single row of tiles has more.
pub(crate) const BATCH_BYTES: u64 = 16 << 20;

/// A finished tile with its leader and trailer, to be appended to its section.
#[derive(Debug)]
pub struct Chunk {
    /// The section of the tile.
    pub section: SectionId,
    /// Leader, payload, and trailer.
    pub bytes: Vec<u8>,
}

/// Receives finished tiles.
pub(crate) trait TakeChunks {
    /// Takes the next tile. `header_bytes` is set on the first tile after which only full-resolution tiles remain, if
    /// the header length is then final. Returns a buffer that is not kept, for reuse.
    fn take(&mut self, chunk: Chunk, header_bytes: Option<u64>) -> Result<Option<Vec<u8>>>;

    /// Does other work while no tile is ready; see [`Taker::idle`](crate::executor::Taker::idle).
    fn idle(&mut self) -> Result<Beside> {
        Ok(Beside::Nothing)
    }
}

impl TakeChunks for Vec<Chunk> {
    fn take(&mut self, chunk: Chunk, _: Option<u64>) -> Result<Option<Vec<u8>>> {
        self.push(chunk);
        Ok(None)
    }
}

/// Records finished tiles in the index before passing them on.
struct Indexed<'a> {
    index: &'a mut TileIndex,
    checksums: &'a mut Option<TileChecksums>,
    taker: &'a mut dyn TakeChunks,
    header_is_told: bool,
}

impl TakeTiles for Indexed<'_> {
    fn take(&mut self, rows: &RowEncoder, encoded: EncodedTile) -> Result<()> {
        let EncodedTile { tile, section, size, checksum, bytes } = encoded;
        let tells = !self.header_is_told && rows.ends_with(tile);
        self.header_is_told |= tells;
        let header_bytes = if tells { rows.plan.settled_header_bytes(self.index) } else { None };
        self.index.set(tile, size);
        if let (Some(checksums), Some(checksum)) = (&mut self.checksums, checksum) {
            checksums.set(tile, self.index.array_place(tile), checksum);
        }
        if let Some(bytes) = self.taker.take(Chunk { section, bytes }, header_bytes)? {
            rows.buffers.give(bytes);
        }
        Ok(())
    }

    fn idle(&mut self) -> Result<Beside> {
        self.taker.idle()
    }
}

/// Encodes rows in order, from top to bottom. The output depends only on the plan and the pixels, not on the number of
/// threads or on how rows are split into stripes.
///
/// # Memory
/// For each level, the encoder holds one row of uncompressed tiles and a few rows for the kernel, and at full
/// resolution up to 16 MiB more to keep all threads busy: at most about `2 * (row of tiles of full resolution) + 32
/// MiB`. In addition, it holds the compressed tiles of one batch until they are drained, and four bytes per tile for
/// the index. Only the index grows with the height of the image.
#[derive(Debug)]
pub struct CogEncoder {
    rows: RowEncoder,
    index: TileIndex,
    /// Checksums of the pixels, if the output is verified.
    checksums: Option<TileChecksums>,
    finished: Vec<Chunk>,
}

impl CogEncoder {
    /// Creates an encoder.
    ///
    /// # Errors
    /// Returns [`ErrorKind::OutOfMemory`] if the tile index or the rows of a batch do not fit in memory, and
    /// [`ErrorKind::InvalidOption`] for [finished](crate::Overviews::Finished) overviews.
    pub fn new(plan: CogPlan, executor: Executor) -> Result<Self> {
        Self::with_batch(plan, executor, BATCH_BYTES)
    }

    /// Creates an encoder that takes about `batch_bytes` bytes of pixels at once, but at least a row of tiles.
    pub(crate) fn with_batch(plan: CogPlan, executor: Executor, batch_bytes: u64) -> Result<Self> {
        plan.check_computes_overviews()?;
        let index = TileIndex::new(&plan)?;
        let share = Share::whole(&plan);
        let rows = RowEncoder::new(plan, share, executor, batch_bytes)?;
        Ok(Self { rows, index, checksums: None, finished: Vec::new() })
    }

    /// Creates an encoder for levels that are all finished: the rows of full resolution come first, then those of each
    /// overview, each after a call to [`next_level`](Self::next_level).
    pub(crate) fn level_by_level(plan: CogPlan, executor: Executor, batch_bytes: u64) -> Result<Self> {
        let index = TileIndex::new(&plan)?;
        let share = Share::level(&plan, 0);
        let rows = RowEncoder::new(plan, share, executor, batch_bytes)?;
        Ok(Self { rows, index, checksums: None, finished: Vec::new() })
    }

    /// Continues with an overview, once all rows of the level before it have been passed.
    pub(crate) fn next_level(&mut self, level: usize, batch_bytes: u64) -> Result<()> {
        self.check_complete()?;
        let (plan, executor) = (self.plan().clone(), self.rows.executor.clone());
        self.index.add_sums(self.rows.take_sums());
        let share = Share::level(&plan, level);
        self.rows = RowEncoder::new(plan, share, executor, batch_bytes)?;
        if self.checksums.is_some() {
            self.rows.take_checksums();
        }
        Ok(())
    }

    /// Starts computing checksums of the pixels of all tiles.
    pub(crate) fn take_checksums(&mut self) -> Result<()> {
        self.checksums = Some(TileChecksums::new(&self.index)?);
        self.rows.take_checksums();
        Ok(())
    }

    /// Takes the checksums out of the encoder, if they were enabled; it computes no more.
    pub(crate) fn checksums(&mut self) -> Option<TileChecksums> {
        self.checksums.take()
    }

    /// Returns the number of rows to pass next: the rest of a batch, or of the image.
    #[must_use]
    pub fn rows_wanted(&self) -> u32 {
        self.rows.rows_wanted()
    }

    /// Returns the number of full-resolution rows passed so far.
    #[must_use]
    pub fn rows_done(&self) -> u32 {
        self.rows.rows_done()
    }

    /// Takes the next `count` rows, at most [`rows_wanted`](Self::rows_wanted); `fill` writes them directly into the
    /// encoder's buffers.
    ///
    /// # Errors
    /// Returns [`ErrorKind::PixelCount`] for more rows than wanted, [`ErrorKind::TileEncode`] if a tile cannot be
    /// encoded, [`ErrorKind::OutOfMemory`], or the error of `fill`. After an error, the encoder can no longer be used.
    pub fn fill_rows(&mut self, count: u32, fill: impl FnOnce(&mut Stripe<'_>) -> Result<()>) -> Result<()> {
        self.rows.take_rows(count, fill)?;
        self.encode_and_keep()
    }

    /// Takes rows from a source, at most [`rows_wanted`](Self::rows_wanted).
    ///
    /// # Errors
    /// The same as for [`fill_rows`](Self::fill_rows).
    pub fn pull_rows(&mut self, source: &mut dyn PixelSource, count: u32) -> Result<()> {
        self.take_rows_from(source, count)?;
        self.encode_and_keep()
    }

    /// Like [`pull_rows`](Self::pull_rows), but leaves the tiles of a complete batch queued for
    /// [`encode_waiting`](Self::encode_waiting).
    pub(crate) fn take_rows_from(&mut self, source: &mut dyn PixelSource, count: u32) -> Result<()> {
        self.rows.take_rows_from(source, count)
    }

    /// Encodes the queued tiles of a complete batch and passes them to `taker`, in order within each section. If there
    /// is a `source` and memory for it, the next rows are read meanwhile.
    pub(crate) fn encode_waiting(
        &mut self,
        source: Option<&mut (dyn PixelSource + '_)>,
        taker: &mut dyn TakeChunks,
    ) -> Result<()> {
        let Self { rows, index, checksums, .. } = self;
        rows.encode_waiting(source, &mut Indexed { index, checksums, taker, header_is_told: false })
    }

    /// Encodes the queued tiles of a complete batch and keeps them.
    fn encode_and_keep(&mut self) -> Result<()> {
        let mut finished = std::mem::take(&mut self.finished);
        self.encode_waiting(None, &mut finished)?;
        self.finished = finished;
        Ok(())
    }

    /// Takes any number of pixel-interleaved rows (row, column, band), with their mask if the image has one: one byte
    /// per pixel, 0 = invalid.
    ///
    /// # Errors
    /// The same as for [`fill_rows`](Self::fill_rows); also [`ErrorKind::PixelCount`] if the samples or the mask are
    /// not whole rows or exceed the image, or if the mask is missing, and [`ErrorKind::InvalidImage`] if `T` is not the
    /// image's type.
    pub fn push_rows<T: Sample>(&mut self, samples: &[T], mask: Option<&[u8]>) -> Result<()> {
        let spec = self.plan().spec().clone();
        let row_samples = spec.width as usize * usize::from(spec.bands);
        let left = self.rows.rows_left();
        let rows = u32::try_from(samples.len() / row_samples).unwrap_or(u32::MAX);
        if !samples.len().is_multiple_of(row_samples) || rows > left {
            return Err(ErrorKind::PixelCount {
                what: "samples, in whole rows and at most the rest of the image",
                expected: u64::from(left) * row_samples as u64,
                got: samples.len() as u64,
            }
            .into());
        }
        if spec.mask != mask.is_some() {
            let expected = if spec.mask { u64::from(rows) * u64::from(spec.width) } else { 0 };
            let got = mask.map_or(0, <[u8]>::len) as u64;
            return Err(ErrorKind::PixelCount { what: "pixels of the mask", expected, got }.into());
        }
        if rows == 0 {
            return Ok(());
        }
        let mut source = SliceSource::new(crate::spec::ImageSpec { height: rows, ..spec }, samples)?;
        if let Some(mask) = mask {
            source = source.with_mask(mask)?;
        }
        let mut taken = 0;
        while taken < rows {
            let count = self.rows_wanted().min(rows - taken);
            let executor = self.rows.executor.clone();
            self.fill_rows(count, |stripe| source.read_rows(taken, stripe, &executor))?;
            taken += count;
        }
        Ok(())
    }

    /// Takes the tiles finished since the last call, each to be appended to its section.
    pub fn drain(&mut self) -> std::vec::IntoIter<Chunk> {
        std::mem::take(&mut self.finished).into_iter()
    }

    /// Returns the buffer of a chunk to the encoder for reuse.
    pub(crate) fn give_back(&self, bytes: Vec<u8>) {
        self.rows.buffers.give(bytes);
    }

    /// Returns the plan; fully settled once rows have been encoded.
    pub(crate) fn plan(&self) -> &CogPlan {
        &self.rows.plan
    }

    /// Completes the encoding once all rows have been passed and all chunks drained. Returns the sizes of all tiles.
    ///
    /// # Errors
    /// Returns [`ErrorKind::PixelCount`] if rows are missing or chunks have not been drained.
    pub fn finish(mut self) -> Result<TileIndex> {
        self.check_complete()?;
        if !self.finished.is_empty() {
            let what = "finished tiles left to drain";
            return Err(ErrorKind::PixelCount { what, expected: 0, got: self.finished.len() as u64 }.into());
        }
        self.index.add_sums(self.rows.take_sums());
        Ok(self.index)
    }

    /// Checks that no rows are missing.
    fn check_complete(&self) -> Result<()> {
        let (left, got) = (self.rows.rows_left(), self.rows.rows_done().into());
        if left > 0 {
            return Err(
                ErrorKind::PixelCount { what: "rows of the image", expected: got + u64::from(left), got }.into()
            );
        }
        Ok(())
    }
}
