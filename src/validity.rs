//! Validity: the only rules that decide which pixels and samples count.
//!
//! A pixel is invalid if a mask says so (0) or if it is transparent (alpha 0 or NaN). A sample is invalid if it is NaN or
//! equals nodata. [`Validity`] says which of these apply where: overviews, statistics, and masks made from samples differ,
//! as they do in GDAL.

use crate::sample::{DataType, Nodata, NodataRange, Value, dispatch};
use crate::spec::ImageSpec;

/// Returns whether a mask excludes a pixel.
#[inline(always)]
pub(crate) fn is_masked(mask: u8) -> bool {
    mask == 0
}

/// Returns whether a pixel with this alpha is invalid.
#[inline(always)]
pub(crate) fn is_transparent<T: Value>(alpha: T) -> bool {
    alpha == T::ZERO || alpha.is_nan()
}

/// Returns the values of alpha that are invalid besides NaN, for kernels that resample alpha itself.
pub(crate) fn transparent<T: Value>() -> NodataRange<T> {
    NodataRange::around(T::ZERO)
}

/// Returns whether a sample is NaN or nodata. Without a branch, so that several samples can be decided at once.
#[inline(always)]
pub(crate) fn is_void<T: Value>(value: T, nodata: NodataRange<T>) -> bool {
    nodata.contains(value) | value.is_nan()
}

/// Returns whether a sample is NaN or nodata, if there is a nodata value.
#[inline(always)]
pub(crate) fn lacks_data<T: Value>(value: T, nodata: Option<NodataRange<T>>) -> bool {
    value.is_nan() | nodata.is_some_and(|nodata| nodata.contains(value))
}

/// The rules that apply to the pixels of an image. NaN is invalid under all of them.
#[derive(Debug, Clone)]
pub(crate) struct Validity {
    data_type: DataType,
    nodata: Option<Nodata>,
    mask: bool,
    alpha: Option<usize>,
}

impl Validity {
    /// Returns the rules of the image itself, for overviews and for codecs that change pixels: a mask decides instead of
    /// nodata, as in GDAL, and transparent pixels are invalid in any case.
    pub(crate) fn of_image(spec: &ImageSpec) -> Self {
        let alpha = spec.alpha_band().map(|(band, _)| band);
        Self { nodata: spec.nodata_in_range().filter(|_| !spec.mask), mask: spec.mask, alpha, ..Self::nothing(spec) }
    }

    /// Returns the rules of statistics. As in GDAL: nodata alone decides, together with a mask only for f16 and f32;
    /// without nodata, the mask alone; without either, alpha.
    pub(crate) fn of_statistics(spec: &ImageSpec) -> Self {
        // A value that no sample can have is like none.
        let nodata = spec
            .nodata_in_range()
            .filter(|nodata| dispatch!(spec.data_type, T => NodataRange::<T>::of(nodata).is_some()));
        let mask = spec.mask && (nodata.is_none() || matches!(spec.data_type, DataType::F16 | DataType::F32));
        let alpha = spec.alpha_band().filter(|_| nodata.is_none() && !spec.mask).map(|(band, _)| band);
        Self { nodata, mask, alpha, ..Self::nothing(spec) }
    }

    /// Returns the rules of a mask made from samples: nodata decides, and excludes pixels in addition to a mask.
    pub(crate) fn of_samples(spec: &ImageSpec) -> Self {
        Self { nodata: spec.nodata_in_range(), mask: spec.mask, ..Self::nothing(spec) }
    }

    fn nothing(spec: &ImageSpec) -> Self {
        Self { data_type: spec.data_type, nodata: None, mask: false, alpha: None }
    }

    /// Returns the samples that nodata makes invalid; `None` if nodata does not count, or no sample can equal it.
    pub(crate) fn nodata<T: Value>(&self) -> Option<NodataRange<T>> {
        self.nodata.as_ref().and_then(NodataRange::of)
    }

    /// Returns whether a mask counts.
    pub(crate) fn has_mask(&self) -> bool {
        self.mask
    }

    /// Returns the alpha band, if alpha counts.
    pub(crate) fn alpha(&self) -> Option<usize> {
        self.alpha
    }

    /// Returns whether pixels may be invalid for a reason other than NaN.
    pub(crate) fn has_gaps(&self) -> bool {
        self.mask || self.nodata.is_some() || self.alpha.is_some()
    }

    /// Sets which pixels of some rows are valid: not masked, not transparent, and with data in at least one band other
    /// than alpha. `samples` is the number of samples per pixel in each plane; `planes` may be one of several bands, and
    /// alpha counts only if its band is there.
    pub(crate) fn of_rows(&self, planes: &[&[u8]], samples: usize, mask: Option<&[u8]>, valid: &mut Vec<bool>) {
        valid.clear();
        dispatch!(self.data_type, T => {
            let nodata = self.nodata::<T>();
            let planes: Vec<&[T]> = planes.iter().map(|plane| bytemuck::cast_slice(plane)).collect();
            valid.resize(planes.first().map_or(0, |plane| plane.len() / samples.max(1)), false);
            let (alpha_plane, alpha_sample) = match self.alpha {
                Some(band) if samples > 1 => (Some(0), Some(band)),
                Some(band) if planes.len() > band => (Some(band), Some(0)),
                _ => (None, None),
            };
            for (index, plane) in planes.iter().enumerate() {
                let alpha = alpha_sample.filter(|_| alpha_plane == Some(index));
                for (valid, pixel) in valid.iter_mut().zip(plane.chunks_exact(samples)) {
                    // Without alpha, the whole pixel; with alpha alone, nothing.
                    let (before, after) = alpha.map_or((pixel, &pixel[..0]), |at| (&pixel[..at], &pixel[at + 1..]));
                    *valid |= before.iter().chain(after).any(|value| !lacks_data(*value, nodata));
                }
            }
            if let (Some(plane), Some(sample)) = (alpha_plane, alpha_sample) {
                for (valid, pixel) in valid.iter_mut().zip(planes[plane].chunks_exact(samples)) {
                    *valid &= !is_transparent(pixel[sample]);
                }
            }
        });
        if let Some(mask) = mask.filter(|_| self.mask) {
            valid.iter_mut().zip(mask).for_each(|(valid, mask)| *valid &= !is_masked(*mask));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::ExtraSample;

    fn spec(bands: u16, data_type: DataType, nodata: Option<f64>, mask: bool) -> ImageSpec {
        ImageSpec { nodata: nodata.map(Nodata::from), mask, ..ImageSpec::new(4, 1, bands, data_type) }
    }

    fn valid<T: bytemuck::Pod>(validity: &Validity, planes: &[&[T]], samples: usize, mask: Option<&[u8]>) -> Vec<bool> {
        let planes: Vec<&[u8]> = planes.iter().map(|plane| bytemuck::cast_slice(plane)).collect();
        let mut valid = vec![true; 9];
        validity.of_rows(&planes, samples, mask, &mut valid);
        valid
    }

    #[test]
    fn pixels_are_valid_if_any_band_has_data() {
        let (chunky, planar) = ([5u8, 5, 5, 1, 1, 5, 2, 3], [[5u8, 5, 1, 2], [5, 1, 5, 3]]);
        let validity = Validity::of_image(&spec(2, DataType::U8, Some(5.0), false));
        assert_eq!(valid(&validity, &[&chunky[..]], 2, None), [false, true, true, true]);
        assert_eq!(valid(&validity, &[&planar[0][..], &planar[1]], 1, None), [false, true, true, true]);
        let nan = [f32::NAN, 1.0, f32::INFINITY, -0.0];
        let validity = Validity::of_image(&spec(1, DataType::F32, None, false));
        assert_eq!(valid(&validity, &[&nan[..]], 1, None), [false, true, true, true]);
        let validity = Validity::of_image(&spec(1, DataType::F32, Some(0.0), false));
        assert_eq!(valid(&validity, &[&nan[..]], 1, None), [false, true, true, false]);
    }

    #[test]
    fn a_mask_decides_instead_of_nodata_except_where_it_is_made_from_it() {
        let (pixels, mask) = ([5u8, 5, 1, 1], [255u8, 0, 1, 0]);
        let masked = spec(1, DataType::U8, Some(5.0), true);
        assert_eq!(valid(&Validity::of_image(&masked), &[&pixels[..]], 1, Some(&mask)), [true, false, true, false]);
        assert_eq!(valid(&Validity::of_samples(&masked), &[&pixels[..]], 1, Some(&mask)), [false, false, true, false]);
        assert_eq!(
            valid(&Validity::of_statistics(&masked), &[&pixels[..]], 1, Some(&mask)),
            [false, false, true, true]
        );
        let nan = spec(1, DataType::F32, Some(5.0), true);
        let floats = [5.0f32, 1.0, 2.0, 3.0];
        assert_eq!(valid(&Validity::of_statistics(&nan), &[&floats[..]], 1, Some(&mask)), [false, false, true, false]);
    }

    #[test]
    fn transparent_pixels_are_invalid_and_alpha_is_not_data() {
        let extra_samples = vec![ExtraSample::UnassociatedAlpha];
        let two = ImageSpec { extra_samples, ..spec(2, DataType::U8, Some(5.0), false) };
        let validity = Validity::of_image(&two);
        assert_eq!((validity.alpha(), validity.has_gaps()), (Some(1), true));
        let (chunky, planar) = ([5u8, 9, 1, 9, 1, 0, 1, 5], [[5u8, 1, 1, 1], [9, 9, 0, 5]]);
        assert_eq!(valid(&validity, &[&chunky[..]], 2, None), [false, true, false, true]);
        assert_eq!(valid(&validity, &[&planar[0][..], &planar[1]], 1, None), [false, true, false, true]);
        // One plane alone.
        assert_eq!(valid(&validity, &[&planar[0][..]], 1, None), [false, true, true, true]);
        // Nodata decides alone in statistics.
        assert_eq!(Validity::of_statistics(&two).alpha(), None);
        let without = ImageSpec { nodata: None, ..two };
        assert_eq!(Validity::of_statistics(&without).alpha(), Some(1));
        assert!([0.0f32, -0.0, f32::NAN].into_iter().all(is_transparent) && !is_transparent(0.1f32));
    }

    #[test]
    fn a_value_that_no_sample_has_decides_nothing_in_statistics() {
        let masked = spec(1, DataType::U8, Some(0.5), true);
        let validity = Validity::of_statistics(&masked);
        assert!(validity.nodata::<u8>().is_none() && validity.has_mask());
    }
}
