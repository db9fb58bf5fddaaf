//! Rows in, framed tiles out: of a whole image, or of a shard of one.

use std::collections::VecDeque;
use std::ops::Range;

use crate::buffer::Pool;
use crate::codec::{Padding, TileEncoder, TileView, choice};
use crate::error::{Error, ErrorKind, Result};
use crate::executor::{Beside, Executor, Taker};
use crate::grid::{Level, Plane, SectionId, TileId};
use crate::plan::{CogPlan, LevelShare, Share, TileLen};
use crate::pyramid::{Cascade, LevelRows, RowsAhead};
use crate::statistics::{BandSums, MeasuredPixels, measure, no_sums};
use crate::view::{PixelSource, Stripe};

use super::frame::framed;

/// A batch has at least this many tiles a thread, so that threads seldom wait for each other.
const TILES_PER_THREAD: u64 = 4;
/// Tiles of the first row of tiles that choose the predictor.
const TILES_TRIED: u32 = 4;
/// Tiles a thread that are encoded or wait to be taken, twice as many if they are small: what bounds compressed tiles in
/// memory.
const TILES_PER_THREAD_AT_ONCE: usize = 4;
/// Bytes of pixels that a small tile has at most.
const SMALL_TILE: u64 = 256 << 10;

/// Whether the last batch has its overviews first: of use where tiles wait elsewhere than in memory, which is what takes
/// time to put in place.
pub(crate) const OVERVIEWS_FIRST: bool = cfg!(feature = "spool");

/// A finished tile.
pub(super) struct EncodedTile {
    pub(super) tile: TileId,
    /// Where it belongs.
    pub(super) section: SectionId,
    /// The payload's size.
    pub(super) size: TileLen,
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
    /// Where a second batch fits in memory: room for its rows.
    ahead: Option<RowsAhead>,
    /// Tiles that are encoded or wait to be taken at once.
    tiles_at_once: usize,
    /// The next row of the first level, counted from the top of the level.
    next_row: u32,
    /// The first row that the statistics don't hold yet, and what they hold.
    measured_rows: u32,
    sums: Vec<BandSums>,
    /// The next row of tiles of each level of the share.
    next_tile_rows: Vec<u32>,
    /// Tiles whose rows are there, in file order of their sections.
    waiting: VecDeque<TileId>,
    encoders: Pool<TileEncoder>,
    pub(super) buffers: Pool<Vec<u8>>,
    /// Whether checksums of the pixels of tiles are taken.
    takes_checksums: bool,
    /// The samples outside the image, of each plane.
    paddings: Vec<Padding>,
}

/// Takes finished tiles.
pub(super) trait TakeTiles {
    /// Takes the next one.
    fn take(&mut self, rows: &RowEncoder, tile: EncodedTile) -> Result<()>;

    /// Does something else while there is none; see [`Taker::idle`].
    fn idle(&mut self) -> Result<Beside> {
        Ok(Beside::Nothing)
    }
}

/// What goes on while a batch is encoded.
struct Batch<'a, 's, 't> {
    rows: &'a RowEncoder,
    taker: &'a mut (dyn TakeTiles + 't),
    source: Option<&'a mut (dyn PixelSource + 's)>,
    ahead: Option<RowsAhead>,
}

impl Taker<Result<EncodedTile>> for Batch<'_, '_, '_> {
    fn take(&mut self, tile: Result<EncodedTile>) -> Result<()> {
        self.taker.take(self.rows, tile?)
    }

    /// Rows are read late: what threads have to do then is in small pieces, so that none waits for another's last tile.
    fn idle(&mut self, all_begun: bool) -> Result<Beside> {
        if Executor::PARALLEL
            && all_begun
            && self.rows.rows_wanted() > 0
            && let (Some(source), Some(ahead)) = (&mut self.source, &mut self.ahead)
            && ahead.count() == 0
        {
            self.rows.read_ahead(ahead, *source)?;
            return Ok(Beside::Something);
        }
        self.taker.idle()
    }
}

impl RowEncoder {
    /// An encoder that takes at most about so many bytes of pixels at once, but at least a row of tiles.
    pub(super) fn new(plan: CogPlan, share: Share, executor: Executor, batch_bytes: u64) -> Result<Self> {
        let base = share.levels.first().ok_or_else(|| Error::image("a part of an image without any pixels"))?;
        let batch_rows = batch_rows(&plan, base, &executor, batch_bytes);
        let mut cascade = Cascade::of(&plan, &share);
        let ahead = reads_ahead(&plan, base, &executor, batch_rows, batch_bytes);
        // Room for a whole batch at once: rows may come one by one, and must not grow the buffers one by one.
        cascade.reserve(batch_rows)?;
        Ok(Self {
            ahead: ahead.then(|| cascade.ahead()),
            tiles_at_once: tiles_per_thread(&plan, base) * executor.thread_count(),
            cascade,
            executor,
            batch_rows,
            next_row: base.window.rows.start,
            measured_rows: base.window.rows.start,
            sums: Vec::new(),
            next_tile_rows: share.levels.iter().map(|level| level.tiles.rows.start).collect(),
            waiting: VecDeque::new(),
            encoders: Pool::default(),
            buffers: Pool::default(),
            takes_checksums: false,
            paddings: (0..plan.grid().planes.into())
                .map(|plane: usize| Padding::of(plan.spec(), plane..plane + plan.samples_per_plane()))
                .collect(),
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
    /// batch waiting for [`encode_waiting`](Self::encode_waiting).
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
        self.advance(count)
    }

    /// Counts rows that have come.
    fn advance(&mut self, count: u32) -> Result<()> {
        self.next_row += count;
        let complete = self.next_row.is_multiple_of(self.batch_rows) || self.rows_left() == 0;
        if complete { self.complete_batch() } else { Ok(()) }
    }

    /// As [`take_rows`](Self::take_rows), from a source whose first row is the first of the share; if rows have been read
    /// ahead, it takes these.
    pub(super) fn take_rows_from(&mut self, source: &mut dyn PixelSource, count: u32) -> Result<()> {
        if Executor::PARALLEL
            && let Some(ahead) = self.ahead.as_mut().filter(|ahead| ahead.count() > 0)
        {
            let count = ahead.hand_over(&mut self.cascade);
            self.advance(count)?;
        } else {
            let (first, executor) = (self.rows_done(), self.executor.clone());
            self.take_rows(count, |stripe| source.read_rows(first, stripe, &executor))?;
        }
        // The last two batches are encoded together: what waits can be put in place meanwhile.
        let left = self.rows_left();
        if Executor::PARALLEL
            && (1..=self.batch_rows).contains(&left)
            && !self.waiting.is_empty()
            && let Some(mut ahead) = self.ahead.take()
        {
            self.read_ahead(&mut ahead, source)?;
            let count = ahead.hand_over(&mut self.cascade);
            self.ahead = Some(ahead);
            self.advance(count)?;
        }
        Ok(())
    }

    /// Reads the next rows while those that are here are still in use.
    fn read_ahead(&self, ahead: &mut RowsAhead, source: &mut dyn PixelSource) -> Result<()> {
        let next_tile_row = self.next_needed_tile_rows().next().unwrap_or(u32::MAX);
        let mut stripe = ahead.stripe(&self.cascade, next_tile_row, self.rows_wanted())?;
        source.read_rows(self.rows_done(), &mut stripe, &self.executor)
    }

    /// Of each level, the next row of tiles whose rows must be kept.
    fn next_needed_tile_rows(&self) -> impl Iterator<Item = u32> {
        let next = self.next_tile_rows.iter().zip(&self.share.levels);
        next.map(|(&next, share)| if next < share.tiles.rows.end { next } else { u32::MAX })
    }

    /// Whether nothing but full resolution is still to come, from this tile on.
    pub(super) fn ends_with(&self, tile: TileId) -> bool {
        let levels = self.plan.levels().len();
        // The last batch has overviews first.
        OVERVIEWS_FIRST
            && tile.level == 0
            && self.share.levels.len() == levels
            && (levels == 1 || self.rows_left() == 0)
    }

    /// Encodes the waiting tiles and has them taken in order, and reads the next rows meanwhile if there is a `source`
    /// and room for them.
    pub(super) fn encode_waiting(
        &mut self,
        source: Option<&mut (dyn PixelSource + '_)>,
        taker: &mut (dyn TakeTiles + '_),
    ) -> Result<()> {
        let tiles = std::mem::take(&mut self.waiting);
        // The last batch may need what is left there of the one before.
        let ahead = if self.rows_left() > 0 { self.ahead.take() } else { None };
        let this = &*self;
        let mut batch = Batch { rows: this, taker, source, ahead };
        this.executor.stream(tiles, this.tiles_at_once, |tile| this.encode_tile(tile), &mut batch)?;
        if let Some(ahead) = batch.ahead {
            self.ahead = Some(ahead);
        }
        let needed: Vec<_> = self.next_needed_tile_rows().collect();
        self.cascade.forget(&needed);
        Ok(())
    }

    /// The rows of a level that are held. New ones are there after a batch is complete, until some tiles are encoded.
    pub(super) fn level(&self, level: usize) -> &LevelRows {
        self.cascade.level(level)
    }

    /// What the statistics hold of each band; empty unless the plan asks for them.
    pub(super) fn take_sums(&mut self) -> Vec<BandSums> {
        std::mem::take(&mut self.sums)
    }

    /// Adds the rows of the batch to the statistics, if the plan asks for them and this is full resolution. Each pixel
    /// counts where its tile is encoded: windows of shards overlap, their tiles do not.
    fn measure(&mut self) {
        let LevelShare { level, tiles, .. } = self.base();
        let own = level.pixels_of(tiles);
        let first = std::mem::replace(&mut self.measured_rows, self.next_row).max(own.rows.start);
        let end = self.next_row.min(own.rows.end);
        if !self.plan.statistics() || first >= end || self.share.base() > 0 {
            return;
        }
        let threads = u32::try_from(self.executor.thread_count()).unwrap_or(u32::MAX);
        let piece = (end - first).div_ceil(threads);
        let pieces = (first..end).step_by(piece as usize).collect();
        let measured = self.executor.map(pieces, |top: u32| {
            let mut sums = no_sums(self.plan.spec());
            self.measure_rows(top..end.min(top.saturating_add(piece)), &own.columns, &mut sums);
            sums
        });
        for more in measured {
            if self.sums.is_empty() {
                self.sums = more;
            } else {
                self.sums.iter_mut().zip(more).for_each(|(sums, more)| sums.merge(more));
            }
        }
    }

    /// Adds some columns of some rows of full resolution to the sums.
    fn measure_rows(&self, rows: Range<u32>, columns: &Range<u32>, sums: &mut [BandSums]) {
        let held = self.cascade.level(0);
        let pixel_bytes = held.row_bytes() / held.width();
        let (skip, width) = ((columns.start - held.left()) as usize, columns.len());
        // Full rows are consecutive pixels.
        let height = if width == held.width() { rows.len() } else { 1 };
        for top in rows.step_by(height) {
            let planes = (0..usize::from(self.plan.grid().planes))
                .map(|plane| &held.plane_from(plane, top)[skip * pixel_bytes..][..width * height * pixel_bytes]);
            let mask = held.mask_from(top).map(|mask| &mask[skip..][..width * height]);
            measure(self.plan.spec(), &MeasuredPixels { planes: planes.collect(), mask }, sums);
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
        for (share, next) in self.share.levels.iter().zip(&mut self.next_tile_rows) {
            let level = &share.level;
            let end = self.cascade.level(level.index).end();
            let complete = if end == level.height { level.tile_rows() } else { end / level.tile_size.height };
            for row in *next..complete.min(share.tiles.rows.end) {
                self.waiting.extend(grid.row_tiles(level.index, row, share.tiles.columns.clone()));
                *next = row + 1;
            }
        }
        if OVERVIEWS_FIRST && self.rows_left() == 0 {
            // Full resolution can be put in place once all overviews are encoded.
            let base = self.share.base();
            self.waiting.make_contiguous().sort_by_key(|tile| tile.level == base);
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
        let mut encoder = self.encoders.take();
        let mut bytes = self.buffers.take_empty();
        let size = framed(&mut bytes, |bytes| match tile.plane {
            Plane::Image(_) => encoder.encode(&format, view, bytes),
            Plane::Mask => encoder.encode_mask(&format, view, bytes),
        });
        self.encoders.give(encoder);
        // Of the pixels themselves: what they go through afterwards is what is to be verified.
        let checksum = self.takes_checksums.then(|| match tile.plane {
            Plane::Image(_) => view.checksum(format.samples * format.data_type.size()),
            Plane::Mask => view.mask_checksum(),
        });
        let section = self.plan.grid().section(tile.level, tile.plane);
        Ok(EncodedTile { tile, section, size: size.map_err(failed)?, checksum, bytes })
    }

    /// The rectangle of a tile in the level's buffers.
    fn view(&self, level: &Level, tile: TileId) -> Option<TileView<'_>> {
        let (top, left) = (tile.row * level.tile_size.height, tile.column * level.tile_size.width);
        let rows = match &self.ahead {
            Some(ahead) if Executor::PARALLEL && tile.level == self.share.base() => ahead.rows_with(top, &self.cascade),
            _ => self.cascade.level(tile.level),
        };
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
            padding: match tile.plane {
                Plane::Image(plane) => self.paddings.get(usize::from(plane))?,
                Plane::Mask => &Padding::Any,
            },
            mask: match tile.plane {
                Plane::Image(_) if self.plan.compression_of(level).codec().takes_samples() => rows.mask_from(top),
                _ => None,
            },
        })
    }
}

/// Rows of the first level that are encoded together: whole rows of tiles, enough of them to keep all threads busy.
fn batch_rows(plan: &CogPlan, base: &LevelShare, executor: &Executor, batch_bytes: u64) -> u32 {
    let tile_height = base.level.tile_size.height;
    let tiles_per_row = u64::from(base.tiles.width()) * u64::from(plan.grid().planes);
    let wanted = (executor.thread_count() as u64 * TILES_PER_THREAD).div_ceil(tiles_per_row.max(1));
    let affordable = batch_bytes / row_bytes(plan, base).saturating_mul(tile_height.into()).max(1);
    let tile_rows = wanted.min(affordable).clamp(1, u64::from(base.tiles.height()).max(1));
    u32::try_from(tile_rows.saturating_mul(tile_height.into())).unwrap_or(u32::MAX)
}

/// Whether the rows of the next batch are read while tiles of this one are encoded: where there are threads to wait for
/// each other, and two batches take no more memory than a wide image does anyway.
fn reads_ahead(plan: &CogPlan, base: &LevelShare, executor: &Executor, batch_rows: u32, batch_bytes: u64) -> bool {
    let bytes = row_bytes(plan, base).saturating_mul(batch_rows.into());
    executor.thread_count() > 1 && bytes <= batch_bytes / 2 * 3 && batch_rows < base.window.height()
}

/// Bytes of a row of the first level, all bands.
fn row_bytes(plan: &CogPlan, base: &LevelShare) -> u64 {
    let spec = plan.spec();
    u64::from(base.window.width()) * u64::from(spec.bands) * spec.data_type.size() as u64
}

/// Tiles a thread that are encoded or wait to be taken.
fn tiles_per_thread(plan: &CogPlan, base: &LevelShare) -> usize {
    let bytes = plan.tile_format(&base.level, Plane::Image(0)).tile_bytes();
    let small = bytes.is_some_and(|bytes| bytes <= SMALL_TILE);
    if small { 2 * TILES_PER_THREAD_AT_ONCE } else { TILES_PER_THREAD_AT_ONCE }
}
