//! `ndarray` views as a source: two or three axes, bands first or last, any strides.

use std::borrow::Cow;

use ndarray::{ArrayView1, ArrayView2, ArrayView3, Axis};

use crate::error::{Error, ErrorKind, Result};
use crate::executor::Executor;
use crate::sample::Sample;
use crate::spec::ImageSpec;
use crate::view::{PixelSource, Stripe};

/// An image in an `ndarray` view. Each row is copied once, straight into the encoder's buffers.
///
/// ```
/// use cogsmith::{ArraySource, CogPlan, EncodeOptions, GeoRef, Metadata, PixelSource};
/// use ndarray::Array3;
/// let pixels = Array3::<f32>::zeros((4, 600, 800)); // band, row, column
/// let mut source = ArraySource::bands_first(pixels.view())?;
/// let spec = source.spec().clone().nodata(-9999.0);
/// let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &EncodeOptions::default())?;
/// let file = cogsmith::encode_to_vec(&mut source, &plan)?;
/// # Ok::<(), cogsmith::Error>(())
/// ```
#[derive(Debug)]
pub struct ArraySource<'a, T> {
    spec: ImageSpec,
    /// (row, column, band)
    pixels: ArrayView3<'a, T>,
    mask: Option<ArrayView2<'a, u8>>,
}

impl<'a, T: Sample> ArraySource<'a, T> {
    /// Makes a source with one band from an array of shape (rows, columns).
    ///
    /// # Errors
    /// [`ErrorKind::Limit`] if the view is larger than TIFF allows, [`ErrorKind::InvalidImage`] if it is empty.
    pub fn new(pixels: ArrayView2<'a, T>) -> Result<Self> {
        Self::bands_last(pixels.insert_axis(Axis(2)))
    }

    /// Makes a source from an array of shape (bands, rows, columns).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn bands_first(pixels: ArrayView3<'a, T>) -> Result<Self> {
        Self::bands_last(pixels.permuted_axes([1, 2, 0]))
    }

    /// Makes a source from an array of shape (rows, columns, bands).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn bands_last(pixels: ArrayView3<'a, T>) -> Result<Self> {
        let (height, width, bands) = pixels.dim();
        let side = |what: &str, length: usize| {
            u32::try_from(length).map_err(|_| Error::limit(what, length as u64, u32::MAX.into()))
        };
        let bands = u16::try_from(bands).map_err(|_| Error::limit("bands", bands as u64, u16::MAX.into()))?;
        let spec = ImageSpec::new(side("columns", width)?, side("rows", height)?, bands, T::DATA_TYPE);
        spec.validate()?;
        Ok(Self { spec, pixels, mask: None })
    }

    /// Adds a mask of shape (rows, columns), 0 = invalid.
    ///
    /// # Errors
    /// [`ErrorKind::PixelCount`] if the shape of the mask differs from that of the image.
    pub fn with_mask(mut self, mask: ArrayView2<'a, u8>) -> Result<Self> {
        let (height, width, _) = self.pixels.dim();
        if mask.dim() != (height, width) {
            let (expected, got) = ((height * width) as u64, mask.len() as u64);
            return Err(ErrorKind::PixelCount { what: "pixels of the mask", expected, got }.into());
        }
        self.mask = Some(mask);
        self.spec.mask = true;
        Ok(self)
    }
}

impl<T: Sample> PixelSource for ArraySource<'_, T> {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn can_skip_rows(&self) -> bool {
        true
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        let (pixels, mask) = (self.pixels.view(), self.mask);
        stripe.fill(executor, |row, window, window_row| {
            let source_row = first_row as usize + row;
            let pixels = pixels.index_axis(Axis(0), source_row);
            if let Some(pixels) = pixels.as_slice() {
                window.put_pixels(window_row, bytemuck::cast_slice(pixels));
            } else {
                // Gather samples that are not contiguous first.
                let gather = |samples: ArrayView1<'_, T>| samples.iter().copied().collect::<Vec<T>>();
                let bands: Vec<Cow<'_, [T]>> = pixels
                    .axis_iter(Axis(1))
                    .map(|samples| samples.to_slice().map_or_else(|| Cow::Owned(gather(samples)), Cow::Borrowed))
                    .collect();
                let bands: Vec<&[u8]> = bands.iter().map(|band| bytemuck::cast_slice(band)).collect();
                window.put_bands(window_row, &bands);
            }
            if let (Some(mask), Some(target)) = (&mask, window.mask_row(window_row)) {
                target.iter_mut().zip(mask.index_axis(Axis(0), source_row)).for_each(|(to, from)| *to = *from);
            }
        });
        Ok(())
    }
}
