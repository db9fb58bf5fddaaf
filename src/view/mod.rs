//! Pixels in memory: the stripe that sources fill, and the trait that they implement.

mod blank;
mod nodata;
mod window;

use crate::error::{Error, ErrorKind, Result};
use crate::executor::Executor;
use crate::sample::Sample;
use crate::spec::ImageSpec;

pub(crate) use blank::{BlankArea, Blanks};
pub(crate) use nodata::{NodataRule, can_be_nodata, mask_nodata};
pub use window::StripeWindow;

/// Memory layout of the samples of a stripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StripeLayout {
    /// One plane with the bands of each pixel together: (row, column, band).
    Chunky,
    /// One plane per band: (band, row, column).
    Planar,
}

/// Full rows of an image, top to bottom, to be filled by a [`PixelSource`].
///
/// Samples are in native byte order. Every plane is aligned to 8 bytes, so it can be viewed as samples of any type.
#[derive(Debug)]
#[non_exhaustive]
pub struct Stripe<'a> {
    /// Number of columns.
    pub width: usize,
    /// Number of rows in this stripe.
    pub rows: usize,
    /// Number of bands.
    pub bands: usize,
    /// Size of a sample in bytes.
    pub sample_size: usize,
    /// Layout of samples in the planes.
    pub layout: StripeLayout,
    /// One plane (chunky) or one per band (planar), each with all rows of the stripe, contiguous.
    pub planes: Vec<&'a mut [u8]>,
    /// Mask with one byte per pixel, 0 = invalid, if the image has one.
    pub mask: Option<&'a mut [u8]>,
    /// The parts left blank; `None` if all pixels have to be filled.
    pub(crate) blanks: Option<&'a mut Blanks>,
}

impl<'a> Stripe<'a> {
    /// Makes a stripe of `rows` full rows of an image, for reading a source outside of an encoder.
    ///
    /// # Errors
    /// [`ErrorKind::PixelCount`] if the number of planes, or the length of a plane or of the mask, does not match.
    pub fn new(
        spec: &ImageSpec,
        rows: usize,
        layout: StripeLayout,
        planes: Vec<&'a mut [u8]>,
        mask: Option<&'a mut [u8]>,
    ) -> Result<Self> {
        let (width, bands, sample_size) = (spec.width as usize, usize::from(spec.bands), spec.data_type.size());
        let stripe = Self { width, rows, bands, sample_size, layout, planes, mask, blanks: None };
        let count = if layout == StripeLayout::Chunky { 1 } else { bands };
        check_count("planes of a stripe", count as u64, stripe.planes.len())?;
        for plane in &stripe.planes {
            check_count("bytes of a plane", stripe.row_bytes() as u64 * rows as u64, plane.len())?;
        }
        if let Some(mask) = &stripe.mask {
            check_count("pixels of the mask", u64::from(spec.width) * rows as u64, mask.len())?;
        }
        Ok(stripe)
    }
}

impl Stripe<'_> {
    /// Returns the size of one row of one plane in bytes.
    #[must_use]
    pub fn row_bytes(&self) -> usize {
        match self.layout {
            StripeLayout::Chunky => self.width * self.bands * self.sample_size,
            StripeLayout::Planar => self.width * self.sample_size,
        }
    }

    /// Copies a run of pixels, with the bands of each pixel together, to (`row`, `column`).
    ///
    /// `pixels` contains whole pixels of all bands in native byte order; the run must end within the row.
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
    /// `samples` contains whole samples in native byte order; the run must end within the row.
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

    /// Copies the mask of a run of pixels to (`row`, `column`); does nothing if the image has no mask.
    pub fn put_mask(&mut self, row: usize, column: usize, mask: &[u8]) {
        let start = row * self.width + column;
        if let Some(target) = &mut self.mask {
            target[start..start + mask.len()].copy_from_slice(mask);
        }
    }
}

/// Copies items of `size` bytes between two strided runs, until either ends.
fn copy_strided(target: &mut [u8], target_step: usize, source: &[u8], source_step: usize, size: usize) {
    if target_step == size && source_step == size {
        let length = target.len().min(source.len());
        target[..length].copy_from_slice(&source[..length]);
        return;
    }
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

/// A source of the rows of an image, which are read once, from top to bottom.
pub trait PixelSource {
    /// Returns the description of the image.
    fn spec(&self) -> &ImageSpec;

    /// Fills `stripe` with the rows starting at `first_row`, which increases from call to call, without gaps unless
    /// [`can_skip_rows`](Self::can_skip_rows) allows them.
    ///
    /// # Errors
    /// Any error that prevents the rows from being read.
    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()>;

    /// Like [`read_rows`](Self::read_rows), but parts without data may be [left blank](Stripe::leave_blank) instead of being
    /// filled, so that they take no time. An encoder that leaves out tiles ([`Sparse`](crate::Sparse)) calls this one. A source
    /// that passes the rows of another on unchanged forwards it. Default: `read_rows`.
    ///
    /// # Errors
    /// The same as for `read_rows`.
    fn read_sparse_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        self.read_rows(first_row, stripe, executor)
    }

    /// Returns whether rows that are not needed can be left out. Default: `false`; they are then read and dropped.
    fn can_skip_rows(&self) -> bool {
        false
    }

    /// Takes the sources of the overviews that the [spec](ImageSpec::overviews) lists, in that order; called at most once.
    /// Their pixels have the same bands, type, and mask as full resolution. Default: none.
    ///
    /// # Errors
    /// Any error that prevents the overviews from being opened.
    fn take_overviews(&mut self) -> Result<Vec<Box<dyn PixelSource + Send>>> {
        Ok(Vec::new())
    }
}

impl<S: PixelSource + ?Sized> PixelSource for &mut S {
    fn spec(&self) -> &ImageSpec {
        (**self).spec()
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        (**self).read_rows(first_row, stripe, executor)
    }

    fn read_sparse_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        (**self).read_sparse_rows(first_row, stripe, executor)
    }

    fn can_skip_rows(&self) -> bool {
        (**self).can_skip_rows()
    }

    fn take_overviews(&mut self) -> Result<Vec<Box<dyn PixelSource + Send>>> {
        (**self).take_overviews()
    }
}

impl<S: PixelSource + ?Sized> PixelSource for Box<S> {
    fn spec(&self) -> &ImageSpec {
        (**self).spec()
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        (**self).read_rows(first_row, stripe, executor)
    }

    fn read_sparse_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        (**self).read_sparse_rows(first_row, stripe, executor)
    }

    fn can_skip_rows(&self) -> bool {
        (**self).can_skip_rows()
    }

    fn take_overviews(&mut self) -> Result<Vec<Box<dyn PixelSource + Send>>> {
        (**self).take_overviews()
    }
}

/// A source for a whole image in a slice.
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
    /// Creates a source for an image with the bands of each pixel together: (row, column, band).
    ///
    /// # Errors
    /// [`ErrorKind::PixelCount`] if the length of the slice does not match the spec, [`ErrorKind::InvalidImage`] if `T`
    /// is not the spec's data type.
    pub fn new<T: Sample>(spec: ImageSpec, pixels: &'a [T]) -> Result<Self> {
        Self::with_layout(spec, pixels, StripeLayout::Chunky)
    }

    /// Creates a source for an image with one plane per band: (band, row, column).
    ///
    /// # Errors
    /// The errors of [`new`](Self::new).
    pub fn planar<T: Sample>(spec: ImageSpec, pixels: &'a [T]) -> Result<Self> {
        Self::with_layout(spec, pixels, StripeLayout::Planar)
    }

    fn with_layout<T: Sample>(mut spec: ImageSpec, pixels: &'a [T], layout: StripeLayout) -> Result<Self> {
        if T::DATA_TYPE != spec.data_type {
            return Err(Error::image(format!("pixels are {}, but the image is {}", T::DATA_TYPE, spec.data_type)));
        }
        let expected = u64::from(spec.width) * u64::from(spec.height) * u64::from(spec.bands);
        check_count("samples of the image", expected, pixels.len())?;
        spec.mask = false;
        Ok(Self { spec, pixels: bytemuck::cast_slice(pixels), mask: None, layout })
    }

    /// Adds a mask, one byte per pixel: (row, column), 0 = invalid.
    ///
    /// # Errors
    /// [`ErrorKind::PixelCount`] if the length of the mask is not the number of pixels.
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

    fn can_skip_rows(&self) -> bool {
        true
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        let first_row = first_row as usize;
        let (width, bands) = (stripe.width, stripe.bands);
        let pixel_row = stripe.width * stripe.sample_size;
        let (pixels, mask, height, layout) = (self.pixels, self.mask, self.spec.height as usize, self.layout);
        stripe.fill(executor, |row, window, window_row| {
            let source_row = first_row + row;
            match layout {
                StripeLayout::Chunky => {
                    let length = pixel_row * bands;
                    window.put_pixels(window_row, &pixels[source_row * length..][..length]);
                }
                StripeLayout::Planar => {
                    let band = |band| &pixels[(band * height + source_row) * pixel_row..][..pixel_row];
                    window.put_bands(window_row, &(0..bands).map(band).collect::<Vec<_>>());
                }
            }
            if let (Some(mask), Some(target)) = (mask, window.mask_row(window_row)) {
                target.copy_from_slice(&mask[source_row * width..][..width]);
            }
        });
        Ok(())
    }
}
