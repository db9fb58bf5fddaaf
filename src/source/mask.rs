//! Masks that are computed while rows are read: [`MaskedSource`].

use crate::buffer::AlignedBytes;
use crate::error::{Error, OptionField, Result};
use crate::executor::Executor;
use crate::geo::{GeoRef, Metadata};
use crate::options::{EncodeOptions, MaskPolicy};
use crate::sample::{DataType, dispatch};
use crate::spec::ImageSpec;
use crate::validity::is_transparent;
use crate::view::{NodataRule, PixelSource, Stripe, StripeLayout, mask_nodata};

use super::RasterSource;

/// A source whose mask is dropped, or made from its nodata value or alpha band.
///
/// ```
/// use cogsmith::{DataType, ImageSpec, MaskPolicy, MaskedSource, PixelSource, SliceSource};
/// let spec = ImageSpec::new(2, 1, 1, DataType::U8).nodata(0u64);
/// let source = MaskedSource::new(SliceSource::new(spec, &[0u8, 7])?, MaskPolicy::Nodata)?;
/// assert!(source.spec().mask);
/// # Ok::<(), cogsmith::Error>(())
/// ```
#[derive(Debug)]
pub struct MaskedSource<S> {
    inner: S,
    spec: ImageSpec,
    metadata: Metadata,
    warnings: Vec<String>,
    policy: MaskPolicy,
    made_from: MadeFrom,
}

/// The origin of the mask, in addition to the source's own mask.
#[derive(Debug)]
enum MadeFrom {
    Nothing,
    Nodata(NodataRule),
    /// The alpha band, and a buffer for a stripe that includes it.
    Alpha {
        band: usize,
        pixels: AlignedBytes,
    },
}

impl<S: PixelSource> MaskedSource<S> {
    /// Creates a source with the mask that the policy selects.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) if the mask is made from a nodata value or an
    /// alpha band that the source does not have.
    pub fn new(inner: S, policy: MaskPolicy) -> Result<Self> {
        let mut spec = inner.spec().clone();
        let mut made_from = MadeFrom::Nothing;
        match policy {
            MaskPolicy::Auto => {}
            MaskPolicy::None => spec.mask = false,
            MaskPolicy::Nodata | MaskPolicy::AnyNodata => {
                if spec.nodata.is_none() {
                    return Err(Error::option(OptionField::Mask, "there is no nodata value to make a mask from"));
                }
                spec.mask = true;
                let any = policy == MaskPolicy::AnyNodata;
                made_from = MadeFrom::Nodata(if any { NodataRule::Any } else { NodataRule::All });
            }
            MaskPolicy::Alpha => {
                let (band, _) = spec
                    .alpha_band()
                    .ok_or_else(|| Error::option(OptionField::Mask, "there is no alpha band to make a mask from"))?;
                spec.extra_samples.remove(band - usize::from(spec.photometric.color_bands()));
                spec.bands -= 1;
                spec.mask = true;
                made_from = MadeFrom::Alpha { band, pixels: AlignedBytes::default() };
            }
        }
        Ok(Self { inner, spec, metadata: Metadata::default(), warnings: Vec::new(), policy, made_from })
    }

    /// Returns the inner source.
    pub fn inner(&self) -> &S {
        &self.inner
    }
}

impl<S: RasterSource> MaskedSource<S> {
    /// Creates the source for a file with these options. Masks from nodata are left to the encoder, which makes them from
    /// any source. For a lossy codec, [`MaskPolicy::Auto`] makes alpha the mask; a [warning](RasterSource::warnings) says
    /// so.
    ///
    /// # Errors
    /// The errors of [`new`](Self::new).
    pub fn for_options(inner: S, options: &EncodeOptions) -> Result<Self> {
        let has_alpha = inner.spec().alpha_band().is_some();
        match options.mask {
            MaskPolicy::Auto if options.mixes_pixels() && has_alpha => {
                let mut masked = Self::with_metadata(inner, MaskPolicy::Alpha)?;
                let warning = "the alpha band became the mask, since a lossy codec would change it; partly transparent \
                               pixels are opaque now";
                masked.warnings.push(warning.to_owned());
                Ok(masked)
            }
            MaskPolicy::Nodata | MaskPolicy::AnyNodata => Self::with_metadata(inner, MaskPolicy::Auto),
            policy => Self::with_metadata(inner, policy),
        }
    }

    /// Creates a source as [`new`](Self::new) does, and adapts its metadata: drops the items of a band that becomes the
    /// mask, and the statistics if a mask is dropped.
    ///
    /// # Errors
    /// The errors of [`new`](Self::new).
    pub fn with_metadata(inner: S, policy: MaskPolicy) -> Result<Self> {
        let mut masked = Self::new(inner, policy)?;
        masked.metadata = masked.inner.metadata().clone();
        masked.warnings = masked.inner.warnings().to_vec();
        if masked.inner.spec().mask && !masked.spec.mask {
            // The statistics only cover pixels that the mask left valid.
            masked.metadata.drop_statistics();
        }
        if let MadeFrom::Alpha { band, .. } = masked.made_from {
            let band = u32::try_from(band).unwrap_or(u32::MAX);
            masked.metadata.items.retain(|item| item.sample != Some(band));
            for sample in masked.metadata.items.iter_mut().filter_map(|item| item.sample.as_mut()) {
                *sample -= u32::from(*sample > band);
            }
        }
        Ok(masked)
    }
}

impl<S: PixelSource> PixelSource for MaskedSource<S> {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn can_skip_rows(&self) -> bool {
        self.inner.can_skip_rows()
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        match &mut self.made_from {
            MadeFrom::Nothing => self.inner.read_rows(first_row, stripe, executor),
            MadeFrom::Nodata(rule) => {
                if let Some(mask) = &mut stripe.mask {
                    // If the source has no mask of its own, all pixels are valid at first.
                    mask.fill(u8::MAX);
                }
                self.inner.read_rows(first_row, stripe, executor)?;
                mask_nodata(&self.spec, *rule, (0, first_row), stripe)
            }
            MadeFrom::Alpha { band, pixels } => {
                let inner_bands = usize::from(self.inner.spec().bands);
                let pixel = inner_bands * stripe.sample_size;
                let row_bytes = stripe.width * pixel;
                pixels.grow(stripe.rows * row_bytes, "a stripe with its alpha band")?;
                if let Some(mask) = &mut stripe.mask {
                    mask.fill(u8::MAX);
                }
                let all = &mut pixels.bytes_mut()[..stripe.rows * row_bytes];
                let mut with_alpha = Stripe {
                    width: stripe.width,
                    rows: stripe.rows,
                    bands: inner_bands,
                    sample_size: stripe.sample_size,
                    layout: StripeLayout::Chunky,
                    planes: vec![all],
                    mask: stripe.mask.as_deref_mut(),
                    blanks: None,
                };
                self.inner.read_rows(first_row, &mut with_alpha, executor)?;
                let all = &pixels.bytes()[..stripe.rows * row_bytes];
                take_alpha(self.spec.data_type, *band, all, pixel, stripe);
                Ok(())
            }
        }
    }

    fn read_sparse_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        match self.made_from {
            MadeFrom::Nothing => self.inner.read_sparse_rows(first_row, stripe, executor),
            _ => self.read_rows(first_row, stripe, executor),
        }
    }

    fn take_overviews(&mut self) -> Result<Vec<Box<dyn PixelSource + Send>>> {
        let overviews = self.inner.take_overviews()?.into_iter();
        overviews.map(|one| Ok(Box::new(MaskedSource::new(one, self.policy)?) as Box<dyn PixelSource + Send>)).collect()
    }
}

impl<S: RasterSource> RasterSource for MaskedSource<S> {
    fn geo(&self) -> &GeoRef {
        self.inner.geo()
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// Copies all bands except alpha, and masks the transparent pixels.
fn take_alpha(data_type: DataType, band: usize, pixels: &[u8], pixel: usize, stripe: &mut Stripe<'_>) {
    let size = stripe.sample_size;
    let alpha = band * size..(band + 1) * size;
    let mut colors = Vec::with_capacity(stripe.width * (pixel - size));
    for (row, pixels) in pixels.chunks_exact(stripe.width * pixel).enumerate() {
        colors.clear();
        for (column, pixel) in pixels.chunks_exact(pixel).enumerate() {
            colors.extend_from_slice(&pixel[..alpha.start]);
            colors.extend_from_slice(&pixel[alpha.end..]);
            let alpha = &pixel[alpha.clone()];
            let transparent = dispatch!(data_type, T => is_transparent(bytemuck::pod_read_unaligned::<T>(alpha)));
            if transparent && let Some(mask) = &mut stripe.mask {
                mask[row * stripe.width + column] = 0;
            }
        }
        stripe.put_pixels(row, 0, &colors);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{DataType, Nodata};
    use crate::spec::{ExtraSample, Photometric};
    use crate::view::SliceSource;

    fn read<S: PixelSource>(source: &mut S, layout: StripeLayout) -> (Vec<u8>, Vec<u8>) {
        let spec = source.spec().clone();
        let (width, rows, bands) = (spec.width as usize, spec.height as usize, usize::from(spec.bands));
        let mut pixels = vec![0; width * rows * bands];
        let mut mask = vec![9; width * rows];
        let planes = match layout {
            StripeLayout::Chunky => vec![pixels.as_mut_slice()],
            StripeLayout::Planar => pixels.chunks_mut(width * rows).collect(),
        };
        let mask_rows = spec.mask.then_some(mask.as_mut_slice());
        let mut stripe = Stripe { width, rows, bands, sample_size: 1, layout, planes, mask: mask_rows, blanks: None };
        source.read_rows(0, &mut stripe, &Executor::serial()).unwrap();
        (pixels, mask)
    }

    #[test]
    fn a_pixel_is_masked_where_no_band_has_data() {
        let spec = ImageSpec { nodata: Some(Nodata::from(5u64)), ..ImageSpec::new(3, 1, 2, DataType::U8) };
        let pixels = [5u8, 5, 5, 1, 2, 3];
        for own_mask in [false, true] {
            let mut source = SliceSource::new(spec.clone(), &pixels).unwrap();
            if own_mask {
                source = source.with_mask(&[1, 1, 0]).unwrap();
            }
            let mut source = MaskedSource::new(source, MaskPolicy::Nodata).unwrap();
            let (_, mask) = read(&mut source, StripeLayout::Chunky);
            let valid: Vec<_> = mask.iter().map(|value| *value != 0).collect();
            assert_eq!(valid, [false, true, !own_mask]);
            let (planes, _) = read(&mut source, StripeLayout::Planar);
            assert_eq!(planes, [5, 5, 2, 5, 1, 3]);
        }
    }

    #[test]
    fn alpha_becomes_the_mask() {
        let spec = ImageSpec {
            photometric: Photometric::Rgb,
            extra_samples: vec![ExtraSample::UnassociatedAlpha],
            ..ImageSpec::new(2, 1, 4, DataType::U8)
        };
        let mut source =
            MaskedSource::new(SliceSource::new(spec, &[1u8, 2, 3, 0, 4, 5, 6, 200]).unwrap(), MaskPolicy::Alpha)
                .unwrap();
        assert_eq!((source.spec().bands, source.spec().extra_samples.len()), (3, 0));
        assert_eq!(read(&mut source, StripeLayout::Chunky), (vec![1, 2, 3, 4, 5, 6], vec![0, 255]));
        assert_eq!(read(&mut source, StripeLayout::Planar).0, [1, 4, 2, 5, 3, 6]);
    }

    #[test]
    fn what_a_mask_is_to_be_made_from_must_be_there() {
        let source = || SliceSource::new(ImageSpec::new(1, 1, 1, DataType::U8), &[1u8]).unwrap();
        assert!(MaskedSource::new(source(), MaskPolicy::Nodata).is_err());
        assert!(MaskedSource::new(source(), MaskPolicy::Alpha).is_err());
        let masked = MaskedSource::new(source().with_mask(&[0]).unwrap(), MaskPolicy::None).unwrap();
        assert!(!masked.spec().mask);
    }
}
