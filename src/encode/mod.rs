//! The encoder: rows in, framed tiles out, section by section. Performs no I/O.

mod assemble;
mod batch;
mod drive;
mod finished;
mod frame;
#[cfg(all(feature = "geotiff", feature = "mosaic"))]
mod part;
mod pixels;
mod placement;
mod rows;
mod settle;
mod shard;

use std::ops::Range;

use crate::error::{Error, ErrorKind, Result};
use crate::executor::Executor;
use crate::grid::SectionId;
use crate::options::BigTiff;
use crate::plan::{CogPlan, Share, TileChecksums, TileIndex};
use crate::sample::Sample;
use crate::tiff::variant::Variant;
use crate::view::{PixelSource, SliceSource, Stripe};

pub use assemble::{Assembler, Assembly, Piece};
pub use drive::{Backlog, SectionLayout, TileSink};
use drive::{Event, encode_batch};
pub use finished::{FinishedFile, LevelLoss, LevelSummary, Summary};
#[cfg(all(feature = "geotiff", feature = "mosaic"))]
pub(crate) use part::encode_part;
pub use pixels::{Mosaic, ShardPixels};
pub use placement::PlannedRun;
use rows::{EncodedTile, RowEncoder};
pub use settle::{predictor_windows, settle_predictor, settle_predictor_from_windows};
pub(crate) use shard::check_source;
pub use shard::{ShardOutput, ShardRecord, encode_shard};

/// Default limit on the bytes of pixels in a batch, unless a single row of tiles has more.
pub(crate) const BATCH_BYTES: u64 = 16 << 20;

/// Finished tiles after which the caller hears of the progress.
const TILES_PER_STEP: usize = 16;

/// A finished tile with its frame, to be appended to its section.
#[derive(Debug)]
#[non_exhaustive]
pub struct Chunk {
    /// The section of the tile.
    pub section: SectionId,
    /// Leader, payload, and trailer.
    pub bytes: Vec<u8>,
}

/// The record of finished tiles.
#[derive(Debug)]
struct Ledger {
    index: TileIndex,
    /// Present if the output is to be read back.
    checksums: Option<TileChecksums>,
    /// Bytes of all finished tiles with their leaders and trailers.
    tile_bytes: u64,
    /// True once the layout has been settled or is known to be open.
    is_settled: bool,
}

impl Ledger {
    fn new(plan: &CogPlan) -> Result<Self> {
        Ok(Self { index: TileIndex::new(plan)?, checksums: None, tile_bytes: 0, is_settled: false })
    }

    /// Records the next tile.
    fn record(&mut self, plan: &CogPlan, encoded: &EncodedTile) -> Result<()> {
        let EncodedTile { tile, size, checksum, losses, bytes, .. } = encoded;
        self.index.set(*tile, *size);
        self.index.add_losses(losses);
        if let (Some(checksums), Some(checksum)) = (&mut self.checksums, checksum) {
            checksums.set(*tile, self.index.array_place(*tile), *checksum);
        }
        self.tile_bytes += bytes.len() as u64;
        let limit = Variant::Classic.max_offset();
        if plan.big_tiff() == BigTiff::No && self.tile_bytes > limit {
            let what = "the size of the classic TIFF asked for, in bytes so far,";
            return Err(Error::limit(what, self.tile_bytes, limit));
        }
        Ok(())
    }

    /// Returns the layout of the file, once: before the first tile after which only full resolution remains, if the
    /// sizes of the remaining tiles cannot change it.
    fn settle(&mut self, rows: &RowEncoder, next: &EncodedTile) -> Option<SectionLayout> {
        if self.is_settled || !rows.ends_with(next.tile) {
            return None;
        }
        self.is_settled = true;
        let header_len = rows.plan.settled_header_bytes(&self.index)?;
        Some(SectionLayout { header_len, sections: rows.plan.sections().collect() })
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
    ledger: Ledger,
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
        let levels = plan.levels().len();
        Self::by_levels(plan, levels, executor, batch_bytes)
    }

    /// Creates an encoder for overviews of which some are supplied: takes the rows of full resolution and computes the
    /// levels before `end` from them. Each call to [`next_levels`](Self::next_levels) continues with a supplied overview.
    pub(crate) fn by_levels(plan: CogPlan, end: usize, executor: Executor, batch_bytes: u64) -> Result<Self> {
        let (ledger, share) = (Ledger::new(&plan)?, Share::levels(&plan, 0..end));
        let rows = RowEncoder::new(plan, share, executor, batch_bytes)?;
        Ok(Self { rows, ledger, finished: Vec::new() })
    }

    /// Continues with the rows of an overview and the levels that are computed from them, once all rows of the levels
    /// before have been passed.
    pub(crate) fn next_levels(&mut self, levels: Range<usize>, batch_bytes: u64) -> Result<()> {
        self.check_complete()?;
        let (plan, executor) = (self.plan().clone(), self.rows.executor.clone());
        self.ledger.index.add_sums(self.rows.take_sums());
        let share = Share::levels(&plan, levels);
        self.rows = RowEncoder::new(plan, share, executor, batch_bytes)?;
        if self.ledger.checksums.is_some() {
            self.rows.take_checksums();
        }
        Ok(())
    }

    /// Starts computing checksums of the pixels of all tiles.
    pub(crate) fn take_checksums(&mut self) -> Result<()> {
        self.ledger.checksums = Some(TileChecksums::new(&self.ledger.index)?);
        self.rows.take_checksums();
        Ok(())
    }

    /// Takes the checksums out of the encoder, if they were enabled; it computes no more.
    pub(crate) fn checksums(&mut self) -> Option<TileChecksums> {
        self.ledger.checksums.take()
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

    /// Takes rows from a source, at most [`rows_wanted`](Self::rows_wanted), and leaves the tiles of a complete batch
    /// queued for [`encode_waiting`](Self::encode_waiting).
    pub(crate) fn take_rows_from(&mut self, source: &mut dyn PixelSource, count: u32) -> Result<()> {
        self.rows.take_rows_from(source, count)
    }

    /// Encodes the queued tiles of a complete batch and appends them to `sink`, in order within each section. If there
    /// is a `source` and memory for it, the next rows are read meanwhile. `step` is called after every few tiles; its
    /// errors stop the work.
    pub(crate) fn encode_waiting(
        &mut self,
        source: Option<&mut (dyn PixelSource + '_)>,
        sink: &mut dyn TileSink,
        step: &mut dyn FnMut() -> Result<()>,
    ) -> Result<()> {
        let Self { rows, ledger, .. } = self;
        let mut tiles = 0usize;
        encode_batch(rows, source, &mut |rows, event| {
            let Event::Tile(tile) = event else { return sink.advance() };
            if let Some(layout) = ledger.settle(rows, tile) {
                sink.settle(&layout)?;
            }
            ledger.record(&rows.plan, tile)?;
            if !tile.bytes.is_empty() {
                sink.append(tile.section, &tile.bytes)?;
            }
            tiles += 1;
            if tiles.is_multiple_of(TILES_PER_STEP) {
                step()?;
            }
            Ok(Backlog::Empty)
        })
    }

    /// Encodes the queued tiles of a complete batch and keeps them.
    fn encode_and_keep(&mut self) -> Result<()> {
        let Self { rows, ledger, finished } = self;
        encode_batch(rows, None, &mut |rows, event| {
            if let Event::Tile(tile) = event {
                ledger.record(&rows.plan, tile)?;
                if !tile.bytes.is_empty() {
                    finished.push(Chunk { section: tile.section, bytes: std::mem::take(&mut tile.bytes) });
                }
            }
            Ok(Backlog::Empty)
        })
    }

    /// Takes any number of pixel-interleaved rows (row, column, band), with their mask if the image has one: one byte
    /// per pixel, 0 = invalid.
    ///
    /// # Errors
    /// The same as for [`fill_rows`](Self::fill_rows); also [`ErrorKind::PixelCount`] if the samples or the mask are
    /// not whole rows or exceed the image, or if the mask is missing, and [`ErrorKind::InvalidImage`] if `T` is not the
    /// image's type.
    pub fn push_rows<T: Sample>(&mut self, samples: &[T], mask: Option<&[u8]>) -> Result<()> {
        self.push_rows_into(samples, mask, &mut Self::encode_and_keep)
    }

    /// As [`push_rows`](Self::push_rows); `encode` encodes the tiles of a complete batch.
    pub(crate) fn push_rows_into<T: Sample>(
        &mut self,
        samples: &[T],
        mask: Option<&[u8]>,
        encode: &mut dyn FnMut(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let spec = self.plan().source_spec().clone();
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
            self.rows.take_rows(count, |stripe| source.read_rows(taken, stripe, &executor))?;
            encode(self)?;
            taken += count;
        }
        Ok(())
    }

    /// Takes the tiles finished since the last call, each to be appended to its section.
    pub fn drain(&mut self) -> std::vec::IntoIter<Chunk> {
        std::mem::take(&mut self.finished).into_iter()
    }

    /// Returns the plan; fully settled once rows have been encoded.
    pub(crate) fn plan(&self) -> &CogPlan {
        &self.rows.plan
    }

    /// Completes the encoding once all rows have been passed and all chunks drained. The file is the header followed by
    /// the chunks of each section, in the order of [`FinishedFile::sections`].
    ///
    /// # Errors
    /// Returns [`ErrorKind::PixelCount`] if rows are missing or chunks have not been drained, and [`ErrorKind::Limit`] if
    /// classic TIFF was requested and the file is larger than 4 GiB.
    pub fn finish(mut self) -> Result<FinishedFile> {
        self.check_complete()?;
        if !self.finished.is_empty() {
            let what = "finished tiles left to drain";
            return Err(ErrorKind::PixelCount { what, expected: 0, got: self.finished.len() as u64 }.into());
        }
        self.ledger.index.add_sums(self.rows.take_sums());
        FinishedFile::new(self.plan(), &self.ledger.index)
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
