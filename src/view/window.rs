//! Rectangles of a stripe that several threads can fill at the same time.

use bytemuck::Pod;

use crate::executor::Executor;

use super::{Stripe, StripeLayout, copy_strided};

/// Bytes of a piece of a stripe that one thread fills.
const PIECE_BYTES: usize = 256 * 1024;

/// A rectangle of a stripe. Several threads can fill disjoint rectangles at the same time.
#[derive(Debug)]
pub struct StripeWindow<'a> {
    bands: usize,
    sample_size: usize,
    layout: StripeLayout,
    /// By plane, then by row: the part of the row within the rectangle.
    planes: Vec<Vec<&'a mut [u8]>>,
    /// By row; empty without a mask.
    mask: Vec<&'a mut [u8]>,
}

impl<'a> StripeWindow<'a> {
    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.planes.first().map_or(0, Vec::len)
    }

    /// Returns the rows of the window, if they contain exactly what [`put_pixels`](Self::put_pixels), or
    /// [`put_band`](Self::put_band) for a band, would copy.
    #[cfg(any(feature = "geotiff", feature = "mosaic"))]
    pub(crate) fn rows_mut(&mut self, band: Option<usize>) -> Option<&mut [&'a mut [u8]]> {
        let plane = match (self.layout, band) {
            (StripeLayout::Planar, Some(band)) => band,
            (_, _) if self.bands == 1 => 0,
            (StripeLayout::Chunky, None) => 0,
            _ => return None,
        };
        self.planes.get_mut(plane).map(Vec::as_mut_slice)
    }

    /// Copies a row of pixels, with the bands of each pixel together, starting at the left edge.
    pub fn put_pixels(&mut self, row: usize, pixels: &[u8]) {
        let (size, bands) = (self.sample_size, self.bands);
        match self.layout {
            StripeLayout::Chunky => self.planes[0][row][..pixels.len()].copy_from_slice(pixels),
            StripeLayout::Planar => {
                for (band, plane) in self.planes.iter_mut().enumerate() {
                    copy_strided(&mut *plane[row], size, &pixels[band * size..], bands * size, size);
                }
            }
        }
    }

    /// Copies a row of samples of one band, starting at the left edge.
    pub fn put_band(&mut self, band: usize, row: usize, samples: &[u8]) {
        let size = self.sample_size;
        match self.layout {
            StripeLayout::Chunky => {
                let target = &mut self.planes[0][row][band * size..];
                copy_strided(target, self.bands * size, samples, size, size);
            }
            StripeLayout::Planar => self.planes[band][row][..samples.len()].copy_from_slice(samples),
        }
    }

    /// Copies a row of samples of every band, starting at the left edge.
    pub fn put_bands(&mut self, row: usize, bands: &[&[u8]]) {
        if self.layout == StripeLayout::Planar || bands.len() == 1 {
            for (band, samples) in bands.iter().enumerate() {
                self.put_band(band, row, samples);
            }
            return;
        }
        let target = &mut *self.planes[0][row];
        match self.sample_size {
            1 => weave::<u8>(target, bands),
            2 => weave::<u16>(target, bands),
            4 => weave::<u32>(target, bands),
            8 => weave::<u64>(target, bands),
            _ => weave::<[u64; 2]>(target, bands),
        }
    }

    /// Returns the mask of a row, or `None` if the image has no mask.
    pub fn mask_row(&mut self, row: usize) -> Option<&mut [u8]> {
        self.mask.get_mut(row).map(|row| &mut **row)
    }
}

impl Stripe<'_> {
    /// Splits the stripe into rectangles, ordered from left to right and then from top to bottom. `row_ends` and
    /// `column_ends` are their ends, in ascending order up to the end of the stripe.
    pub(crate) fn windows(&mut self, row_ends: &[usize], column_ends: &[usize]) -> Vec<StripeWindow<'_>> {
        let row_bytes = self.row_bytes();
        let pixel = row_bytes / self.width.max(1);
        let row_starts = std::iter::once(0).chain(row_ends.iter().copied());
        let mut windows = Vec::with_capacity(row_ends.len() * column_ends.len());
        for rows in row_starts.zip(row_ends).map(|(start, end)| end - start) {
            windows.extend(column_ends.iter().map(|_| StripeWindow {
                bands: self.bands,
                sample_size: self.sample_size,
                layout: self.layout,
                planes: self.planes.iter().map(|_| Vec::with_capacity(rows)).collect(),
                mask: Vec::with_capacity(if self.mask.is_some() { rows } else { 0 }),
            }));
        }
        let across = column_ends.len();
        let window_of = |row: usize| row_ends.partition_point(|end| *end <= row) * across;
        for (index, plane) in self.planes.iter_mut().enumerate() {
            for (row, mut rest) in plane.chunks_exact_mut(row_bytes).enumerate() {
                let mut done = 0;
                for (column, end) in column_ends.iter().enumerate() {
                    let (part, after) = rest.split_at_mut((end - done) * pixel);
                    windows[window_of(row) + column].planes[index].push(part);
                    (rest, done) = (after, *end);
                }
            }
        }
        if let Some(mask) = &mut self.mask {
            for (row, mut rest) in mask.chunks_exact_mut(self.width).enumerate() {
                let mut done = 0;
                for (column, end) in column_ends.iter().enumerate() {
                    let (part, after) = rest.split_at_mut(end - done);
                    windows[window_of(row) + column].mask.push(part);
                    (rest, done) = (after, *end);
                }
            }
        }
        windows
    }

    /// Returns `rows` rows from row `first` on as a stripe of their own.
    pub(crate) fn part(&mut self, first: usize, rows: usize) -> Stripe<'_> {
        let (row_bytes, width) = (self.row_bytes(), self.width);
        let planes = self.planes.iter_mut().map(|plane| &mut plane[first * row_bytes..][..rows * row_bytes]).collect();
        let mask = self.mask.as_mut().map(|mask| &mut mask[first * width..][..rows * width]);
        Stripe {
            width,
            rows,
            bands: self.bands,
            sample_size: self.sample_size,
            layout: self.layout,
            planes,
            mask,
            blanks: None,
        }
    }

    /// Fills all rows on all threads of `executor`, the one that [`PixelSource::read_rows`](super::PixelSource::read_rows)
    /// receives: `fill` gets the index of a row, a window, and the row within that window.
    pub fn fill(&mut self, executor: &Executor, fill: impl Fn(usize, &mut StripeWindow<'_>, usize) + Sync + Send) {
        let rows = (PIECE_BYTES / (self.row_bytes() * self.planes.len()).max(1)).max(1);
        let row_ends: Vec<usize> = (1..=self.rows.div_ceil(rows)).map(|piece| (piece * rows).min(self.rows)).collect();
        let width = self.width;
        let pieces = self.windows(&row_ends, &[width]).into_iter().enumerate().collect();
        executor.map(pieces, |(piece, mut window): (usize, StripeWindow<'_>)| {
            for row in 0..window.rows() {
                fill(piece * rows + row, &mut window, row);
            }
        });
    }
}

/// Interleaves the samples of bands. Rows of stripes are aligned to the size of a sample, those of a caller may not be.
fn weave<T: Pod>(target: &mut [u8], bands: &[&[u8]]) {
    fn fixed<T: Pod, const BANDS: usize>(target: &mut [T], bands: &[&[T]]) {
        let Ok(bands) = <[&[T]; BANDS]>::try_from(bands) else { return };
        let pixels = target.len() / BANDS;
        let bands = bands.map(|band| &band[..pixels]);
        for (index, pixel) in target.as_chunks_mut::<BANDS>().0.iter_mut().enumerate() {
            *pixel = bands.map(|band| band[index]);
        }
    }
    let typed: Option<Vec<&[T]>> = bands.iter().map(|band| bytemuck::try_cast_slice(band).ok()).collect();
    let (Some(typed), Ok(samples)) = (typed, bytemuck::try_cast_slice_mut::<u8, T>(target)) else {
        let size = size_of::<T>();
        for (index, band) in bands.iter().enumerate() {
            copy_strided(&mut target[index * size..], bands.len() * size, band, size, size);
        }
        return;
    };
    match typed.len() {
        2 => fixed::<T, 2>(samples, &typed),
        3 => fixed::<T, 3>(samples, &typed),
        4 => fixed::<T, 4>(samples, &typed),
        count => {
            for (index, pixel) in samples.chunks_exact_mut(count).enumerate() {
                for (to, band) in pixel.iter_mut().zip(&typed) {
                    *to = band[index];
                }
            }
        }
    }
}
