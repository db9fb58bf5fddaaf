//! The warp as a source of rows.

use std::ops::Range;

use cogsmith_warp::{CELL, Leaf, Mapping};

use crate::buffer::AlignedBytes;
use crate::error::{Error, Result};
use crate::executor::Executor;
use crate::geo::{GeoRef, Metadata};
use crate::options::Resampling;
use crate::sample::{Number, real};
use crate::source::RasterSource;
use crate::spec::ImageSpec;
use crate::view::{PixelSource, Stripe, StripeLayout, StripeWindow};

use super::WarpReport;
use super::kernel::Kernel;
use super::sample::{Rows, Rules, Scratch, pixel};

/// Bytes of source rows in memory beyond which there is a warning.
const MANY_BYTES: u64 = 1 << 30;

/// A source whose pixels are those of another one in another CRS, or on another grid: [`WarpOptions::apply`](super::WarpOptions::apply).
///
/// Rows of the target are computed as they are read, from a window of rows of the source that moves down. Pixels do not depend
/// on the number of rows that are read at once, or on threads.
#[derive(Debug)]
pub struct WarpedSource<S> {
    inner: S,
    spec: ImageSpec,
    geo: GeoRef,
    metadata: Metadata,
    warnings: Vec<String>,
    report: WarpReport,
    resampling: Resampling,
    widens: bool,
    mapping: Mapping,
    /// By row of cells: the rows of the source from which on rows are kept, and before which they are read.
    windows: Vec<Range<u32>>,
    ring: Ring,
    /// The squares of a row of cells, by cell.
    leaves: Vec<Vec<Leaf>>,
    /// The row of cells that `leaves` are those of.
    leaves_of: Option<u32>,
}

/// Rows of the source, row `r` in place `r` modulo the number of places.
#[derive(Debug, Default)]
struct Ring {
    samples: AlignedBytes,
    mask: AlignedBytes,
    places: u32,
    /// The row after the last one that was read.
    next: u32,
}

impl<S: RasterSource> WarpedSource<S> {
    pub(super) fn new(
        inner: S,
        mapping: Mapping,
        (geo, metadata): (GeoRef, Metadata),
        (resampling, widens): (Resampling, bool),
        (report, notes): (WarpReport, Vec<String>),
        executor: &Executor,
    ) -> Result<Self> {
        let from = inner.spec();
        let mask = from.mask || super::needs_mask(from);
        let target = mapping.target();
        let spec = from.clone().width(target.width).height(target.height).mask(mask).overviews([]);
        let mut warnings = [inner.warnings(), &notes].concat();
        let windows = windows(&mapping, resampling, from.height, executor);
        let places = windows.iter().map(|rows| rows.end - rows.start.min(rows.end)).max().unwrap_or(0);
        if windows.last().is_none_or(|rows| rows.end == 0) {
            return Err(Error::image(
                "no pixel of the target is within the image; check its georeference and the extent",
            ));
        }
        let bytes = u64::from(places) * row_bytes(from) as u64;
        if bytes > MANY_BYTES {
            let share = 100 * u64::from(places) / u64::from(from.height.max(1));
            warnings.push(format!(
                "rows of the target cross many rows of the input: {share} % of the input, {} MiB, are in memory at once",
                bytes >> 20
            ));
        }
        let ring = Ring { places, ..Ring::default() };
        let (leaves, leaves_of) = (Vec::new(), None);
        Ok(Self {
            inner,
            spec,
            geo,
            metadata,
            warnings,
            report,
            resampling,
            widens,
            mapping,
            windows,
            ring,
            leaves,
            leaves_of,
        })
    }

    /// Returns what the warp is.
    pub fn report(&self) -> &WarpReport {
        &self.report
    }

    /// Reads the rows of the source that a row of cells needs.
    fn read_window(&mut self, cell_row: u32, executor: &Executor) -> Result<()> {
        const WHAT: &str = "rows of the input of a warp";
        let window = self.windows[cell_row as usize].clone();
        let from = self.inner.spec().clone();
        let (row_bytes, width) = (row_bytes(&from), from.width as usize);
        let ring = &mut self.ring;
        if self.inner.can_skip_rows() {
            ring.next = ring.next.max(window.start.min(window.end));
        }
        ring.samples.grow(ring.places as usize * row_bytes, WHAT)?;
        if from.mask {
            ring.mask.grow(ring.places as usize * width, WHAT)?;
        }
        while ring.next < window.end {
            let place = ring.next % ring.places;
            let rows = (window.end - ring.next).min(ring.places - place);
            let (start, count) = (place as usize, rows as usize);
            let plane = &mut ring.samples.bytes_mut()[start * row_bytes..][..count * row_bytes];
            let mask = from.mask.then(|| &mut ring.mask.bytes_mut()[start * width..][..count * width]);
            let mut stripe = Stripe::new(&from, count, StripeLayout::Chunky, vec![plane], mask)?;
            self.inner.read_rows(ring.next, &mut stripe, executor)?;
            ring.next += rows;
        }
        Ok(())
    }

    /// Computes the squares of a row of cells.
    fn map_cells(&mut self, cell_row: u32, executor: &Executor) {
        if self.leaves_of != Some(cell_row) {
            let mapping = &self.mapping;
            let cells = (0..mapping.cells()[0]).collect();
            self.leaves = executor.map(cells, |column| leaves_of(mapping, column, cell_row));
            self.leaves_of = Some(cell_row);
        }
    }

    /// Computes rows of the target that are in one row of cells.
    fn fill(&self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Option<()> {
        let from = self.inner.spec();
        let bytes = self.ring.samples.bytes();
        let mask = if from.mask { self.ring.mask.bytes() } else { &[] };
        let (places, width, bands) = (self.ring.places as usize, from.width as usize, usize::from(from.bands));
        let (rows, columns, leaves) = (stripe.rows, stripe.width, &self.leaves);
        let (resampling, widens) = (self.resampling, self.widens);
        let ends: Vec<usize> = (1..=leaves.len()).map(|cell| (cell * CELL as usize).min(columns)).collect();
        let windows: Vec<_> = stripe.windows(&[rows], &ends).into_iter().enumerate().collect();
        real!(from.data_type, T => {
            let source = Rows::<'_, T> { samples: bytemuck::cast_slice(bytes), mask, places, width, bands };
            let rules = Rules::<T>::of(from, resampling, widens);
            executor.map(windows, |(cell, mut window): (usize, StripeWindow<'_>)| {
                let first_column = cell * CELL as usize;
                let place = (first_column, first_row as usize, ends[cell] - first_column);
                render(&rules, &source, &leaves[cell], place, &mut window);
            });
            Some(())
        })
    }
}

/// Computes the pixels of a window that starts at a column and a row of the target, and has a width.
fn render<T: Number>(
    rules: &Rules<T>,
    source: &Rows<'_, T>,
    leaves: &[Leaf],
    (first_column, first_row, width): (usize, usize, usize),
    window: &mut StripeWindow<'_>,
) {
    let (bands, rows) = (source.bands, window.rows());
    let mut samples = vec![rules.fill; rows * width * bands];
    let mut mask = vec![0u8; rows * width];
    let mut scratch = Scratch::default();
    // The part of a square that is within the window.
    let part = |start: u32, side: u32, first: usize, count: usize| {
        let end = (start as usize + side as usize).min(first + count);
        (start as usize).max(first)..end
    };
    for leaf in leaves {
        for row in part(leaf.row, leaf.side, first_row, rows) {
            for column in part(leaf.column, leaf.side, first_column, width) {
                let index = (row - first_row) * width + column - first_column;
                #[expect(clippy::cast_possible_truncation, reason = "of the target")]
                let point = leaf.source(column as u32, row as u32);
                let target = &mut samples[index * bands..][..bands];
                mask[index] = if pixel(rules, source, leaf, point, &mut scratch, target) { u8::MAX } else { 0 };
            }
        }
    }
    for row in 0..rows {
        window.put_pixels(row, bytemuck::cast_slice(&samples[row * width * bands..][..width * bands]));
        if let Some(target) = window.mask_row(row) {
            target.copy_from_slice(&mask[row * width..][..width]);
        }
    }
}

impl<S: RasterSource> PixelSource for WarpedSource<S> {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        let mut done = 0;
        while done < stripe.rows {
            let row = first_row + u32::try_from(done).unwrap_or(u32::MAX);
            let cell_row = row / CELL;
            let rows = ((cell_row + 1) * CELL - row) as usize;
            let rows = rows.min(stripe.rows - done);
            self.read_window(cell_row, executor)?;
            self.map_cells(cell_row, executor);
            let filled = self.fill(row, &mut stripe.part(done, rows), executor);
            filled.ok_or_else(|| Error::unsupported("a warp of complex samples"))?;
            done += rows;
        }
        Ok(())
    }
}

impl<S: RasterSource> RasterSource for WarpedSource<S> {
    fn geo(&self) -> &GeoRef {
        &self.geo
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

fn row_bytes(spec: &ImageSpec) -> usize {
    spec.width as usize * usize::from(spec.bands) * spec.data_type.size()
}

fn leaves_of(mapping: &Mapping, column: u32, row: u32) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    mapping.cell([column, row], &mut leaves);
    leaves
}

/// Returns the rows of the source that each row of cells needs in memory: from the first one that it or a later row of cells needs,
/// to the last one that it or an earlier one needs.
fn windows(mapping: &Mapping, resampling: Resampling, height: u32, executor: &Executor) -> Vec<Range<u32>> {
    let [columns, rows] = mapping.cells();
    let mut windows: Vec<Range<u32>> = executor.map((0..rows).collect(), |row| {
        let spans = (0..columns).flat_map(|column| leaves_of(mapping, column, row));
        let spans = spans.filter_map(|leaf| span(&leaf, resampling, height));
        let none = Range { start: u32::MAX, end: 0 };
        spans.fold(none, |a, b| a.start.min(b.start)..a.end.max(b.end))
    });
    let mut end = 0;
    for window in &mut windows {
        end = end.max(window.end);
        window.end = end;
    }
    let mut start = u32::MAX;
    for window in windows.iter_mut().rev() {
        start = start.min(window.start);
        window.start = start;
    }
    windows
}

/// Returns the rows of the source that a square needs; `None` if it is outside of the source.
fn span(leaf: &Leaf, resampling: Resampling, height: u32) -> Option<Range<u32>> {
    let [top, bottom] = leaf.rows();
    let reach = match Kernel::of(resampling) {
        Some(kernel) => (kernel.radius() * leaf.scale()[1]).ceil(),
        None => leaf.footprint()[1],
    };
    // The rounding of coordinates can move a place across the edge of a pixel.
    let (first, end) = ((top - reach).floor() - 1.0, (bottom + reach).ceil() + 1.0);
    let height = f64::from(height);
    if !(end > 0.0 && first < height) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the image")]
    let rows = first.clamp(0.0, height) as u32..end.clamp(0.0, height) as u32;
    Some(rows)
}
