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
    nodata: Option<Nodata>,
    mask: bool,
    alpha: Option<usize>,
}

impl Validity {
    /// Returns the rules of the image itself, for overviews and for codecs that change pixels: a mask decides instead of
    /// nodata, as in GDAL, and transparent pixels are invalid in any case.
    pub(crate) fn of_image(spec: &ImageSpec) -> Self {
        let alpha = spec.alpha_band().map(|(band, _)| band);
        Self { nodata: spec.nodata_in_range().filter(|_| !spec.mask), mask: spec.mask, alpha }
    }

    /// Returns the rules of statistics. As in GDAL: nodata alone decides, together with a mask only for f16 and f32;
    /// without nodata, the mask alone; without either, alpha.
    /// `has_mask` is true if there is a mask, of the image or made from its nodata.
    pub(crate) fn of_statistics(spec: &ImageSpec, has_mask: bool) -> Self {
        // A value that no sample can have is like none.
        let nodata = spec
            .nodata_in_range()
            .filter(|nodata| dispatch!(spec.data_type, T => NodataRange::<T>::of(nodata).is_some()));
        let mask = has_mask && (nodata.is_none() || matches!(spec.data_type, DataType::F16 | DataType::F32));
        let alpha = spec.alpha_band().filter(|_| nodata.is_none() && !has_mask).map(|(band, _)| band);
        Self { nodata, mask, alpha }
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::ExtraSample;

    fn spec(data_type: DataType, nodata: f64, mask: bool) -> ImageSpec {
        ImageSpec::new(4, 1, 2, data_type).nodata(nodata).mask(mask)
    }

    #[test]
    fn a_mask_decides_instead_of_nodata() {
        let overviews = Validity::of_image(&spec(DataType::U8, 5.0, true));
        assert!(overviews.has_mask() && overviews.nodata::<u8>().is_none() && overviews.has_gaps());
        assert!(Validity::of_image(&spec(DataType::U8, 5.0, false)).nodata::<u8>().is_some());
        let statistics = Validity::of_statistics(&spec(DataType::U8, 5.0, true), true);
        assert!(!statistics.has_mask() && statistics.nodata::<u8>().is_some());
        let floats = Validity::of_statistics(&spec(DataType::F32, 5.0, true), true);
        assert!(floats.has_mask() && floats.nodata::<f32>().is_some());
    }

    #[test]
    fn transparent_pixels_are_invalid() {
        let two = spec(DataType::U8, 5.0, false).extra_samples(vec![ExtraSample::UnassociatedAlpha]);
        assert_eq!(Validity::of_image(&two).alpha(), Some(1));
        // Nodata decides alone in statistics.
        assert_eq!(Validity::of_statistics(&two, false).alpha(), None);
        let mut without = two;
        without.nodata = None;
        assert_eq!(Validity::of_statistics(&without, false).alpha(), Some(1));
        assert!([0.0f32, -0.0, f32::NAN].into_iter().all(is_transparent) && !is_transparent(0.1f32));
    }

    #[test]
    fn nan_and_nodata_lack_data() {
        let nodata = Some(NodataRange::around(5.0f32));
        assert!(lacks_data(f32::NAN, None) && lacks_data(5.0, nodata) && !lacks_data(4.0, nodata));
        assert!(!lacks_data(5.0f32, None) && is_masked(0) && !is_masked(1));
    }

    #[test]
    fn a_value_that_no_sample_has_decides_nothing_in_statistics() {
        let validity = Validity::of_statistics(&spec(DataType::U8, 0.5, true), true);
        assert!(validity.nodata::<u8>().is_none() && validity.has_mask());
    }
}
