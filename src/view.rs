//! Pixels in memory: the stripe that sources fill, and the trait they implement.

use crate::error::{Error, ErrorKind, Result};
use crate::executor::Executor;
use crate::sample::Sample;
use crate::spec::ImageSpec;

/// How the samples of a stripe lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StripeLayout {
    /// One plane; all bands of a pixel lie together: (row, column, band).
    Chunky,
    /// One plane a band: (band, row, column).
    Planar,
}

/// Full rows of an image, top to bottom, to be filled by a [`PixelSource`].
///
/// Samples are in native byte order. Every plane starts at a multiple of 8 bytes, so that it can be seen as samples of
/// any type.
#[derive(Debug)]
pub struct Stripe<'a> {
    /// Columns.
    pub width: usize,
    /// Rows in this stripe.
    pub rows: usize,
    /// Bands.
    pub bands: usize,
    /// Bytes of one sample.
    pub sample_size: usize,
    /// How samples lie in the planes.
    pub layout: StripeLayout,
    /// One plane (chunky) or one a band (planar), each with all rows of the stripe and nothing between them.
    pub planes: Vec<&'a mut [u8]>,
    /// One byte per pixel, 0 = invalid, if the image has a mask.
    pub mask: Option<&'a mut [u8]>,
}

impl Stripe<'_> {
    /// Bytes of one row of one plane.
    #[must_use]
    pub fn row_bytes(&self) -> usize {
        match self.layout {
            StripeLayout::Chunky => self.width * self.bands * self.sample_size,
            StripeLayout::Planar => self.width * self.sample_size,
        }
    }

    /// Copies a run of pixels whose bands lie together to (`row`, `column`).
    ///
    /// `pixels` holds whole pixels of all bands in native byte order; it must end within the row.
    pub fn put_pixels(&mut self, row: usize, column: usize, pixels: &[u8]) {
        let (size, bands) = (self.sample_size, self.bands);
        match self.layout {
            StripeLayout::Chunky => {
                let start = row * self.row_bytes() + column * bands * size;
                self.planes[0][start..start + pixels.len()].copy_from_slice(pixels);
            }
            StripeLayout::Planar => {
                let start = row * self.row_bytes() + column * size;
                let count = pixels.len() / (bands * size);
                for (band, plane) in self.planes.iter_mut().enumerate() {
                    let target = &mut plane[start..start + count * size];
                    copy_strided(target, size, &pixels[band * size..], bands * size, size);
                }
            }
        }
    }

    /// Copies a run of samples of one band to (`row`, `column`).
    ///
    /// `samples` holds whole samples in native byte order; it must end within the row.
    pub fn put_band(&mut self, band: usize, row: usize, column: usize, samples: &[u8]) {
        let (size, bands) = (self.sample_size, self.bands);
        match self.layout {
            StripeLayout::Chunky => {
                let start = row * self.row_bytes() + (column * bands + band) * size;
                copy_strided(&mut self.planes[0][start..], bands * size, samples, size, size);
            }
            StripeLayout::Planar => {
                let start = row * self.row_bytes() + column * size;
                self.planes[band][start..start + samples.len()].copy_from_slice(samples);
            }
        }
    }

    /// Copies the mask of a run of pixels to (`row`, `column`); nothing where the image has no mask.
    pub fn put_mask(&mut self, row: usize, column: usize, mask: &[u8]) {
        let start = row * self.width + column;
        if let Some(target) = &mut self.mask {
            target[start..start + mask.len()].copy_from_slice(mask);
        }
    }
}

/// A rectangle of a stripe. Rectangles that don't overlap can be filled at once by several threads.
#[derive(Debug)]
pub(crate) struct Window<'a> {
    bands: usize,
    sample_size: usize,
    layout: StripeLayout,
    /// By plane, then by row: the part of the row that lies in the rectangle.
    planes: Vec<Vec<&'a mut [u8]>>,
    /// By row; empty without a mask.
    mask: Vec<&'a mut [u8]>,
}

impl Window<'_> {
    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.planes.first().map_or(0, Vec::len)
    }

    /// Copies a row of pixels whose bands lie together, from the left edge on.
    pub(crate) fn put_pixels(&mut self, row: usize, pixels: &[u8]) {
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

    /// Copies a row of samples of one band, from the left edge on.
    pub(crate) fn put_band(&mut self, band: usize, row: usize, samples: &[u8]) {
        let size = self.sample_size;
        match self.layout {
            StripeLayout::Chunky => {
                let target = &mut self.planes[0][row][band * size..];
                copy_strided(target, self.bands * size, samples, size, size);
            }
            StripeLayout::Planar => self.planes[band][row][..samples.len()].copy_from_slice(samples),
        }
    }

    /// The mask of a row; `None` where the image has none.
    pub(crate) fn mask_row(&mut self, row: usize) -> Option<&mut [u8]> {
        self.mask.get_mut(row).map(|row| &mut **row)
    }
}

impl Stripe<'_> {
    /// Cuts the stripe into rectangles, from the left to the right and then downwards. `row_ends` and `column_ends` say
    /// where each ends; they grow up to the end of the stripe.
    pub(crate) fn windows(&mut self, row_ends: &[usize], column_ends: &[usize]) -> Vec<Window<'_>> {
        let row_bytes = self.row_bytes();
        let pixel = row_bytes / self.width.max(1);
        let row_starts = std::iter::once(0).chain(row_ends.iter().copied());
        let mut windows = Vec::with_capacity(row_ends.len() * column_ends.len());
        for rows in row_starts.zip(row_ends).map(|(start, end)| end - start) {
            windows.extend(column_ends.iter().map(|_| Window {
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
}

/// Copies items of `size` bytes between two strided runs, until either ends.
fn copy_strided(target: &mut [u8], target_step: usize, source: &[u8], source_step: usize, size: usize) {
    fn copy<const N: usize>(target: &mut [u8], target_step: usize, source: &[u8], source_step: usize) {
        for (to, from) in target.chunks_mut(target_step).zip(source.chunks(source_step)) {
            if let (Some(to), Some(from)) = (to.first_chunk_mut::<N>(), from.first_chunk::<N>()) {
                *to = *from;
            }
        }
    }
    match size {
        1 => copy::<1>(target, target_step, source, source_step),
        2 => copy::<2>(target, target_step, source, source_step),
        4 => copy::<4>(target, target_step, source, source_step),
        8 => copy::<8>(target, target_step, source, source_step),
        _ => copy::<16>(target, target_step, source, source_step),
    }
}

/// Something that gives the rows of an image, each once, from top to bottom.
pub trait PixelSource {
    /// What the pixels are.
    fn spec(&self) -> &ImageSpec;

    /// Fills `stripe` with the rows from `first_row` on; `first_row` grows from call to call without gaps.
    ///
    /// # Errors
    /// Whatever keeps the rows from being read.
    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()>;
}

impl<S: PixelSource + ?Sized> PixelSource for &mut S {
    fn spec(&self) -> &ImageSpec {
        (**self).spec()
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        (**self).read_rows(first_row, stripe, executor)
    }
}

impl<S: PixelSource + ?Sized> PixelSource for Box<S> {
    fn spec(&self) -> &ImageSpec {
        (**self).spec()
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        (**self).read_rows(first_row, stripe, executor)
    }
}

/// A whole image in a slice.
///
/// ```
/// use cogsmith::{DataType, ImageSpec, SliceSource};
/// let pixels = vec![0u16; 300 * 200];
/// let source = SliceSource::new(ImageSpec::new(300, 200, 1, DataType::U16), &pixels)?;
/// # Ok::<(), cogsmith::Error>(())
/// ```
#[derive(Debug)]
pub struct SliceSource<'a> {
    spec: ImageSpec,
    pixels: &'a [u8],
    mask: Option<&'a [u8]>,
    layout: StripeLayout,
}

impl<'a> SliceSource<'a> {
    /// An image whose bands lie together: (row, column, band).
    ///
    /// # Errors
    /// [`ErrorKind::PixelCount`] where the slice has another length than the spec asks for,
    /// [`ErrorKind::InvalidImage`] where `T` is not the spec's type.
    pub fn new<T: Sample>(spec: ImageSpec, pixels: &'a [T]) -> Result<Self> {
        Self::with_layout(spec, pixels, StripeLayout::Chunky)
    }

    /// An image whose bands lie one after the other: (band, row, column).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn planar<T: Sample>(spec: ImageSpec, pixels: &'a [T]) -> Result<Self> {
        Self::with_layout(spec, pixels, StripeLayout::Planar)
    }

    fn with_layout<T: Sample>(mut spec: ImageSpec, pixels: &'a [T], layout: StripeLayout) -> Result<Self> {
        if T::DATA_TYPE != spec.data_type {
            return Err(Error::image(format!("pixels are {}, the image is {}", T::DATA_TYPE, spec.data_type)));
        }
        let expected = u64::from(spec.width) * u64::from(spec.height) * u64::from(spec.bands);
        check_count("samples of the image", expected, pixels.len())?;
        spec.mask = false;
        Ok(Self { spec, pixels: bytemuck::cast_slice(pixels), mask: None, layout })
    }

    /// Adds a mask, one byte per pixel: (row, column), 0 = invalid.
    ///
    /// # Errors
    /// [`ErrorKind::PixelCount`] where the mask has another length than the image has pixels.
    pub fn with_mask(mut self, mask: &'a [u8]) -> Result<Self> {
        check_count("pixels of the mask", u64::from(self.spec.width) * u64::from(self.spec.height), mask.len())?;
        self.mask = Some(mask);
        self.spec.mask = true;
        Ok(self)
    }
}

fn check_count(what: &'static str, expected: u64, got: usize) -> Result<()> {
    let got = got as u64;
    if expected == got { Ok(()) } else { Err(ErrorKind::PixelCount { what, expected, got }.into()) }
}

impl PixelSource for SliceSource<'_> {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, _executor: &Executor) -> Result<()> {
        let first_row = first_row as usize;
        let pixel_row = stripe.width * stripe.sample_size;
        for row in 0..stripe.rows {
            let source_row = first_row + row;
            match self.layout {
                StripeLayout::Chunky => {
                    let length = pixel_row * stripe.bands;
                    stripe.put_pixels(row, 0, &self.pixels[source_row * length..][..length]);
                }
                StripeLayout::Planar => {
                    for band in 0..stripe.bands {
                        let start = (band * self.spec.height as usize + source_row) * pixel_row;
                        stripe.put_band(band, row, 0, &self.pixels[start..][..pixel_row]);
                    }
                }
            }
            if let Some(mask) = self.mask {
                stripe.put_mask(row, 0, &mask[source_row * stripe.width..][..stripe.width]);
            }
        }
        Ok(())
    }
}
