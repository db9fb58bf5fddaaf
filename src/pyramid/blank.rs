//! Blank cells: parts of buffered rows in which all samples are those of tiles without bytes.
//!
//! A cell is one row of a column of tiles. Its memory need not be filled while it is blank; who reads it fills it first.

use std::ops::Range;

use crate::plan::LevelShare;
use crate::view::{BlankArea, Blanks};

/// The blank cells of the buffered rows of a level.
#[derive(Debug)]
pub(super) struct BlankCells {
    /// The parts that the source of the next rows leaves blank.
    pub(super) source: Blanks,
    /// The ends of the columns of tiles, relative to the window.
    ends: Vec<usize>,
    /// By row of the buffer, then by column of tiles.
    cells: Vec<bool>,
}

impl BlankCells {
    pub(super) fn new(sample: &[u8], share: &LevelShare) -> Self {
        let (window, side) = (&share.window.columns, share.level.tile_size.width);
        let columns = window.start / side..window.end.div_ceil(side);
        let end = |column: u32| column.saturating_add(1).saturating_mul(side).min(window.end) - window.start;
        let ends = columns.map(|column| end(column) as usize).collect();
        Self { source: Blanks::new(sample.to_vec()), ends, cells: Vec::new() }
    }

    /// Returns cells of the same columns, without rows.
    pub(super) fn like(&self) -> Self {
        Self { source: Blanks::new(self.source.sample.clone()), ends: self.ends.clone(), cells: Vec::new() }
    }

    /// Returns the number of columns of tiles.
    pub(super) fn across(&self) -> usize {
        self.ends.len()
    }

    /// Returns the pixels of some columns of tiles, relative to the window.
    pub(super) fn pixels(&self, cells: &Range<usize>) -> Range<usize> {
        let start = cells.start.checked_sub(1).map_or(0, |before| self.ends[before]);
        start..cells.end.checked_sub(1).map_or(start, |last| self.ends[last])
    }

    /// Returns the columns of tiles that some pixels are in.
    pub(super) fn covering(&self, pixels: &Range<usize>) -> Range<usize> {
        let first = self.ends.partition_point(|end| *end <= pixels.start);
        first..self.ends.partition_point(|end| *end < pixels.end).saturating_add(1).min(self.ends.len()).max(first)
    }

    /// Returns the cells of a row of the buffer.
    pub(super) fn row(&self, row: usize) -> &[bool] {
        &self.cells[row * self.across()..][..self.across()]
    }

    /// Returns whether all cells of some rows in some columns of tiles are blank.
    pub(super) fn are_blank(&self, mut rows: Range<usize>, columns: &Range<usize>) -> bool {
        rows.all(|row| self.row(row)[columns.clone()].iter().all(|blank| *blank))
    }

    /// Returns the pixels of some rows that are not in blank cells: runs of rows, each with its runs of columns.
    pub(super) fn filled_pixels(&self, rows: Range<usize>) -> Vec<(Range<usize>, Vec<Range<usize>>)> {
        let first = rows.start;
        let parts = filled_parts(&rows.map(|row| self.row(row)).collect::<Vec<_>>()).into_iter();
        let pixels = |cells: Vec<Range<usize>>| cells.iter().map(|cells| self.pixels(cells)).collect();
        parts.map(|(rows, cells)| (first + rows.start..first + rows.end, pixels(cells))).collect()
    }

    /// Returns whether more than half of the cells of some rows are blank.
    pub(super) fn are_mostly_blank(&self, rows: Range<usize>) -> bool {
        let cells = &self.cells[rows.start * self.across()..rows.end * self.across()];
        cells.iter().filter(|blank| **blank).count() > cells.len() / 2
    }

    /// Marks cells as blank.
    pub(super) fn mark(&mut self, rows: Range<usize>, column: usize) {
        let across = self.across();
        rows.for_each(|row| self.cells[row * across + column] = true);
    }

    /// Appends rows of cells.
    pub(super) fn push(&mut self, cells: &[bool]) {
        self.cells.extend_from_slice(cells);
    }

    /// Appends rows without blank cells.
    pub(super) fn push_filled(&mut self, rows: usize) {
        self.cells.resize(self.cells.len() + rows * self.across(), false);
    }

    /// Replaces all rows by those of other cells from a row on.
    pub(super) fn copy_from(&mut self, other: &Self, first: usize) {
        self.cells.clear();
        self.cells.extend_from_slice(&other.cells[first * other.across()..]);
    }

    /// Drops rows at the top.
    pub(super) fn forget(&mut self, rows: usize) {
        self.cells.drain(..rows * self.across());
    }

    /// Appends the `count` rows that a source has read. Cells are blank that it has left blank entirely, and for an image with
    /// a mask, in both. Returns the areas to fill after all: of the image, and of the mask.
    pub(super) fn settle(&mut self, count: usize, has_mask: bool) -> [Vec<BlankArea>; 2] {
        let [image, mask] = [std::mem::take(&mut self.source.image), std::mem::take(&mut self.source.mask)];
        let first = self.cells.len();
        self.push_filled(count);
        if image.is_empty() || (has_mask && mask.is_empty()) {
            return [image, mask];
        }
        let [in_image, in_mask] = [&image, &mask].map(|areas| self.blank_pixels(areas, count));
        let widths: Vec<_> = (0..self.across()).map(|column| self.pixels(&(column..column + 1)).len()).collect();
        for (index, blank) in self.cells[first..].iter_mut().enumerate() {
            let width = widths[index % widths.len()];
            *blank = in_image[index] == width && (!has_mask || in_mask[index] == width);
        }
        let top = first / self.across();
        [self.left_over(image, top), self.left_over(mask, top)]
    }

    /// Returns the number of pixels of each cell that areas cover.
    fn blank_pixels(&self, areas: &[BlankArea], rows: usize) -> Vec<usize> {
        let across = self.across();
        let mut counts = vec![0; rows * across];
        for area in areas {
            for column in self.covering(&area.columns) {
                let cell = self.pixels(&(column..column + 1));
                let common = area.columns.end.min(cell.end).saturating_sub(area.columns.start.max(cell.start));
                area.rows.clone().for_each(|row| counts[row * across + column] += common);
            }
        }
        counts
    }

    /// Returns the parts of areas, counted from row `top`, that are in cells that are not blank.
    fn left_over(&self, areas: Vec<BlankArea>, top: usize) -> Vec<BlankArea> {
        let mut rest = Vec::new();
        for area in areas {
            for column in self.covering(&area.columns) {
                let cell = self.pixels(&(column..column + 1));
                let columns = area.columns.start.max(cell.start)..area.columns.end.min(cell.end);
                let filled = area.rows.clone().filter(|row| !self.row(top + row)[column]);
                rest.extend(filled.map(|row| BlankArea { rows: row..row + 1, columns: columns.clone() }));
            }
        }
        rest
    }
}

/// Returns the cells that are not blank among rows of cells: runs of equal rows, each with its runs of columns.
pub(super) fn filled_parts(rows: &[&[bool]]) -> Vec<(Range<usize>, Vec<Range<usize>>)> {
    let columns = |row: &[bool]| runs(row).into_iter().filter(|run| !row[run.start]).collect();
    runs(rows).into_iter().map(|run| (run.clone(), columns(rows[run.start]))).collect()
}

/// Returns the runs of equal items, as ranges.
fn runs<T: PartialEq>(items: &[T]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for index in 0..items.len() {
        match runs.last_mut() {
            Some(run) if items[run.start] == items[index] => run.end = index + 1,
            _ => runs.push(index..index + 1),
        }
    }
    runs
}
