//! The encoder: rows in, framed tiles out, section by section. Does no IO.

use std::collections::VecDeque;
use std::sync::Mutex;

use crate::buffer::BufferPool;
use crate::codec::{TileEncoder, TileView, choice};
use crate::error::{Error, ErrorKind, Result};
use crate::executor::Executor;
use crate::grid::{Level, Plane, SectionId, TileId};
use crate::plan::{CogPlan, TileIndex};
use crate::pyramid::Cascade;
use crate::sample::Sample;
use crate::view::{PixelSource, SliceSource, Stripe};

/// A batch has at least this many tiles a thread, so that threads seldom wait for each other.
const TILES_PER_THREAD: u64 = 4;
/// Tiles of the first row of tiles that choose the predictor.
const TILES_TRIED: u32 = 4;
/// Tiles a thread that are encoded before they are handed over: what bounds compressed tiles in memory, and how soon a
/// caller can stop.
const TILES_PER_TURN: usize = 8;
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
    plan: CogPlan,
    executor: Executor,
    cascade: Cascade,
    index: TileIndex,
    /// Rows of full resolution that are encoded together.
    batch_rows: u32,
    next_row: u32,
    /// The next row of tiles of each level.
    next_tile_rows: Vec<u32>,
    /// Tiles whose rows are there, in file order of their sections.
    waiting: VecDeque<TileId>,
    encoders: Mutex<Vec<TileEncoder>>,
    finished: Vec<Chunk>,
    buffers: BufferPool,
}

impl CogEncoder {
    /// An encoder that has seen no rows.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`] where the index of tiles, or the rows of a batch, can't be held.
    pub fn new(plan: CogPlan, executor: Executor) -> Result<Self> {
        Self::with_batch(plan, executor, BATCH_BYTES)
    }

    /// An encoder that takes at most about so many bytes of pixels at once, but at least a row of tiles.
    pub(crate) fn with_batch(plan: CogPlan, executor: Executor, batch_bytes: u64) -> Result<Self> {
        let index = TileIndex::new(&plan)?;
        let batch_rows = batch_rows(&plan, &executor, batch_bytes);
        let levels = plan.levels().len();
        let mut cascade = Cascade::new(&plan);
        // Room for a whole batch at once: rows may come one by one, and must not grow the buffers one by one.
        cascade.stripe(batch_rows.min(plan.spec().height))?;
        Ok(Self {
            cascade,
            plan,
            executor,
            index,
            batch_rows,
            next_row: 0,
            next_tile_rows: vec![0; levels],
            waiting: VecDeque::new(),
            encoders: Mutex::default(),
            finished: Vec::new(),
            buffers: BufferPool::default(),
        })
    }

    /// How many rows the encoder takes next: what is left of a batch, or of the image.
    #[must_use]
    pub fn rows_wanted(&self) -> u32 {
        let in_batch = self.batch_rows - self.next_row % self.batch_rows;
        in_batch.min(self.plan.spec().height - self.next_row)
    }

    /// How many rows of full resolution have come.
    #[must_use]
    pub fn rows_done(&self) -> u32 {
        self.next_row
    }

    /// Takes the next `count` rows, at most [`rows_wanted`](Self::rows_wanted), by letting `fill` write them straight
    /// into the encoder's buffers.
    ///
    /// # Errors
    /// [`ErrorKind::PixelCount`] for more rows than are wanted; what `fill` returns; [`ErrorKind::TileEncode`] for a
    /// tile that can't be encoded; [`ErrorKind::OutOfMemory`]. After an error the encoder is of no further use.
    pub fn fill_rows(&mut self, count: u32, fill: impl FnOnce(&mut Stripe<'_>) -> Result<()>) -> Result<()> {
        self.take_rows(count, fill)?;
        while self.encode_some()? {}
        Ok(())
    }

    /// As [`fill_rows`](Self::fill_rows), but leaves the tiles of a complete batch waiting for
    /// [`encode_some`](Self::encode_some).
    fn take_rows(&mut self, count: u32, fill: impl FnOnce(&mut Stripe<'_>) -> Result<()>) -> Result<()> {
        let wanted = self.rows_wanted();
        if count > wanted {
            let (expected, got) = (wanted.into(), count.into());
            return Err(ErrorKind::PixelCount { what: "rows of the image", expected, got }.into());
        }
        if count == 0 {
            return Ok(());
        }
        fill(&mut self.cascade.stripe(count)?)?;
        self.cascade.commit(count);
        self.next_row += count;
        if self.next_row.is_multiple_of(self.batch_rows) || self.next_row == self.plan.spec().height {
            self.complete_batch()?;
        }
        Ok(())
    }

    /// Takes rows from a source, at most [`rows_wanted`](Self::rows_wanted).
    ///
    /// # Errors
    /// As [`fill_rows`](Self::fill_rows).
    pub fn pull_rows(&mut self, source: &mut dyn PixelSource, count: u32) -> Result<()> {
        self.take_rows_from(source, count)?;
        while self.encode_some()? {}
        Ok(())
    }

    /// As [`pull_rows`](Self::pull_rows), but leaves the tiles of a complete batch waiting for
    /// [`encode_some`](Self::encode_some).
    pub(crate) fn take_rows_from(&mut self, source: &mut dyn PixelSource, count: u32) -> Result<()> {
        let (first, executor) = (self.next_row, self.executor.clone());
        self.take_rows(count, |stripe| source.read_rows(first, stripe, &executor))
    }

    /// Encodes some of the waiting tiles; whether there were any. No rows may be taken before all are encoded.
    pub(crate) fn encode_some(&mut self) -> Result<bool> {
        let turn = self.waiting.len().min(TILES_PER_TURN * self.executor.thread_count());
        if turn == 0 {
            return Ok(false);
        }
        let tiles = self.waiting.drain(..turn).collect();
        let encoded = self.executor.map(tiles, |tile| self.encode_tile(tile));
        for result in encoded {
            let (tile, size, bytes) = result?;
            self.index.set(tile, size);
            self.finished.push(Chunk { section: self.plan.grid().section(tile.level, tile.plane), bytes });
        }
        if self.waiting.is_empty() {
            self.cascade.forget(&self.next_tile_rows);
        }
        Ok(true)
    }

    /// Takes any number of rows whose bands lie together: (row, column, band), with their mask if the image has one:
    /// one byte per pixel, 0 = invalid.
    ///
    /// # Errors
    /// As [`fill_rows`](Self::fill_rows), and [`ErrorKind::PixelCount`] where the samples or the mask are not whole
    /// rows, are more than the image has left, or the mask is missing; [`ErrorKind::InvalidImage`] where `T` is not
    /// the image's type.
    pub fn push_rows<T: Sample>(&mut self, samples: &[T], mask: Option<&[u8]>) -> Result<()> {
        let spec = self.plan.spec().clone();
        let row_samples = spec.width as usize * usize::from(spec.bands);
        let left = spec.height - self.next_row;
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
            let executor = self.executor.clone();
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
        self.buffers.give(bytes);
    }

    /// The plan; settled in all respects once rows have been encoded.
    pub(crate) fn plan(&self) -> &CogPlan {
        &self.plan
    }

    /// Ends the encoding once all rows have come and all chunks have been drained; the sizes of all tiles remain.
    ///
    /// # Errors
    /// [`ErrorKind::PixelCount`] where rows are missing, or chunks have not been drained.
    pub fn finish(self) -> Result<TileIndex> {
        let height = self.plan.spec().height;
        if self.next_row < height {
            let (expected, got) = (height.into(), self.next_row.into());
            return Err(ErrorKind::PixelCount { what: "rows of the image", expected, got }.into());
        }
        if !self.finished.is_empty() {
            let what = "finished tiles that have not been drained";
            return Err(ErrorKind::PixelCount { what, expected: 0, got: self.finished.len() as u64 }.into());
        }
        Ok(self.index)
    }

    /// Computes overviews, and queues all tiles whose rows have come.
    fn complete_batch(&mut self) -> Result<()> {
        if self.plan.predictor_is_open() {
            self.settle_predictor()?;
        }
        self.cascade.advance(&self.executor)?;
        let grid = self.plan.grid();
        for (level, next) in self.plan.levels().iter().zip(&mut self.next_tile_rows) {
            let end = self.cascade.level(level.index).end();
            let complete = if end == level.height { level.tile_rows() } else { end / level.tile_size.height };
            for row in *next..complete {
                self.waiting.extend(grid.row_tiles(level, row));
            }
            *next = complete;
        }
        Ok(())
    }

    /// Chooses the predictor by some tiles of the first row of tiles of full resolution, for all tiles.
    fn settle_predictor(&mut self) -> Result<()> {
        let Some(level) = self.plan.levels().first() else { return Ok(()) };
        let columns = level.tile_columns();
        let planes = u32::from(self.plan.grid().planes);
        let spread = |count: u32| (0..count.min(TILES_TRIED)).map(move |place| place * count / count.min(TILES_TRIED));
        let places = spread(columns * planes.min(TILES_TRIED));
        let tiles = places.map(|place| {
            let plane = u16::try_from(place % planes.min(TILES_TRIED)).unwrap_or(0);
            TileId { level: 0, plane: Plane::Image(plane), row: 0, column: place / planes.min(TILES_TRIED) }
        });
        let views: Vec<_> = tiles.filter_map(|tile| self.view(level, tile)).collect();
        let format = self.plan.tile_format(level, Plane::Image(0));
        let predictor = choice::predictor(&format, &views)
            .map_err(|reason| Error::from(ErrorKind::TileEncode { level: 0, row: 0, column: 0, reason }))?;
        self.plan.settle_predictor(predictor);
        Ok(())
    }

    fn encode_tile(&self, tile: TileId) -> Result<(TileId, u32, Vec<u8>)> {
        if self.executor.is_cancelled() {
            return Err(ErrorKind::Cancelled.into());
        }
        let failed = |reason: String| {
            let TileId { level, row, column, .. } = tile;
            Error::from(ErrorKind::TileEncode { level, row, column, reason })
        };
        let level = &self.plan.levels()[tile.level];
        let format = self.plan.tile_format(level, tile.plane);
        let view = self.view(level, tile).ok_or_else(|| failed("its rows are not in memory".to_owned()))?;
        let mut encoder = self.lock_encoders().pop().unwrap_or_default();
        let mut bytes = self.buffers.take();
        let size = match tile.plane {
            Plane::Image(_) => encoder.encode(&format, view, &mut bytes),
            Plane::Mask => encoder.encode_mask(&format, view, &mut bytes),
        };
        self.lock_encoders().push(encoder);
        Ok((tile, size.map_err(failed)?, bytes))
    }

    /// Encoders hold nothing but scratch memory: one left behind by a panic is as good as any.
    fn lock_encoders(&self) -> std::sync::MutexGuard<'_, Vec<TileEncoder>> {
        self.encoders.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The rectangle of a tile in the level's buffers.
    fn view(&self, level: &Level, tile: TileId) -> Option<TileView<'_>> {
        let rows = self.cascade.level(tile.level);
        let (top, left) = (tile.row * level.tile_size.height, tile.column * level.tile_size.width);
        let pixel = match tile.plane {
            Plane::Image(_) => self.plan.samples_per_plane() * self.plan.spec().data_type.size(),
            Plane::Mask => 1,
        };
        Some(TileView {
            rows: match tile.plane {
                Plane::Image(plane) => rows.plane_from(plane.into(), top),
                Plane::Mask => rows.mask_from(top)?,
            },
            row_stride: level.width as usize * pixel,
            row_start: left as usize * pixel,
            width: (level.width - left).min(level.tile_size.width) as usize,
            height: (level.height - top).min(level.tile_size.height) as usize,
        })
    }
}

/// Rows of full resolution that are encoded together: whole rows of tiles, enough of them to keep all threads busy.
fn batch_rows(plan: &CogPlan, executor: &Executor, batch_bytes: u64) -> u32 {
    let level = &plan.levels()[0];
    let tiles_per_row = u64::from(level.tile_columns()) * u64::from(plan.grid().planes);
    let wanted = (executor.thread_count() as u64 * TILES_PER_THREAD).div_ceil(tiles_per_row.max(1));
    let spec = plan.spec();
    let row_bytes = u64::from(spec.width) * u64::from(spec.bands) * spec.data_type.size() as u64;
    let affordable = batch_bytes / row_bytes.saturating_mul(level.tile_size.height.into()).max(1);
    let tile_rows = wanted.min(affordable).clamp(1, level.tile_rows().into());
    u32::try_from(tile_rows.saturating_mul(level.tile_size.height.into())).unwrap_or(u32::MAX)
}
