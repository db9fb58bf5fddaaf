//! The encoder: rows in, framed tiles out, section by section. Does no IO.

mod assemble;
mod frame;
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

/// Chooses the predictor by the pixels, where [`Predictor::Auto`](crate::Predictor::Auto) leaves that open, just as
/// [`CogEncoder`] does: so that shards of the plan that comes back give the bytes of the local encoder without anybody
/// having to name the predictor. `source` gives the whole image; its first row of tiles alone is read. A plan whose
/// predictor is settled comes back as it is, and nothing is read.
///
/// # Errors
/// [`ErrorKind::InvalidImage`] where the source is not what the plan was made for; what the source returns;
/// [`ErrorKind::OutOfMemory`] where a row of tiles can't be held.
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

/// A batch has at most this many bytes of pixels by default, unless a single row of tiles has more.
pub(crate) const BATCH_BYTES: u64 = 16 << 20;

/// A finished tile with its frame, to be appended to its section.
#[derive(Debug)]
pub struct Chunk {
    /// Where it belongs.
    pub section: SectionId,
    /// Leader, payload and trailer.
    pub bytes: Vec<u8>,
}

/// Takes finished tiles.
pub(crate) trait TakeChunks {
    /// Takes the next one. With the first behind which nothing but full resolution is to come goes the length of the
    /// header, if the sizes of those tiles can't change it. Gives back bytes that it doesn't keep, so that their memory is
    /// used again.
    fn take(&mut self, chunk: Chunk, header_bytes: Option<u64>) -> Result<Option<Vec<u8>>>;

    /// Does something else while there is none; see [`Taker::idle`](crate::executor::Taker::idle).
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

/// Enters finished tiles into the index before they are taken.
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

/// Encodes rows as they come, from top to bottom. What comes out depends on the plan and the pixels alone: not on how
/// rows are cut into stripes, nor on threads.
///
/// # Memory
/// The encoder holds, for each level, one row of tiles before compression, a few rows for the kernel, and at full
/// resolution up to 16 MiB more so that all threads have work: at most about
/// `2 * (row of tiles of full resolution) + 32 MiB`, the compressed tiles of one batch until they are drained, and four
/// bytes a tile for the index. None of it grows with the height of the image but the index.
#[derive(Debug)]
pub struct CogEncoder {
    rows: RowEncoder,
    index: TileIndex,
    /// Where the output is to be read back.
    checksums: Option<TileChecksums>,
    finished: Vec<Chunk>,
}

impl CogEncoder {
    /// An encoder that has seen no rows.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`] where the index of tiles, or the rows of a batch, can't be held;
    /// [`ErrorKind::InvalidOption`] for [finished](crate::Overviews::Finished) overviews.
    pub fn new(plan: CogPlan, executor: Executor) -> Result<Self> {
        Self::with_batch(plan, executor, BATCH_BYTES)
    }

    /// An encoder that takes at most about so many bytes of pixels at once, but at least a row of tiles.
    pub(crate) fn with_batch(plan: CogPlan, executor: Executor, batch_bytes: u64) -> Result<Self> {
        plan.check_computes_overviews()?;
        let index = TileIndex::new(&plan)?;
        let share = Share::whole(&plan);
        let rows = RowEncoder::new(plan, share, executor, batch_bytes)?;
        Ok(Self { rows, index, checksums: None, finished: Vec::new() })
    }

    /// An encoder for levels that are all finished: rows of full resolution come first, then, each after a call of
    /// [`next_level`](Self::next_level), those of the overviews.
    pub(crate) fn level_by_level(plan: CogPlan, executor: Executor, batch_bytes: u64) -> Result<Self> {
        let index = TileIndex::new(&plan)?;
        let share = Share::level(&plan, 0);
        let rows = RowEncoder::new(plan, share, executor, batch_bytes)?;
        Ok(Self { rows, index, checksums: None, finished: Vec::new() })
    }

    /// Goes on to an overview, once all rows of the level before it have come.
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

    /// Takes checksums of the pixels of all tiles from now on.
    pub(crate) fn take_checksums(&mut self) -> Result<()> {
        self.checksums = Some(TileChecksums::new(&self.index)?);
        self.rows.take_checksums();
        Ok(())
    }

    /// The checksums taken so far, if any were asked for; the encoder takes no more.
    pub(crate) fn checksums(&mut self) -> Option<TileChecksums> {
        self.checksums.take()
    }

    /// How many rows the encoder takes next: what is left of a batch, or of the image.
    #[must_use]
    pub fn rows_wanted(&self) -> u32 {
        self.rows.rows_wanted()
    }

    /// How many rows of full resolution have come.
    #[must_use]
    pub fn rows_done(&self) -> u32 {
        self.rows.rows_done()
    }

    /// Takes the next `count` rows, at most [`rows_wanted`](Self::rows_wanted), by letting `fill` write them straight
    /// into the encoder's buffers.
    ///
    /// # Errors
    /// [`ErrorKind::PixelCount`] for more rows than are wanted; what `fill` returns; [`ErrorKind::TileEncode`] for a
    /// tile that can't be encoded; [`ErrorKind::OutOfMemory`]. After an error the encoder is of no further use.
    pub fn fill_rows(&mut self, count: u32, fill: impl FnOnce(&mut Stripe<'_>) -> Result<()>) -> Result<()> {
        self.rows.take_rows(count, fill)?;
        self.encode_and_keep()
    }

    /// Takes rows from a source, at most [`rows_wanted`](Self::rows_wanted).
    ///
    /// # Errors
    /// As [`fill_rows`](Self::fill_rows).
    pub fn pull_rows(&mut self, source: &mut dyn PixelSource, count: u32) -> Result<()> {
        self.take_rows_from(source, count)?;
        self.encode_and_keep()
    }

    /// As [`pull_rows`](Self::pull_rows), but leaves the tiles of a complete batch waiting for
    /// [`encode_waiting`](Self::encode_waiting).
    pub(crate) fn take_rows_from(&mut self, source: &mut dyn PixelSource, count: u32) -> Result<()> {
        self.rows.take_rows_from(source, count)
    }

    /// Encodes the tiles of a complete batch and has them taken, section by section in order; meanwhile the next rows are
    /// read from `source`, if there is one, and room for them.
    pub(crate) fn encode_waiting(
        &mut self,
        source: Option<&mut (dyn PixelSource + '_)>,
        taker: &mut dyn TakeChunks,
    ) -> Result<()> {
        let Self { rows, index, checksums, .. } = self;
        rows.encode_waiting(source, &mut Indexed { index, checksums, taker, header_is_told: false })
    }

    /// Encodes the tiles of a complete batch and keeps them.
    fn encode_and_keep(&mut self) -> Result<()> {
        let mut finished = std::mem::take(&mut self.finished);
        self.encode_waiting(None, &mut finished)?;
        self.finished = finished;
        Ok(())
    }

    /// Takes any number of rows whose bands lie together: (row, column, band), with their mask if the image has one:
    /// one byte per pixel, 0 = invalid.
    ///
    /// # Errors
    /// As [`fill_rows`](Self::fill_rows), and [`ErrorKind::PixelCount`] where the samples or the mask are not whole
    /// rows, are more than the image has left, or the mask is missing; [`ErrorKind::InvalidImage`] where `T` is not
    /// the image's type.
    pub fn push_rows<T: Sample>(&mut self, samples: &[T], mask: Option<&[u8]>) -> Result<()> {
        let spec = self.plan().spec().clone();
        let row_samples = spec.width as usize * usize::from(spec.bands);
        let left = self.rows.rows_left();
        let rows = u32::try_from(samples.len() / row_samples).unwrap_or(u32::MAX);
        if !samples.len().is_multiple_of(row_samples) || rows > left {
            return Err(ErrorKind::PixelCount {
                what: "samples of whole rows that are left of the image, at most",
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

    /// The tiles that have been finished since the last call, each to be appended to its section.
    pub fn drain(&mut self) -> std::vec::IntoIter<Chunk> {
        std::mem::take(&mut self.finished).into_iter()
    }

    /// Takes the bytes of a chunk back that are no longer needed, to use their memory again.
    pub(crate) fn give_back(&self, bytes: Vec<u8>) {
        self.rows.buffers.give(bytes);
    }

    /// The plan; settled in all respects once rows have been encoded.
    pub(crate) fn plan(&self) -> &CogPlan {
        &self.rows.plan
    }

    /// Ends the encoding once all rows have come and all chunks have been drained; the sizes of all tiles remain.
    ///
    /// # Errors
    /// [`ErrorKind::PixelCount`] where rows are missing, or chunks have not been drained.
    pub fn finish(mut self) -> Result<TileIndex> {
        self.check_complete()?;
        if !self.finished.is_empty() {
            let what = "finished tiles that have not been drained";
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
