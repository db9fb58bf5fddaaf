//! The pyramid: takes rows of full resolution and computes the rows of every level, in one pass.
//!
//! Every level keeps a rolling buffer of rows. When rows arrive at a level, all rows of the next level that have become
//! computable are computed. A level's buffer holds at most one batch of rows of full resolution (or the corresponding
//! rows of that level), one row of tiles, and the few rows that the kernel still needs above and below the footprint of
//! an overview pixel: about twice the base buffer for all levels together.

mod blank;
mod kernel;
#[cfg(all(feature = "geotiff", feature = "mosaic"))]
mod part;
mod rows;

use std::ops::Range;
use std::sync::Arc;

use crate::error::Result;
use crate::executor::Executor;
use crate::grid::Rectangle;
use crate::plan::window::source_range;
use crate::plan::{CogPlan, LevelShare, Share};
use crate::view::Stripe;

use blank::BlankCells;
use kernel::Kernel;
#[cfg(all(feature = "geotiff", feature = "mosaic"))]
pub(crate) use part::{LevelPixels, PartialCascade};
pub(crate) use rows::LevelRows;

/// Approximate output bytes of the pieces in which rows of the next level are computed, each on any thread.
const PIECE_BYTES: usize = 128 * 1024;
/// Pieces per thread, if there are enough rows.
const PIECES_PER_THREAD: usize = 2;
/// Minimum rows per piece: convolutions also resample the rows above and below it.
const LEAST_ROWS: usize = 8;

/// The rolling buffers of all levels.
#[derive(Debug)]
pub(crate) struct Cascade {
    levels: Vec<LevelRows>,
    /// The level of the plan that comes first here.
    base: usize,
    /// The kernels from level *i* to level *i + 1*, relative to `base`.
    kernels: Vec<Kernel>,
    plan: CogPlan,
    shares: Vec<LevelShare>,
}

impl Cascade {
    /// Creates empty buffers for an image, or a part of it that takes rows of the share's first level.
    pub(crate) fn of(plan: &CogPlan, share: &Share) -> Self {
        Self {
            levels: share.levels.iter().map(|level| LevelRows::new(plan, level)).collect(),
            base: share.base(),
            kernels: kernel::between(plan, &share.levels),
            plan: plan.clone(),
            shares: share.levels.clone(),
        }
    }

    /// Returns the buffered rows of a level of the plan.
    pub(crate) fn level(&self, level: usize) -> &LevelRows {
        &self.levels[level - self.base]
    }

    /// Reserves memory for `count` rows of the first level and a row of tiles of each overview. This costs nothing
    /// before it is used, but growing later would.
    pub(crate) fn reserve(&mut self, count: u32) -> Result<()> {
        for (index, rows) in self.levels.iter_mut().enumerate() {
            rows.reserve(if index == 0 { count } else { rows.tile_height() })?;
        }
        Ok(())
    }

    /// Returns a stripe for the next `count` rows of the first level, to be filled before [`commit`](Self::commit).
    pub(crate) fn stripe(&mut self, count: u32) -> Result<Stripe<'_>> {
        self.levels[0].stripe(count)
    }

    /// Marks the first `count` rows of the last stripe as filled.
    pub(crate) fn commit(&mut self, count: u32) {
        self.levels[0].commit(count);
    }

    /// Computes all overview rows that have become computable.
    pub(crate) fn advance(&mut self, executor: &Executor) -> Result<()> {
        for (index, kernel) in self.kernels.iter_mut().enumerate() {
            let (finer, coarser) = self.levels.split_at_mut(index + 1);
            let (Some(source), Some(target)) = (finer.last_mut(), coarser.first_mut()) else { break };
            let first = target.end();
            let count = kernel.computable(source.end(), first);
            if count == 0 {
                break;
            }
            if let [finer, coarser, ..] = &self.shares[index..] {
                let between = Between { plan: &self.plan, finer, coarser, kernel };
                if let Some(cells) = between.blank_cells(source, target, first..first.saturating_add(count)) {
                    between.compute_filled(source, target, (first, count), &cells, executor)?;
                    continue;
                }
            }
            kernel.prepare()?;
            let held = kernel.needed(first).start..kernel.needed(first.saturating_add(count) - 1).end;
            source.fill_blank(&held, &self.shares[index].window.columns);
            let mut stripe = target.stripe(count)?;
            compute(kernel, source, &mut stripe, first, executor);
            target.commit(count);
        }
        if let Some(kernel) = self.kernels.first() {
            kernel.lines.clear();
        }
        Ok(())
    }

    /// Finds blank tiles in the rows of the first level from row `first` on.
    pub(crate) fn find_blank(&mut self, first: u32, executor: &Executor) {
        self.levels[0].find_blank(first, executor);
    }

    /// Fills the blank parts of a row of tiles that are in tiles with other pixels.
    pub(crate) fn fill_mixed(&mut self, level: usize, rows: &Range<u32>) {
        self.levels[level - self.base].fill_mixed(rows);
    }

    /// Fills all blank parts of the buffered rows of a level.
    pub(crate) fn fill_blank(&mut self, level: usize) {
        let rows = &mut self.levels[level - self.base];
        let (held, columns) = (rows.first()..rows.end(), &self.shares[level - self.base].window.columns);
        rows.fill_blank(&held, columns);
    }

    /// Drops rows that are needed neither by the tiles from `next_tile_rows` on (one row number per level, starting
    /// with the first one here) nor by the next level.
    pub(crate) fn forget(&mut self, next_tile_rows: &[u32]) {
        for (index, &next_tile_row) in next_tile_rows.iter().enumerate() {
            let needed = self.first_needed(index, next_tile_row);
            self.levels[index].forget(needed);
        }
    }

    /// Returns a buffer for rows of the first level that are read while the current ones are still in use.
    pub(crate) fn ahead(&self) -> RowsAhead {
        RowsAhead { rows: self.levels[0].like(), count: 0 }
    }

    /// Returns the first row of a level, relative to `base`, that tiles or the next level still need.
    fn first_needed(&self, index: usize, next_tile_row: u32) -> u32 {
        let needed_by_tiles = next_tile_row.saturating_mul(self.levels[index].tile_height());
        let needed_by_next = match (self.kernels.get(index), self.levels.get(index + 1)) {
            (Some(kernel), Some(next)) => kernel.first_needed(next.end()),
            _ => u32::MAX,
        };
        needed_by_tiles.min(needed_by_next)
    }
}

/// Rows of the first level that are read ahead, after the rows that will still be needed when this buffer replaces the
/// cascade's.
#[derive(Debug)]
pub(crate) struct RowsAhead {
    rows: LevelRows,
    /// Number of new rows; 0 after they were handed over.
    count: u32,
}

impl RowsAhead {
    /// Returns the number of rows that have been read and not handed over.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Returns a stripe for the next `count` rows; the next row of tiles of the first level determines which earlier
    /// rows are kept.
    pub(crate) fn stripe(&mut self, cascade: &Cascade, next_tile_row: u32, count: u32) -> Result<Stripe<'_>> {
        self.count = count;
        self.rows.begin_with(&cascade.levels[0], cascade.first_needed(0, next_tile_row), count)
    }

    /// Returns the buffer that holds row `row` of the first level: after a hand-over, this one holds the cascade's
    /// previous rows.
    pub(crate) fn rows_with<'a>(&'a self, row: u32, cascade: &'a Cascade) -> &'a LevelRows {
        let rows = &cascade.levels[0];
        if row < rows.first() { &self.rows } else { rows }
    }

    /// Passes the rows to the cascade, and returns the number of new ones.
    pub(crate) fn hand_over(&mut self, cascade: &mut Cascade) -> u32 {
        let count = std::mem::take(&mut self.count);
        self.rows.commit(count);
        std::mem::swap(&mut self.rows, &mut cascade.levels[0]);
        count
    }
}

/// Two consecutive levels.
struct Between<'a> {
    plan: &'a CogPlan,
    finer: &'a LevelShare,
    coarser: &'a LevelShare,
    kernel: &'a Kernel,
}

impl Between<'_> {
    /// Returns the columns of the finer level that columns of the coarser level need.
    fn needed_columns(&self, columns: &Range<u32>) -> Range<u32> {
        let [axis, _] = self.finer.level.axes_to(&self.coarser.level);
        source_range(&axis, self.plan.resampling(), columns)
    }

    /// Returns the cells of rows of the coarser level, of which those that depend on blank pixels alone are blank; `None` if
    /// there are none.
    fn blank_cells(&self, source: &LevelRows, target: &LevelRows, rows: Range<u32>) -> Option<Vec<bool>> {
        let (finer, coarser) = (source.blanks()?, target.blanks()?);
        let spans: Vec<_> = (0..coarser.across())
            .map(|cell| {
                let needed = self.needed_columns(&target.columns(&coarser.pixels(&(cell..cell + 1))));
                finer.covering(&((needed.start - source.left()) as usize..(needed.end - source.left()) as usize))
            })
            .collect();
        let mut cells = Vec::with_capacity(rows.len() * spans.len());
        for row in rows {
            let needed = self.kernel.needed(row);
            let held = source.index(needed.start)..source.index(needed.end);
            cells.extend(spans.iter().map(|span| finer.are_blank(held.clone(), span)));
        }
        cells.contains(&true).then_some(cells)
    }

    /// Computes the cells of the next rows of the coarser level that are not blank, each part as a shard would.
    fn compute_filled(
        &self,
        source: &LevelRows,
        target: &mut LevelRows,
        (first, count): (u32, u32),
        cells: &[bool],
        executor: &Executor,
    ) -> Result<()> {
        let across = target.blanks().map_or(1, BlankCells::across).max(1);
        let parts = blank::filled_parts(&cells.chunks(across).collect::<Vec<_>>());
        // A stripe's rows are numbered with 32 bits.
        let row = |index: usize| first.saturating_add(u32::try_from(index).unwrap_or(u32::MAX));
        let columns_of = |cells: &Range<usize>| target.blanks().map(|blanks| target.columns(&blanks.pixels(cells)));
        let windows: Vec<_> = parts
            .iter()
            .flat_map(|(rows, columns)| columns.iter().filter_map(columns_of).map(|columns| (rows.clone(), columns)))
            .map(|(rows, columns)| Rectangle { columns, rows: row(rows.start)..row(rows.end) })
            .collect();
        let left = target.left();
        let mut stripe = target.stripe(count)?;
        for window in windows {
            let rows = window.rows.clone();
            let held = self.kernel.needed(rows.start).start..self.kernel.needed(rows.end - 1).end;
            let needed = Rectangle { columns: self.needed_columns(&window.columns), rows: held.clone() };
            let (finer, coarser) = (self.finer.with_window(needed), self.coarser.with_window(window));
            let (mut from, mut to) = (LevelRows::new(self.plan, &finer), LevelRows::new(self.plan, &coarser));
            source.copy_to(&mut from, &held)?;
            let mut kernel = Kernel::new(self.plan, &finer, &coarser, Arc::clone(&self.kernel.lines));
            kernel.prepare()?;
            compute(&kernel, &from, &mut to.stripe(coarser.window.height())?, rows.start, executor);
            to.commit(coarser.window.height());
            to.copy_into(&mut stripe, left, first);
        }
        target.commit_cells(count, cells);
        Ok(())
    }
}

/// Fills the rows of `stripe`, which start at row `first` of the coarser level.
fn compute(kernel: &Kernel, source: &LevelRows, stripe: &mut Stripe<'_>, first: u32, executor: &Executor) {
    let row_bytes = stripe.row_bytes();
    let width = stripe.width;
    let mut rows_per_piece = (PIECE_BYTES / row_bytes.max(1)).max(kernel.rows_of_a_piece());
    if Executor::PARALLEL {
        // Use fewer rows if threads would otherwise be idle: small levels come after all others are done.
        let share = stripe.rows.div_ceil(PIECES_PER_THREAD * executor.thread_count()).max(LEAST_ROWS);
        rows_per_piece = rows_per_piece.min(share);
    }
    let mut pieces: Vec<(Option<usize>, usize, &mut [u8])> = Vec::new();
    for (plane, rows) in stripe.planes.iter_mut().enumerate() {
        let chunks = rows.chunks_mut(rows_per_piece * row_bytes).enumerate();
        pieces.extend(chunks.map(|(index, piece)| (Some(plane), index * rows_per_piece, piece)));
    }
    if let Some(mask) = &mut stripe.mask {
        let chunks = mask.chunks_mut(rows_per_piece * width).enumerate();
        pieces.extend(chunks.map(|(index, piece)| (None, index * rows_per_piece, piece)));
    }
    executor.map(pieces, |(plane, offset, piece)| {
        // A piece lies within a stripe, whose rows are numbered with 32 bits.
        let first = first.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX));
        match plane {
            Some(plane) => kernel.compute_plane(source, plane, first, piece),
            None => kernel.compute_mask(source, first, piece),
        }
    });
}
