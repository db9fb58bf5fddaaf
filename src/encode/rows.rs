//! Rows in, framed tiles out: of a whole image, or of a shard of one.

use std::collections::VecDeque;
use std::sync::Mutex;

use crate::buffer::BufferPool;
use crate::codec::{TileEncoder, TileView, choice};
use crate::error::{Error, ErrorKind, Result};
use crate::executor::Executor;
use crate::grid::{Level, Plane, TileId};
use crate::plan::{CogPlan, LevelShare, Share};
use crate::pyramid::{Cascade, LevelRows};
use crate::statistics::{BandSums, MeasuredRows, measure};
use crate::view::{PixelSource, Stripe};

/// A batch has at least this many tiles a thread, so that threads seldom wait for each other.
const TILES_PER_THREAD: u64 = 4;
/// Tiles of the first row of tiles that choose the predictor.
const TILES_TRIED: u32 = 4;
/// Tiles a thread that are encoded before they are handed over, twice as many if they are small: what bounds compressed
/// tiles in memory, and how soon a caller can stop.
const TILES_PER_TURN: usize = 8;
/// Bytes of pixels that a small tile has at most.
const SMALL_TILE: u64 = 256 << 10;

/// A finished tile.
pub(super) struct EncodedTile {
    pub(super) tile: TileId,
    /// The payload's size.
    pub(super) size: u32,
    /// Of its pixels, where checksums are taken.
    pub(super) checksum: Option<u64>,
    /// Leader, payload and trailer.
    pub(super) bytes: Vec<u8>,
}

/// Encodes the tiles of a share as the rows of its first level come, from top to bottom.
#[derive(Debug)]
pub(super) struct RowEncoder {
    pub(super) plan: CogPlan,
    pub(super) executor: Executor,
    share: Share,
    cascade: Cascade,
    /// Rows of the first level that are encoded together.
    batch_rows: u32,
    /// Tiles a thread that are encoded before they are handed over.
    tiles_per_turn: usize,
    /// The next row of the first level, counted from the top of the level.
    next_row: u32,
    /// The first row that the statistics don't hold yet, and what they hold.
    measured_rows: u32,
    sums: Vec<BandSums>,
    /// The next row of tiles of each level of the share.
    next_tile_rows: Vec<u32>,
    /// Tiles whose rows are there, in file order of their sections.
    waiting: VecDeque<TileId>,
    encoders: Mutex<Vec<TileEncoder>>,
    pub(super) buffers: BufferPool,
    /// Whether checksums of the pixels of tiles are taken.
    takes_checksums: bool,
}

impl RowEncoder {
    /// An encoder that takes at most about so many bytes of pixels at once, but at least a row of tiles.
    pub(super) fn new(plan: CogPlan, share: Share, executor: Executor, batch_bytes: u64) -> Result<Self> {
        let base = share.levels.first().ok_or_else(|| Error::image("a part of an image without any pixels"))?;
        let batch_rows = batch_rows(&plan, base, &executor, batch_bytes);
        let mut cascade = Cascade::of(&plan, &share);
        // Room for a whole batch at once: rows may come one by one, and must not grow the buffers one by one.
        cascade.stripe(batch_rows.min(base.window.height()))?;
        Ok(Self {
            cascade,
            executor,
            batch_rows,
            tiles_per_turn: tiles_per_turn(&plan, base),
            next_row: base.window.rows.start,
            measured_rows: base.window.rows.start,
            sums: Vec::new(),
            next_tile_rows: share.levels.iter().map(|level| level.tiles.rows.start).collect(),
            waiting: VecDeque::new(),
            encoders: Mutex::default(),
            buffers: BufferPool::default(),
            takes_checksums: false,
            share,
            plan,
        })
    }

    /// Takes checksums of the pixels of all tiles from now on.
    pub(super) fn take_checksums(&mut self) {
        self.takes_checksums = true;
    }

    /// The part of the first level.
    fn base(&self) -> &LevelShare {
        &self.share.levels[0]
    }

    /// How many rows the encoder takes next: what is left of a batch, or of the share.
    pub(super) fn rows_wanted(&self) -> u32 {
        let in_batch = self.batch_rows - self.next_row % self.batch_rows;
        in_batch.min(self.rows_left())
    }

    /// How many rows have come.
    pub(super) fn rows_done(&self) -> u32 {
        self.next_row - self.base().window.rows.start
    }

    /// How many rows are still to come.
    pub(super) fn rows_left(&self) -> u32 {
        self.base().window.rows.end - self.next_row
    }

    /// Takes the next `count` rows, at most [`rows_wanted`](Self::rows_wanted), and leaves the tiles of a complete
    /// batch waiting for [`encode_some`](Self::encode_some).
    pub(super) fn take_rows(&mut self, count: u32, fill: impl FnOnce(&mut Stripe<'_>) -> Result<()>) -> Result<()> {
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
        if self.next_row.is_multiple_of(self.batch_rows) || self.rows_left() == 0 {
            self.complete_batch()?;
        }
        Ok(())
    }

    /// As [`take_rows`](Self::take_rows), from a source whose first row is the first of the share.
    pub(super) fn take_rows_from(&mut self, source: &mut dyn PixelSource, count: u32) -> Result<()> {
        let (first, executor) = (self.rows_done(), self.executor.clone());
        self.take_rows(count, |stripe| source.read_rows(first, stripe, &executor))
    }

    /// Whether tiles of a complete batch wait to be encoded.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether all tiles of all overviews are encoded.
    pub(super) fn has_all_overviews(&self) -> bool {
        let overviews = self.share.levels.iter().zip(&self.next_tile_rows).skip(1);
        self.share.levels.len() == self.plan.levels().len()
            && overviews.into_iter().all(|(share, &next)| next == share.tiles.rows.end)
            && self.waiting.iter().all(|tile| tile.level == 0)
    }

    /// Encodes some of the waiting tiles; none where none wait. No rows may be taken before all are encoded.
    pub(super) fn encode_some(&mut self) -> Result<Vec<EncodedTile>> {
        let mut turn = self.waiting.len().min(self.tiles_per_turn * self.executor.thread_count());
        if self.rows_left() == 0 {
            // A turn ends where overviews do: what waits can be put in place while the rest is encoded.
            let is_base = |tile: &TileId| tile.level == self.share.base();
            let overviews = self.waiting.iter().position(is_base).filter(|&count| count > 0);
            turn = overviews.map_or(turn, |count| turn.min(count));
        }
        let tiles: Vec<_> = self.waiting.drain(..turn).collect();
        let encoded = self.executor.map(tiles, |tile| self.encode_tile(tile));
        let encoded = encoded.into_iter().collect::<Result<_>>()?;
        if self.waiting.is_empty() {
            let next = self.next_tile_rows.iter().zip(&self.share.levels);
            let next = next.map(|(&next, share)| if next < share.tiles.rows.end { next } else { u32::MAX });
            self.cascade.forget(&next.collect::<Vec<_>>());
        }
        Ok(encoded)
    }

    /// The rows of a level that are held. New ones are there after a batch is complete, until some tiles are encoded.
    pub(super) fn level(&self, level: usize) -> &LevelRows {
        self.cascade.level(level)
    }

    /// What the statistics hold of each band; empty unless the plan asks for them.
    pub(super) fn take_sums(&mut self) -> Vec<BandSums> {
        std::mem::take(&mut self.sums)
    }

    /// Adds the rows of the batch to the statistics, if the plan asks for them: those of full resolution, and never of
    /// shards, whose windows overlap.
    fn measure(&mut self) {
        let first = std::mem::replace(&mut self.measured_rows, self.next_row);
        let count = self.next_row - first;
        if !self.plan.statistics() || count == 0 || self.share.base() > 0 {
            return;
        }
        let spec = self.plan.spec();
        let rows = self.cascade.level(0);
        let threads = u32::try_from(self.executor.thread_count()).unwrap_or(u32::MAX);
        let piece = count.div_ceil(threads);
        let pieces = (first..self.next_row).step_by(piece as usize).collect();
        let measured = self.executor.map(pieces, |top: u32| {
            let height = piece.min(self.next_row - top) as usize;
            let planes = 0..usize::from(self.plan.grid().planes);
            measure(
                spec,
                &MeasuredRows {
                    planes: planes.map(|plane| &rows.plane_from(plane, top)[..height * rows.row_bytes()]).collect(),
                    mask: rows.mask_from(top).map(|mask| &mask[..height * spec.width as usize]),
                },
            )
        });
        for more in measured {
            if self.sums.is_empty() {
                self.sums = more;
            } else {
                self.sums.iter_mut().zip(more).for_each(|(sums, more)| sums.merge(more));
            }
        }
    }

    /// Computes overviews, and queues all tiles whose rows have come.
    fn complete_batch(&mut self) -> Result<()> {
        self.measure();
        if self.plan.predictor_is_open() {
            self.settle_predictor()?;
        }
        self.cascade.advance(&self.executor)?;
        let grid = self.plan.grid();
        // The last batch goes in file order: full resolution can be put in place once all overviews are encoded.
        let mut levels: Vec<_> = self.share.levels.iter().zip(&mut self.next_tile_rows).collect();
        if self.next_row == self.share.levels[0].window.rows.end {
            levels.reverse();
        }
        for (share, next) in levels {
            let level = &share.level;
            let end = self.cascade.level(level.index).end();
            let complete = if end == level.height { level.tile_rows() } else { end / level.tile_size.height };
            for row in *next..complete.min(share.tiles.rows.end) {
                self.waiting.extend(grid.row_tiles(level.index, row, share.tiles.columns.clone()));
                *next = row + 1;
            }
        }
        Ok(())
    }

    /// Chooses the predictor by some tiles of the first row of tiles of full resolution, for all tiles.
    fn settle_predictor(&mut self) -> Result<()> {
        let LevelShare { level, tiles, .. } = self.base();
        let columns = tiles.width();
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

    fn encode_tile(&self, tile: TileId) -> Result<EncodedTile> {
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
        // Of the pixels themselves: what they go through afterwards is what is to be verified.
        let checksum = self.takes_checksums.then(|| match tile.plane {
            Plane::Image(_) => view.checksum(format.samples * format.data_type.size()),
            Plane::Mask => view.mask_checksum(),
        });
        Ok(EncodedTile { tile, size: size.map_err(failed)?, checksum, bytes })
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
            row_stride: rows.width() * pixel,
            row_start: (left - rows.left()) as usize * pixel,
            width: (level.width - left).min(level.tile_size.width) as usize,
            height: (level.height - top).min(level.tile_size.height) as usize,
        })
    }
}

/// Rows of the first level that are encoded together: whole rows of tiles, enough of them to keep all threads busy.
fn batch_rows(plan: &CogPlan, base: &LevelShare, executor: &Executor, batch_bytes: u64) -> u32 {
    let tile_height = base.level.tile_size.height;
    let tiles_per_row = u64::from(base.tiles.width()) * u64::from(plan.grid().planes);
    let wanted = (executor.thread_count() as u64 * TILES_PER_THREAD).div_ceil(tiles_per_row.max(1));
    let spec = plan.spec();
    let row_bytes = u64::from(base.window.width()) * u64::from(spec.bands) * spec.data_type.size() as u64;
    let affordable = batch_bytes / row_bytes.saturating_mul(tile_height.into()).max(1);
    let tile_rows = wanted.min(affordable).clamp(1, u64::from(base.tiles.height()).max(1));
    u32::try_from(tile_rows.saturating_mul(tile_height.into())).unwrap_or(u32::MAX)
}

/// Tiles a thread that are encoded before they are handed over.
fn tiles_per_turn(plan: &CogPlan, base: &LevelShare) -> usize {
    let bytes = plan.tile_format(&base.level, Plane::Image(0)).tile_bytes();
    if bytes.is_some_and(|bytes| bytes <= SMALL_TILE) { 2 * TILES_PER_TURN } else { TILES_PER_TURN }
}
