//! The row encoder: rows of an image or of a shard in, framed tiles out.

use std::collections::VecDeque;
use std::ops::Range;

use crate::buffer::Pool;
use crate::codec::{Padding, TileEncoder, TileFormat, TileView, count_nodata};
use crate::error::{Error, ErrorKind, Result};
use crate::executor::Executor;
use crate::grid::{Level, Plane, Rectangle, SectionId, TileId};
use crate::plan::{CogPlan, LevelShare, Losses, Share, TileLen};
#[cfg(all(feature = "geotiff", feature = "mosaic"))]
use crate::pyramid::PartialCascade;
use crate::pyramid::{Cascade, LevelRows, RowsAhead};
use crate::statistics::{BandSums, MeasuredPixels, measure, measure_repeated, no_sums};
use crate::view::{NodataRule, PixelSource, Stripe};

use super::batch::{batch_rows, fill_stripe, reads_ahead, tiles_per_thread};
use super::frame::framed;
use super::settle;

/// A finished tile.
pub(super) struct EncodedTile {
    pub(super) tile: TileId,
    /// The section of the tile.
    pub(super) section: SectionId,
    /// The payload size.
    pub(super) size: TileLen,
    /// The checksum of its decoded pixels, if checksums are enabled.
    pub(super) checksum: Option<u64>,
    /// The loss of a lossy codec.
    pub(super) losses: Losses,
    /// Leader, payload, and trailer; empty if the tile is left out of the file.
    pub(super) bytes: Vec<u8>,
}

/// Encodes the tiles of a share as the rows of its first level arrive, from top to bottom.
#[derive(Debug)]
pub(super) struct RowEncoder {
    pub(super) plan: CogPlan,
    pub(super) executor: Executor,
    share: Share,
    cascade: Cascade,
    /// The pixels of overviews that are not computed, if there are any.
    #[cfg(all(feature = "geotiff", feature = "mosaic"))]
    partial: Option<PartialCascade>,
    /// Rows of the first level per batch.
    batch_rows: u32,
    /// The buffer for the rows of a second batch, if that fits in memory.
    ahead: Option<RowsAhead>,
    /// Maximum number of tiles that are being encoded or waiting to be taken.
    tiles_at_once: usize,
    /// The next row of the first level, counted from the top of the level.
    next_row: u32,
    /// The first row that is not in the statistics yet, and the sums so far.
    measured_rows: u32,
    sums: Vec<BandSums>,
    /// The next row of tiles of each level of the share.
    next_tile_rows: Vec<u32>,
    /// Queued tiles whose rows are complete, in file order within their sections.
    waiting: VecDeque<TileId>,
    encoders: Pool<TileEncoder>,
    buffers: Pool<Vec<u8>>,
    /// True to compute checksums of the pixels of tiles.
    takes_checksums: bool,
    /// The samples outside the image, for each plane.
    paddings: Vec<Padding>,
    /// The rule by which masks are made from nodata, unless the rows arrive with finished masks.
    nodata_rule: Option<NodataRule>,
}

/// Tiles with complete rows, to be encoded together.
pub(super) struct Batch {
    /// In the order in which they are to be taken.
    pub(super) tiles: VecDeque<TileId>,
    /// Maximum number of tiles in work or waiting to be taken.
    pub(super) limit: usize,
    /// A buffer for the rows of the next batch, if they can be read meanwhile.
    pub(super) ahead: Option<RowsAhead>,
}

impl RowEncoder {
    /// Creates an encoder that takes about `batch_bytes` bytes of pixels at once, but at least a row of tiles.
    pub(super) fn new(plan: CogPlan, share: Share, executor: Executor, batch_bytes: u64) -> Result<Self> {
        let base = share.levels.first().ok_or_else(|| Error::image("the part of the image has no pixels"))?;
        let batch_rows = batch_rows(&plan, base, &executor, batch_bytes);
        let mut cascade = Cascade::of(&plan, &share);
        let ahead = reads_ahead(&plan, base, &executor, batch_rows, batch_bytes);
        // Reserve a whole batch at once: rows may arrive one by one, and must not grow the buffers one by one.
        cascade.reserve(batch_rows)?;
        Ok(Self {
            ahead: ahead.then(|| cascade.ahead()),
            tiles_at_once: tiles_per_thread(&plan, base) * executor.thread_count(),
            cascade,
            #[cfg(all(feature = "geotiff", feature = "mosaic"))]
            partial: None,
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
                .map(|plane: usize| Padding::of(plan.source_spec(), plane..plane + plan.samples_per_plane()))
                .collect(),
            nodata_rule: plan.nodata_rule(),
            share,
            plan,
        })
    }

    /// Takes the masks of rows as they are, although the plan makes them from nodata.
    pub(super) fn take_masks(&mut self) {
        self.nodata_rule = None;
    }

    /// Takes the pixels of overviews that are not computed from somewhere else.
    #[cfg(all(feature = "geotiff", feature = "mosaic"))]
    pub(super) fn set_partial(&mut self, partial: PartialCascade) {
        self.partial = Some(partial);
    }

    /// Computes all overview rows that have become computable.
    fn advance_cascade(&mut self) -> Result<()> {
        #[cfg(all(feature = "geotiff", feature = "mosaic"))]
        if let Some(partial) = &mut self.partial {
            return self.cascade.advance_part(partial, &self.executor);
        }
        self.cascade.advance(&self.executor)
    }

    /// Starts computing checksums of the pixels of all tiles.
    pub(super) fn take_checksums(&mut self) {
        self.takes_checksums = true;
    }

    /// Returns the share's part of its first level.
    fn base(&self) -> &LevelShare {
        &self.share.levels[0]
    }

    /// Returns the column and row of the next stripe in its level.
    fn place(&self) -> (u32, u32) {
        (self.base().window.columns.start, self.next_row)
    }

    /// Returns the number of rows to pass next: the rest of a batch, or of the share.
    pub(super) fn rows_wanted(&self) -> u32 {
        let in_batch = self.batch_rows - self.next_row % self.batch_rows;
        in_batch.min(self.rows_left())
    }

    /// Returns the number of rows passed so far.
    pub(super) fn rows_done(&self) -> u32 {
        self.next_row - self.base().window.rows.start
    }

    /// Returns the number of rows still missing.
    pub(super) fn rows_left(&self) -> u32 {
        self.base().window.rows.end - self.next_row
    }

    /// Takes the next `count` rows, at most [`rows_wanted`](Self::rows_wanted), and leaves the tiles of a complete
    /// batch queued for [`begin_batch`](Self::begin_batch).
    pub(super) fn take_rows(&mut self, count: u32, fill: impl FnOnce(&mut Stripe<'_>) -> Result<()>) -> Result<()> {
        let wanted = self.rows_wanted();
        if count > wanted {
            let (expected, got) = (wanted.into(), count.into());
            return Err(ErrorKind::PixelCount { what: "rows of the image", expected, got }.into());
        }
        if count == 0 {
            return Ok(());
        }
        let place = self.place();
        fill_stripe(&self.plan, self.nodata_rule, place, &mut self.cascade.stripe(count)?, fill)?;
        self.cascade.commit(count);
        self.advance(count)
    }

    /// Advances by `count` rows.
    fn advance(&mut self, count: u32) -> Result<()> {
        self.next_row += count;
        let complete = self.next_row.is_multiple_of(self.batch_rows) || self.rows_left() == 0;
        if complete { self.complete_batch() } else { Ok(()) }
    }

    /// Like [`take_rows`](Self::take_rows), but reads from a source whose first row is the first one of the share. Rows
    /// that were read ahead are taken first.
    pub(super) fn take_rows_from(&mut self, source: &mut dyn PixelSource, count: u32) -> Result<()> {
        if Executor::PARALLEL
            && let Some(ahead) = self.ahead.as_mut().filter(|ahead| ahead.count() > 0)
        {
            let count = ahead.hand_over(&mut self.cascade);
            self.advance(count)?;
        } else {
            let (first, executor) = (self.rows_done(), self.executor.clone());
            self.take_rows(count, |stripe| source.read_sparse_rows(first, stripe, &executor))?;
        }
        // The last two batches are encoded together, so that waiting tiles can be put in place meanwhile.
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

    /// Reads the next rows while the current ones are still in use.
    pub(super) fn read_ahead(&self, ahead: &mut RowsAhead, source: &mut dyn PixelSource) -> Result<()> {
        let next_tile_row = self.next_needed_tile_rows().next().unwrap_or(u32::MAX);
        let mut stripe = ahead.stripe(&self.cascade, next_tile_row, self.rows_wanted())?;
        fill_stripe(&self.plan, self.nodata_rule, self.place(), &mut stripe, |stripe| {
            source.read_sparse_rows(self.rows_done(), stripe, &self.executor)
        })
    }

    /// Returns, for each level, the next row of tiles whose rows must be kept.
    fn next_needed_tile_rows(&self) -> impl Iterator<Item = u32> {
        let next = self.next_tile_rows.iter().zip(&self.share.levels);
        next.map(|(&next, share)| if next < share.tiles.rows.end { next } else { u32::MAX })
    }

    /// Returns whether only full-resolution tiles remain, from this tile on. The last batch has its overviews first.
    pub(super) fn ends_with(&self, tile: TileId) -> bool {
        let levels = self.plan.levels().len();
        tile.level == 0 && self.share.levels.len() == levels && (levels == 1 || self.rows_left() == 0)
    }

    /// Hands over the queued tiles. While they are encoded, the rows of the next batch can be read.
    pub(super) fn begin_batch(&mut self) -> Batch {
        // The last batch may need the rows of the batch before that are left in this buffer.
        let ahead = if self.rows_left() > 0 { self.ahead.take() } else { None };
        Batch { tiles: std::mem::take(&mut self.waiting), limit: self.tiles_at_once, ahead }
    }

    /// Drops the rows that no tile needs any longer.
    pub(super) fn end_batch(&mut self, ahead: Option<RowsAhead>) {
        if ahead.is_some() {
            self.ahead = ahead;
        }
        let needed: Vec<_> = self.next_needed_tile_rows().collect();
        self.cascade.forget(&needed);
    }

    /// Returns the buffer of a tile for reuse.
    pub(super) fn recycle(&self, bytes: Vec<u8>) {
        if bytes.capacity() > 0 {
            self.buffers.give(bytes);
        }
    }

    /// Returns the buffered rows of a level, with all pixels filled. They include new rows from the end of a batch until its
    /// tiles are encoded.
    pub(super) fn level(&mut self, level: usize) -> &LevelRows {
        self.cascade.fill_blank(level);
        self.cascade.level(level)
    }

    /// Takes the statistics of each band; empty unless the plan asks for them.
    pub(super) fn take_sums(&mut self) -> Vec<BandSums> {
        std::mem::take(&mut self.sums)
    }

    /// Adds the rows of the batch to the statistics, if the plan asks for them and this is full resolution. Each pixel
    /// counts in the shard that encodes its tile: windows of shards overlap, but their tiles do not.
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
            self.measure_filled(top..end.min(top.saturating_add(piece)), &own.columns, &mut sums);
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

    /// Adds some columns of some rows of full resolution to the sums, blank pixels by their number alone.
    fn measure_filled(&self, rows: Range<u32>, columns: &Range<u32>, sums: &mut [BandSums]) {
        let mut blank = u64::from(columns.end - columns.start) * (rows.end - rows.start) as u64;
        for (rows, parts) in self.cascade.level(0).filled_parts(rows) {
            for part in parts {
                let part = part.start.max(columns.start)..part.end.min(columns.end);
                if !part.is_empty() {
                    blank -= (part.len() * rows.len()) as u64;
                    self.measure_rows(rows.clone(), &part, sums);
                }
            }
        }
        if let Some(sample) = self.plan.blank_sample().filter(|_| blank > 0) {
            measure_repeated(self.plan.spec(), sample, blank, sums);
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

    /// Computes overviews and queues all tiles whose rows are complete.
    fn complete_batch(&mut self) -> Result<()> {
        self.cascade.find_blank(self.measured_rows, &self.executor);
        self.measure();
        if self.plan.predictor_is_open() {
            self.cascade.fill_blank(self.share.base());
            let tiles = settle::sampled_tiles(&self.plan);
            let views: Vec<_> = tiles.filter_map(|tile| self.view(&self.base().level, tile)).collect();
            self.plan = settle::choose(&self.plan, &views)?;
        }
        self.advance_cascade()?;
        let grid = self.plan.grid();
        for (share, next) in self.share.levels.iter().zip(&mut self.next_tile_rows) {
            let level = &share.level;
            let end = self.cascade.level(level.index).end();
            let complete = if end == level.height { level.tile_rows() } else { end / level.tile_size.height };
            for row in *next..complete.min(share.tiles.rows.end) {
                let tiles = Rectangle { columns: share.tiles.columns.clone(), rows: row..row + 1 };
                self.cascade.fill_mixed(level.index, &level.pixels_of(&tiles).rows);
                self.waiting.extend(grid.row_tiles(level.index, row, tiles.columns));
                *next = row + 1;
            }
        }
        if self.rows_left() == 0 {
            // Full resolution can be put in place once all overviews are encoded.
            let base = self.share.base();
            self.waiting.make_contiguous().sort_by_key(|tile| tile.level == base);
        }
        Ok(())
    }

    pub(super) fn encode_tile(&self, tile: TileId) -> Result<EncodedTile> {
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
        if let Some(absent) = self.absent_tile(tile, &format, view) {
            return Ok(absent);
        }
        let mut encoder = self.encoders.take();
        let mut bytes = self.buffers.take_empty();
        let is_sampled = is_sampled(tile);
        let compares = !format.compression.codec().lossless && (self.takes_checksums || is_sampled);
        let mut decoded = None;
        let size = framed(&mut bytes, |bytes| match tile.plane {
            Plane::Image(_) if compares => {
                decoded = Some(encoder.encode_and_compare(&format, view, is_sampled, bytes)?);
                Ok(())
            }
            Plane::Image(_) => encoder.encode(&format, view, bytes),
            Plane::Mask => encoder.encode_mask(&format, view, bytes),
        });
        self.encoders.give(encoder);
        // Computed from the pixels themselves, because everything they go through afterward is to be verified.
        let checksum = self.takes_checksums.then(|| match (tile.plane, decoded) {
            (Plane::Image(_), Some(decoded)) => decoded.checksum,
            (Plane::Image(_), None) => view.checksum(format.samples * format.data_type.size()),
            (Plane::Mask, _) => view.mask_checksum(),
        });
        let mut losses = Losses::default();
        if let Some(decoded) = decoded {
            losses.add(tile.level, &decoded.loss);
        }
        if let (Some(nodata), 0, Plane::Image(_)) = (self.plan.counted_nodata(), tile.level, tile.plane) {
            losses.nodata_samples = count_nodata(&format, view, &nodata);
        }
        let section = self.plan.grid().section(tile.level, tile.plane);
        Ok(EncodedTile { tile, section, size: size.map_err(failed)?, checksum, losses, bytes })
    }

    /// Returns the tile without bytes if it is to be left out of the file.
    fn absent_tile(&self, tile: TileId, format: &TileFormat, view: TileView<'_>) -> Option<EncodedTile> {
        let (sample, pixel) = match tile.plane {
            Plane::Image(_) => (self.plan.absent_sample()?, format.samples * format.data_type.size()),
            Plane::Mask => (self.plan.absent_sample().and(Some(&[0][..]))?, 1),
        };
        let mut losses = Losses::default();
        if !self.is_blank(tile) && !view.holds_only(sample, pixel) {
            let drops = self.plan.drops_masked_tiles() && tile.plane != Plane::Mask;
            let mask = if drops {
                self.view(&self.plan.levels()[tile.level], TileId { plane: Plane::Mask, ..tile })
            } else {
                None
            };
            if !mask?.holds_only(&[0], 1) {
                return None;
            }
            losses.masked_tiles = 1;
        }
        let checksum = self.takes_checksums.then(|| view.checksum_of(sample, pixel));
        let section = self.plan.grid().section(tile.level, tile.plane);
        Some(EncodedTile { tile, section, size: TileLen::Sparse, checksum, losses, bytes: Vec::new() })
    }

    /// Returns whether all pixels of a tile are known to be blank.
    fn is_blank(&self, tile: TileId) -> bool {
        let level = &self.plan.levels()[tile.level];
        let place = Rectangle { columns: tile.column..tile.column + 1, rows: tile.row..tile.row + 1 };
        let Rectangle { columns, rows } = level.pixels_of(&place);
        self.held_rows(level, rows.start).is_blank(&rows, &columns)
    }

    /// Returns the rows of a level from row `top` on.
    fn held_rows(&self, level: &Level, top: u32) -> &LevelRows {
        match &self.ahead {
            Some(ahead) if Executor::PARALLEL && level.index == self.share.base() => {
                ahead.rows_with(top, &self.cascade)
            }
            _ => self.cascade.level(level.index),
        }
    }

    /// Returns whether encoding the image tiles of a level needs the mask.
    fn needs_mask(&self, level: &Level) -> bool {
        let counts = level.index == 0 && self.plan.counted_nodata().is_some();
        counts || self.plan.compression_of(level).codec().takes_samples()
    }

    /// Returns the rectangle of a tile in the level's buffers.
    pub(super) fn view(&self, level: &Level, tile: TileId) -> Option<TileView<'_>> {
        let (top, left) = (tile.row * level.tile_size.height, tile.column * level.tile_size.width);
        let rows = self.held_rows(level, top);
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
                Plane::Image(_) if self.needs_mask(level) => rows.mask_from(top),
                _ => None,
            },
        })
    }
}

/// Returns whether a lossy tile is decoded and compared even if nothing is verified: one of 16, spread over the level. That
/// takes a twentieth of the time of encoding JPEG.
const fn is_sampled(tile: TileId) -> bool {
    tile.column.wrapping_add(tile.row.wrapping_mul(5)).is_multiple_of(16)
}
