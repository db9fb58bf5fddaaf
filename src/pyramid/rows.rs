//! The rolling buffer of one level.

use std::iter;
use std::ops::Range;

use crate::buffer::{AlignedBytes, repeats};
use crate::error::{Error, Result};
use crate::executor::Executor;
use crate::options::LEAVES_OUT_TILES;
use crate::plan::{CogPlan, LevelShare};
use crate::view::{BlankArea, Stripe, StripeLayout};

use super::blank::BlankCells;

/// Buffers of more bytes are renewed while most cells are blank. Allocators take such blocks from the system, untouched; glibc
/// may keep smaller ones and fill them with zeros.
const RENEWED_BYTES: usize = 32 << 20;

/// The rows of a level that are known and still needed, with all planes and the mask, limited to the columns of a
/// window.
#[derive(Debug)]
pub(crate) struct LevelRows {
    /// The first column of the window.
    left: u32,
    width: usize,
    bands: usize,
    sample_size: usize,
    layout: StripeLayout,
    tile_height: u32,
    /// Rows of the window.
    height: u32,
    planes: Vec<AlignedBytes>,
    mask: Option<AlignedBytes>,
    /// The first row in the buffers.
    first: u32,
    /// One past the last row in the buffers.
    end: u32,
    /// The cells that need not be filled; `None` if all are.
    blanks: Option<BlankCells>,
}

impl LevelRows {
    pub(super) fn new(plan: &CogPlan, share: &LevelShare) -> Self {
        let spec = plan.spec();
        let layout = if plan.is_chunky() { StripeLayout::Chunky } else { StripeLayout::Planar };
        Self {
            left: share.window.columns.start,
            width: share.window.width() as usize,
            bands: spec.bands.into(),
            sample_size: spec.data_type.size(),
            layout,
            tile_height: share.level.tile_size.height,
            height: share.window.height(),
            planes: vec![AlignedBytes::default(); plan.grid().planes.into()],
            mask: spec.mask.then(AlignedBytes::default),
            first: share.window.rows.start,
            end: share.window.rows.start,
            blanks: plan.blank_sample().map(|sample| BlankCells::new(sample, share)),
        }
    }

    /// Returns a buffer for the same columns of the same level, without rows.
    pub(super) fn like(&self) -> Self {
        Self {
            planes: vec![AlignedBytes::default(); self.planes.len()],
            mask: self.mask.as_ref().map(|_| AlignedBytes::default()),
            blanks: self.blanks().map(BlankCells::like),
            ..*self
        }
    }

    /// Returns the first column of the window.
    pub(crate) fn left(&self) -> u32 {
        self.left
    }

    /// Returns the number of columns in the window.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Returns the first buffered row.
    pub(super) fn first(&self) -> u32 {
        self.first
    }

    /// Returns the row after the last buffered row.
    pub(crate) fn end(&self) -> u32 {
        self.end
    }

    /// Returns the rows per tile.
    pub(super) fn tile_height(&self) -> u32 {
        self.tile_height
    }

    /// Returns the bytes in a row of an image plane.
    pub(crate) fn row_bytes(&self) -> usize {
        let samples = match self.layout {
            StripeLayout::Chunky => self.bands,
            StripeLayout::Planar => 1,
        };
        self.width * samples * self.sample_size
    }

    /// Returns the samples per pixel in an image plane.
    pub(super) fn samples(&self) -> usize {
        match self.layout {
            StripeLayout::Chunky => self.bands,
            StripeLayout::Planar => 1,
        }
    }

    /// Returns the rows of an image plane from row `row` on, which must be buffered.
    pub(crate) fn plane_from(&self, plane: usize, row: u32) -> &[u8] {
        &self.planes[plane].bytes()[(row - self.first) as usize * self.row_bytes()..]
    }

    /// Returns the rows of the mask from row `row` on; `None` without a mask.
    pub(crate) fn mask_from(&self, row: u32) -> Option<&[u8]> {
        self.mask.as_ref().map(|mask| &mask.bytes()[(row - self.first) as usize * self.width..])
    }

    /// Reserves memory for `count` rows, but at most for those of the window.
    pub(super) fn reserve(&mut self, count: u32) -> Result<()> {
        self.stripe(count.min(self.height)).map(drop)
    }

    /// Returns a stripe for `count` rows after the buffered ones.
    pub(super) fn stripe(&mut self, count: u32) -> Result<Stripe<'_>> {
        const WHAT: &str = "a row of tiles";
        let held = (self.end - self.first) as usize;
        let rows = held + count as usize;
        let row_bytes = self.row_bytes();
        let (width, bands, sample_size, layout) = (self.width, self.bands, self.sample_size, self.layout);
        let region = |buffer: &mut AlignedBytes, row_bytes: usize| {
            let length = rows
                .checked_mul(row_bytes)
                .ok_or_else(|| Error::limit("bytes of a row of tiles", u64::MAX, usize::MAX as u64))?;
            buffer.grow(length, WHAT)?;
            Ok::<_, Error>(held * row_bytes..length)
        };
        let planes = self
            .planes
            .iter_mut()
            .map(|plane| {
                let range = region(plane, row_bytes)?;
                Ok(&mut plane.bytes_mut()[range])
            })
            .collect::<Result<_>>()?;
        let mask = match &mut self.mask {
            Some(mask) => {
                let range = region(mask, width)?;
                Some(&mut mask.bytes_mut()[range])
            }
            None => None,
        };
        let blanks = self.blanks.as_mut().map(|blanks| &mut blanks.source);
        Ok(Stripe { width, rows: count as usize, bands, sample_size, layout, planes, mask, blanks })
    }

    /// Drops all rows; `row` is the next one.
    #[cfg(all(feature = "geotiff", feature = "mosaic"))]
    pub(super) fn restart(&mut self, row: u32) {
        (self.first, self.end) = (row, row);
    }

    /// Marks the first `count` rows of the last stripe as filled, apart from what the source has left blank.
    pub(super) fn commit(&mut self, count: u32) {
        let top = (self.end - self.first) as usize;
        self.end += count;
        let has_mask = self.mask.is_some();
        let Some(blanks) = self.blanks_mut() else { return };
        let [image, mask] = blanks.settle(count as usize, has_mask);
        image.into_iter().for_each(|area| self.fill_image(&area, top));
        mask.into_iter().for_each(|area| self.fill_mask(&area, top));
    }

    /// Marks the rows of the last stripe as filled, apart from blank cells.
    pub(super) fn commit_cells(&mut self, count: u32, cells: &[bool]) {
        self.end += count;
        if let Some(blanks) = self.blanks_mut() {
            blanks.push(cells);
        }
    }

    /// Returns the blank cells, if they are tracked.
    pub(super) fn blanks(&self) -> Option<&BlankCells> {
        if LEAVES_OUT_TILES { self.blanks.as_ref() } else { None }
    }

    /// Returns the blank cells to be changed.
    fn blanks_mut(&mut self) -> Option<&mut BlankCells> {
        if LEAVES_OUT_TILES { self.blanks.as_mut() } else { None }
    }

    /// Returns columns of the window, counted from the left edge of the level.
    pub(super) fn columns(&self, pixels: &Range<usize>) -> Range<u32> {
        // Columns are numbered with 32 bits.
        let column = |pixel: usize| self.left.saturating_add(u32::try_from(pixel).unwrap_or(u32::MAX));
        column(pixels.start)..column(pixels.end)
    }

    /// Returns the index of a row in the buffer.
    pub(super) fn index(&self, row: u32) -> usize {
        (row - self.first) as usize
    }

    /// Returns the indices of rows in the buffer.
    fn indices(&self, rows: &Range<u32>) -> Range<usize> {
        self.index(rows.start)..self.index(rows.end)
    }

    /// Returns whether all pixels of some rows in a rectangle of columns, counted from the left edge of the level, are blank.
    pub(crate) fn is_blank(&self, rows: &Range<u32>, columns: &Range<u32>) -> bool {
        self.blanks().is_some_and(|blanks| {
            let pixels = (columns.start - self.left) as usize..(columns.end - self.left) as usize;
            blanks.are_blank(self.indices(rows), &blanks.covering(&pixels))
        })
    }

    /// Returns the parts of rows that are not blank, in whole cells: runs of rows, each with its runs of columns. All pixels,
    /// if blank cells are not tracked.
    pub(crate) fn filled_parts(&self, rows: Range<u32>) -> Vec<(Range<u32>, Vec<Range<u32>>)> {
        // Columns are numbered with 32 bits.
        let column = |pixel: usize| self.left + u32::try_from(pixel).unwrap_or(u32::MAX);
        let Some(blanks) = self.blanks() else {
            return vec![(rows, iter::once(self.left..column(self.width)).collect())];
        };
        let part = |(run, pixels): (Range<usize>, Vec<Range<usize>>)| {
            let columns = pixels.iter().map(|pixels| column(pixels.start)..column(pixels.end)).collect();
            let [start, end] = [run.start, run.end].map(|row| self.first + u32::try_from(row).unwrap_or(u32::MAX));
            (start..end, columns)
        };
        blanks.filled_pixels(self.indices(&rows)).into_iter().map(part).collect()
    }

    /// Fills the blank cells of tiles in some rows that are not blank as a whole.
    pub(super) fn fill_mixed(&mut self, rows: &Range<u32>) {
        let Some(blanks) = self.blanks() else { return };
        let (left, indices) = (self.left, self.indices(rows));
        let mixed = |column: &usize| {
            let mut cells = indices.clone().map(|row| blanks.row(row)[*column]);
            cells.next().is_some_and(|first| cells.any(|cell| cell != first))
        };
        let mixed: Vec<_> =
            (0..blanks.across()).filter(mixed).map(|column| blanks.pixels(&(column..column + 1))).collect();
        for pixels in mixed {
            let [start, end] = [pixels.start, pixels.end].map(|pixel| left + u32::try_from(pixel).unwrap_or(u32::MAX));
            self.fill_blank(rows, &(start..end));
        }
    }

    /// Fills the blank cells of some rows in a rectangle of columns, so that they can be read.
    pub(crate) fn fill_blank(&mut self, rows: &Range<u32>, columns: &Range<u32>) {
        let Some(blanks) = self.blanks() else { return };
        let pixels = (columns.start - self.left) as usize..(columns.end - self.left) as usize;
        let cells = blanks.covering(&pixels);
        let mut areas = Vec::new();
        for row in self.indices(rows) {
            let blank = cells.clone().filter(|cell| blanks.row(row)[*cell]);
            areas.extend(blank.map(|cell| BlankArea { rows: row..row + 1, columns: blanks.pixels(&(cell..cell + 1)) }));
        }
        for area in areas {
            self.fill_image(&area, 0);
            self.fill_mask(&area, 0);
        }
    }

    /// Fills an area, counted from row `top` of the buffer, with the blank sample.
    fn fill_image(&mut self, area: &BlankArea, top: usize) {
        let (row_bytes, pixel) = (self.row_bytes(), self.samples() * self.sample_size);
        let Some(blanks) = &self.blanks else { return };
        let sample = &blanks.source.sample;
        for plane in &mut self.planes {
            for row in area.rows.clone() {
                let start = (top + row) * row_bytes;
                let to = &mut plane.bytes_mut()[start + area.columns.start * pixel..start + area.columns.end * pixel];
                if sample.iter().all(|byte| *byte == sample[0]) {
                    to.fill(sample[0]);
                } else {
                    to.chunks_exact_mut(sample.len()).for_each(|to| to.copy_from_slice(sample));
                }
            }
        }
    }

    /// Masks all pixels of an area, counted from row `top` of the buffer.
    fn fill_mask(&mut self, area: &BlankArea, top: usize) {
        let Some(mask) = &mut self.mask else { return };
        for row in area.rows.clone() {
            let start = (top + row) * self.width;
            mask.bytes_mut()[start + area.columns.start..start + area.columns.end].fill(0);
        }
    }

    /// Marks the cells of new rows, from row `first` on, whose pixels are all blank.
    pub(super) fn find_blank(&mut self, first: u32, executor: &Executor) {
        let Some(blanks) = self.blanks() else { return };
        let (rows, across) = (self.index(first)..self.index(self.end), blanks.across());
        let cuts = rows.clone().step_by(self.tile_height as usize);
        let pieces = cuts.flat_map(|top| (0..across).map(move |column| (top, column))).collect();
        let bottom = |top: usize| (top + self.tile_height as usize).min(rows.end);
        let found = executor.map(pieces, |(top, column): (usize, usize)| {
            let is_new = !blanks.row(top)[column];
            (is_new && self.holds_blank(top..bottom(top), &blanks.pixels(&(column..column + 1))))
                .then_some((top, column))
        });
        let found: Vec<_> = found.into_iter().flatten().map(|(top, column)| (top..bottom(top), column)).collect();
        if let Some(blanks) = self.blanks_mut() {
            found.into_iter().for_each(|(rows, column)| blanks.mark(rows, column));
        }
    }

    /// Returns whether all pixels of a rectangle, whose rows are counted in the buffer, are blank.
    fn holds_blank(&self, mut rows: Range<usize>, columns: &Range<usize>) -> bool {
        let (row_bytes, pixel) = (self.row_bytes(), self.samples() * self.sample_size);
        let Some(blanks) = self.blanks() else { return false };
        let sample = &blanks.source.sample[..];
        rows.all(|row| {
            let image = self.planes.iter().all(|plane| {
                repeats(&plane.bytes()[row * row_bytes..][columns.start * pixel..columns.end * pixel], sample)
            });
            let mask = self.mask.as_ref().map(|mask| &mask.bytes()[row * self.width..][columns.clone()]);
            image && mask.is_none_or(|mask| mask.iter().all(|valid| *valid == 0))
        })
    }

    /// Copies a rectangle of buffered rows to `part`, the buffer of a smaller window, with blank cells filled.
    pub(super) fn copy_to(&self, part: &mut Self, rows: &Range<u32>) -> Result<()> {
        part.first = rows.start;
        part.end = rows.start;
        let columns = (part.left - self.left) as usize..(part.left - self.left) as usize + part.width;
        {
            let mut stripe = part.stripe(rows.end - rows.start)?;
            stripe.blanks = None;
            self.copy_rows(&mut stripe, rows, &columns);
        }
        part.end = rows.end;
        let Some(blanks) = self.blanks() else { return Ok(()) };
        let cells = blanks.covering(&columns);
        let mut areas = Vec::new();
        for (to, row) in self.indices(rows).enumerate() {
            for cell in cells.clone().filter(|cell| blanks.row(row)[*cell]) {
                let pixels = blanks.pixels(&(cell..cell + 1));
                let common =
                    pixels.start.max(columns.start) - columns.start..pixels.end.min(columns.end) - columns.start;
                areas.push(BlankArea { rows: to..to + 1, columns: common });
            }
        }
        for area in areas {
            part.fill_image(&area, 0);
            part.fill_mask(&area, 0);
        }
        if let Some(blanks) = part.blanks_mut() {
            blanks.push_filled((rows.end - rows.start) as usize);
        }
        Ok(())
    }

    /// Copies a rectangle of buffered rows to a stripe of that size, blank cells with whatever their memory holds.
    fn copy_rows(&self, stripe: &mut Stripe<'_>, rows: &Range<u32>, columns: &Range<usize>) {
        let (row_bytes, pixel) = (self.row_bytes(), self.samples() * self.sample_size);
        let bytes = columns.start * pixel..columns.end * pixel;
        for (index, row) in self.indices(rows).enumerate() {
            for (to, plane) in stripe.planes.iter_mut().zip(&self.planes) {
                let from = &plane.bytes()[row * row_bytes..][bytes.clone()];
                to[index * bytes.len()..][..bytes.len()].copy_from_slice(from);
            }
            if let (Some(to), Some(mask)) = (&mut stripe.mask, &self.mask) {
                let from = &mask.bytes()[row * self.width..][columns.clone()];
                to[index * columns.len()..][..columns.len()].copy_from_slice(from);
            }
        }
    }

    /// Copies the rows of `self`, a smaller window, to a stripe of `target`, which starts at row `first`.
    pub(super) fn copy_into(&self, stripe: &mut Stripe<'_>, left: u32, first: u32) {
        let (pixel, skip) = (self.samples() * self.sample_size, (self.left - left) as usize);
        let (row_bytes, wide) = (self.row_bytes(), stripe.row_bytes());
        for row in self.first..self.end {
            let (from, to) = (self.index(row), (row - first) as usize);
            for (target, plane) in stripe.planes.iter_mut().zip(&self.planes) {
                target[to * wide + skip * pixel..][..row_bytes]
                    .copy_from_slice(&plane.bytes()[from * row_bytes..][..row_bytes]);
            }
            if let (Some(target), Some(mask)) = (&mut stripe.mask, &self.mask) {
                target[to * stripe.width + skip..][..self.width]
                    .copy_from_slice(&mask.bytes()[from * self.width..][..self.width]);
            }
        }
    }

    /// Replaces the contents by the rows of `other` from row `first` on, and returns a stripe for `count` more rows.
    pub(super) fn begin_with(&mut self, other: &Self, first: u32, count: u32) -> Result<Stripe<'_>> {
        let first = first.clamp(other.first, other.end);
        (self.first, self.end) = (first, first);
        let kept = other.end - first;
        let mut stripe = self.stripe(kept + count)?;
        let (row_bytes, width) = (other.row_bytes(), other.width);
        for (plane, to) in stripe.planes.iter_mut().enumerate() {
            let bytes = kept as usize * row_bytes;
            to[..bytes].copy_from_slice(&other.plane_from(plane, first)[..bytes]);
        }
        if let (Some(to), Some(from)) = (&mut stripe.mask, other.mask_from(first)) {
            let bytes = kept as usize * width;
            to[..bytes].copy_from_slice(&from[..bytes]);
        }
        self.end = other.end;
        if let (Some(blanks), Some(from)) = (self.blanks_mut(), other.blanks()) {
            blanks.copy_from(from, (first - other.first) as usize);
        }
        self.stripe(count)
    }

    /// Drops all rows before `row`.
    pub(super) fn forget(&mut self, row: u32) {
        let row = row.clamp(self.first, self.end);
        let dropped = (row - self.first) as usize;
        if dropped == 0 {
            return;
        }
        let kept = (self.end - row) as usize;
        let pixel = self.samples() * self.sample_size;
        // Memory of blank cells is not touched, but in time, data is everywhere: fresh memory costs nothing until it is used.
        let renew = self.blanks().is_some_and(|blanks| blanks.are_mostly_blank(0..dropped));
        let parts = match self.blanks() {
            Some(blanks) => blanks.filled_pixels(dropped..dropped + kept),
            None => vec![(dropped..dropped + kept, iter::once(0..self.width).collect())],
        };
        let buffers =
            self.planes.iter_mut().map(|plane| (plane, pixel)).chain(self.mask.iter_mut().map(|mask| (mask, 1)));
        for (buffer, pixel) in buffers {
            drop_rows(buffer, (self.width * pixel, pixel), dropped, &parts, renew);
        }
        if let Some(blanks) = self.blanks_mut() {
            blanks.forget(dropped);
        }
        self.first = row;
    }
}

/// Moves parts of rows up by `dropped` rows in a buffer; if `renew`, to a new one, if there is memory for it.
fn drop_rows(
    buffer: &mut AlignedBytes,
    (row_bytes, pixel): (usize, usize),
    dropped: usize,
    parts: &[(Range<usize>, Vec<Range<usize>>)],
    renew: bool,
) {
    let len = buffer.bytes().len();
    let mut fresh = AlignedBytes::default();
    let renew = renew && len > RENEWED_BYTES && fresh.grow(len, "a row of tiles").is_ok();
    let mut put = |from: Range<usize>| {
        let to = from.start - dropped * row_bytes;
        if renew {
            fresh.bytes_mut()[to..to + from.len()].copy_from_slice(&buffer.bytes()[from]);
        } else {
            buffer.bytes_mut().copy_within(from, to);
        }
    };
    for (rows, columns) in parts {
        if let [only] = &columns[..]
            && only.len() * pixel == row_bytes
        {
            put(rows.start * row_bytes..rows.end * row_bytes);
            continue;
        }
        for row in rows.clone() {
            for columns in columns {
                put(row * row_bytes + columns.start * pixel..row * row_bytes + columns.end * pixel);
            }
        }
    }
    if renew {
        *buffer = fresh;
    }
}
