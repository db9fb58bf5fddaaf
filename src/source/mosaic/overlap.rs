//! The rules for pixels that several inputs have.

use bytemuck::Pod;

use crate::error::{Error, OptionField, Result};
use crate::sample::{DataType, Nodata, NodataRange, Number, SampleKind, Value, dispatch, real};
use crate::spec::ImageSpec;
use crate::validity::{Validity, is_masked, is_transparent, is_void, lacks_data};
use crate::view::{StripeLayout, StripeWindow};

use super::inputs::InputRows;

/// The rule for pixels that several inputs have. Pixels without data never count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Overlap {
    /// The last input that has data, as in `gdalbuildvrt`.
    #[default]
    Last,
    /// The first input that has data.
    First,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The mean of all values, rounded to the data type; halves away from zero.
    Mean,
    /// The sum of all values. A sum that the data type cannot hold is an error.
    Sum,
    /// The number of inputs that have data.
    Count,
}

crate::names::named!(Overlap, Overlap, {
    Last => "last",
    First => "first",
    Min => "min",
    Max => "max",
    Mean => "mean",
    Sum => "sum",
    Count => "count",
});

impl Overlap {
    /// Returns whether one of the values is chosen by position alone, whatever the values are.
    pub(super) fn is_by_order(self) -> bool {
        matches!(self, Self::Last | Self::First)
    }

    /// Checks that the rule has a meaning for an image.
    pub(super) fn check(self, spec: &ImageSpec) -> Result<()> {
        let refuse = |reason: String| Err(Error::option(OptionField::Overlap, format!("{self}: {reason}")));
        if self.is_by_order() {
            return Ok(());
        }
        if spec.data_type.is_complex() {
            return refuse("complex samples have no order; use first or last".into());
        }
        let computes = matches!(self, Self::Mean | Self::Sum | Self::Count);
        if computes && spec.has_color_map() {
            return refuse("indices of a palette are not quantities; expand the palette first".into());
        }
        if matches!(self, Self::Sum | Self::Count) && spec.alpha_band().is_some() {
            return refuse("has no meaning for an alpha band; leave it out of the bands".into());
        }
        Ok(())
    }
}

/// The pixels of an input that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "geotiff"), expect(dead_code, reason = "only VRT files choose"))]
pub(crate) enum Cover {
    /// Those that are data by the rules of overviews.
    Data,
    /// All of them, nodata and NaN included.
    Whole,
    /// All of them, and those that the input masks become masked.
    Replace,
    /// Those that the input's mask leaves valid.
    Mask,
    /// Samples other than nodata; NaN counts unless it is nodata.
    Samples,
}

/// The rules by which the rows of inputs become rows of the mosaic.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) overlap: Overlap,
    data_type: DataType,
    bits: u16,
    bands: usize,
    nodata: Option<Nodata>,
    alpha: Option<usize>,
    /// True if whole pixels are valid or not, by mask or alpha; otherwise each sample is.
    by_pixel: bool,
}

/// Sums and counts of the samples of one row.
pub(super) struct Tally<'a> {
    pub(super) sums: &'a mut [f64],
    pub(super) counts: &'a mut [u32],
}

impl Rules {
    /// Makes the rules of a mosaic with this spec.
    pub(super) fn new(overlap: Overlap, spec: &ImageSpec) -> Self {
        let validity = Validity::of_image(spec);
        Self {
            overlap,
            data_type: spec.data_type,
            bits: spec.bits(),
            bands: spec.bands.into(),
            nodata: spec.nodata_in_range(),
            alpha: validity.alpha(),
            by_pixel: validity.has_mask() || validity.alpha().is_some(),
        }
    }

    /// Returns the sample of pixels that no input has.
    pub(super) fn fill(&self) -> Vec<u8> {
        dispatch!(self.data_type, T => {
            let value = self.nodata.as_ref().and_then(T::from_nodata).unwrap_or(T::ZERO);
            bytemuck::bytes_of(&value).to_vec()
        })
    }

    /// Returns the sample of the alpha band of pixels that no input has.
    pub(super) fn alpha(&self) -> Option<usize> {
        self.alpha
    }

    /// Returns which pixels of a row are valid; `None` if each sample decides for itself.
    fn valid_pixels(&self, rows: &InputRows, row: usize, cover: Cover, layout: StripeLayout) -> Option<Vec<bool>> {
        match cover {
            Cover::Mask => return rows.mask_row(row).map(|mask| mask.iter().map(|mask| !is_masked(*mask)).collect()),
            Cover::Data if self.by_pixel => {}
            _ => return None,
        }
        let (mask, bands) = (rows.mask_row(row), self.bands);
        // A mask decides instead of nodata.
        let nodata = self.nodata.filter(|_| mask.is_none());
        dispatch!(self.data_type, T => {
            let nodata = nodata.as_ref().and_then(NodataRange::<T>::of);
            let planes: Vec<&[T]> = match layout {
                StripeLayout::Chunky => vec![bytemuck::cast_slice(rows.plane_row(0, row))],
                StripeLayout::Planar => {
                    (0..bands).map(|band| bytemuck::cast_slice(rows.plane_row(band, row))).collect()
                }
            };
            let sample = |column: usize, band: usize| match layout {
                StripeLayout::Chunky => planes[0][column * bands + band],
                StripeLayout::Planar => planes[band][column],
            };
            let width = planes[0].len() * planes.len() / bands;
            let is_valid = |column: usize| {
                !mask.is_some_and(|mask| is_masked(mask[column]))
                    && !self.alpha.is_some_and(|alpha| is_transparent(sample(column, alpha)))
                    && (!T::MAY_BE_NAN && nodata.is_none()
                        || (0..bands).any(|band| Some(band) != self.alpha && !lacks_data(sample(column, band), nodata)))
            };
            Some((0..width).map(is_valid).collect())
        })
    }

    /// Puts a row of an input into a row of a window, from a column on.
    pub(super) fn put(
        &self,
        (rows, row, cover): (&InputRows, usize, Cover),
        (window, layout): (&mut StripeWindow<'_>, StripeLayout),
        (window_row, column): (usize, usize),
        tally: Option<&mut Tally<'_>>,
    ) {
        let valid = self.valid_pixels(rows, row, cover, layout);
        let (planes, samples) = match layout {
            StripeLayout::Chunky => (1, self.bands),
            StripeLayout::Planar => (self.bands, 1),
        };
        let mut tally = tally;
        for plane in 0..planes {
            let source = rows.plane_row(plane, row);
            let band = (layout == StripeLayout::Planar).then_some(plane);
            let Some(target) = window.rows_mut(band).and_then(|rows| rows.get_mut(window_row)) else { continue };
            let width = target.len() / (samples * self.data_type.size());
            let start = column * samples * self.data_type.size();
            let target = &mut target[start..start + source.len()];
            match &mut tally {
                None => dispatch!(self.data_type, T => {
                    let nodata = self.nodata.as_ref().and_then(NodataRange::<T>::of);
                    let (target, source) = (cast::<T>(target), bytemuck::cast_slice::<u8, T>(source));
                    let nan_is_nodata = self.nodata.is_some_and(|nodata| nodata.as_f64().is_nan());
                    match cover {
                        Cover::Whole | Cover::Replace => target.copy_from_slice(source),
                        Cover::Samples if !nan_is_nodata => cover_exactly(target, source, nodata),
                        _ if cover == Cover::Mask && valid.is_none() => target.copy_from_slice(source),
                        _ => cover_data(target, source, valid.as_deref(), samples, nodata),
                    }
                }),
                Some(tally) => {
                    let first = plane * width + column * samples;
                    let count = source.len() / self.data_type.size();
                    let part = Tally {
                        sums: tally.sums.get_mut(first..first + count).unwrap_or(&mut []),
                        counts: &mut tally.counts[first..first + count],
                    };
                    let _ = real!(self.data_type, T => {
                        let nodata = self.nodata.as_ref().and_then(NodataRange::<T>::of);
                        let ok = valid.as_deref();
                        add::<T>(cast(target), bytemuck::cast_slice(source), (ok, samples, nodata), self.overlap, part);
                        Some(())
                    });
                }
            }
        }
        if let (Cover::Replace, Some(mask)) = (cover, window.mask_row(window_row)) {
            let mask = &mut mask[column..][..rows.width()];
            match rows.mask_row(row) {
                Some(own) => mask.copy_from_slice(own),
                None => mask.fill(u8::MAX),
            }
        } else if let (Some(valid), Some(mask)) = (&valid, window.mask_row(window_row)) {
            for (to, ok) in mask[column..].iter_mut().zip(valid) {
                *to = if *ok { u8::MAX } else { *to };
            }
        }
    }

    /// Returns whether a sum is needed besides the count.
    pub(super) fn needs_sums(&self) -> bool {
        matches!(self.overlap, Overlap::Mean | Overlap::Sum)
    }

    /// Puts the results for a row of a window in place.
    ///
    /// # Errors
    /// For a sum or a count that the type cannot hold.
    pub(super) fn finish(
        &self,
        tally: &Tally<'_>,
        (window, layout): (&mut StripeWindow<'_>, StripeLayout),
        window_row: usize,
    ) -> Result<()> {
        if matches!(self.overlap, Overlap::Min | Overlap::Max) {
            return Ok(());
        }
        let planes = if layout == StripeLayout::Planar { self.bands } else { 1 };
        for plane in 0..planes {
            let band = (layout == StripeLayout::Planar).then_some(plane);
            let Some(target) = window.rows_mut(band).and_then(|rows| rows.get_mut(window_row)) else { continue };
            let len = target.len() / self.data_type.size();
            let range = plane * len..(plane + 1) * len;
            let (sums, counts) = (tally.sums.get(range.clone()).unwrap_or(&[]), &tally.counts[range]);
            let failed = real!(self.data_type, T => {
                let nodata = self.nodata.as_ref().and_then(NodataRange::<T>::of);
                result::<T>(cast(target), sums, counts, self.overlap, (nodata, T::largest(self.bits)))
            });
            if let Some(value) = failed {
                return Err(self.out_of_range(value));
            }
        }
        Ok(())
    }

    fn out_of_range(&self, value: f64) -> Error {
        let (overlap, data_type) = (self.overlap, self.data_type);
        let is_nodata = self.nodata.is_some_and(|nodata| nodata.as_f64().to_bits() == value.to_bits());
        let reason = if is_nodata {
            format!("a {overlap} is {value}, which is the nodata value; set another one")
        } else {
            format!("a {overlap} is {value}, out of range for {data_type}; choose a larger data type")
        };
        Error::option(OptionField::Overlap, reason)
    }
}

/// Views bytes of a row as samples.
fn cast<T: Pod>(bytes: &mut [u8]) -> &mut [T] {
    bytemuck::cast_slice_mut(bytes)
}

/// Copies samples over those below, except nodata.
fn cover_exactly<T: Value>(target: &mut [T], source: &[T], nodata: Option<NodataRange<T>>) {
    for (to, from) in target.iter_mut().zip(source) {
        *to = if nodata.is_some_and(|nodata| nodata.contains(*from)) { *to } else { *from };
    }
}

/// Copies valid samples over those below.
fn cover_data<T: Value>(
    target: &mut [T],
    source: &[T],
    valid: Option<&[bool]>,
    samples: usize,
    nodata: Option<NodataRange<T>>,
) {
    match (valid, nodata) {
        (Some(valid), _) => {
            for ((to, from), ok) in target.chunks_exact_mut(samples).zip(source.chunks_exact(samples)).zip(valid) {
                if *ok {
                    to.copy_from_slice(from);
                }
            }
        }
        (None, None) if !T::MAY_BE_NAN => target.copy_from_slice(source),
        (None, None) => {
            for (to, from) in target.iter_mut().zip(source) {
                *to = if from.is_nan() { *to } else { *from };
            }
        }
        (None, Some(nodata)) => {
            for (to, from) in target.iter_mut().zip(source) {
                *to = if is_void(*from, nodata) { *to } else { *from };
            }
        }
    }
}

/// Counts valid samples; adds them up, or keeps the smallest or largest one in place.
fn add<T: Number>(
    target: &mut [T],
    source: &[T],
    (valid, samples, nodata): (Option<&[bool]>, usize, Option<NodataRange<T>>),
    overlap: Overlap,
    tally: Tally<'_>,
) {
    let is_valid = |index: usize, value: T| match valid {
        Some(valid) => valid[index / samples] && !value.is_nan(),
        None => !lacks_data(value, nodata),
    };
    for (index, (to, &value)) in target.iter_mut().zip(source).enumerate() {
        if !is_valid(index, value) {
            continue;
        }
        let count = &mut tally.counts[index];
        match overlap {
            Overlap::Min if *count == 0 || value < *to => *to = value,
            Overlap::Max if *count == 0 || value > *to => *to = value,
            Overlap::Mean | Overlap::Sum => tally.sums[index] += value.to_f64(),
            _ => {}
        }
        *count += 1;
    }
}

/// Puts sums, means, or counts in place. Returns one that the type cannot hold.
fn result<T: Number>(
    target: &mut [T],
    sums: &[f64],
    counts: &[u32],
    overlap: Overlap,
    (nodata, largest): (Option<NodataRange<T>>, T),
) -> Option<f64> {
    let is_exact = overlap != Overlap::Mean && !matches!(T::DATA_TYPE.kind(), SampleKind::Float);
    for (index, (to, &count)) in target.iter_mut().zip(counts).enumerate().filter(|(_, (_, count))| **count > 0) {
        let value = match overlap {
            Overlap::Mean => sums[index] / f64::from(count),
            Overlap::Sum => sums[index],
            _ => f64::from(count),
        };
        let sample = T::from_f64(value);
        let is_void = nodata.is_some_and(|nodata| nodata.contains(sample));
        // The conversion clamps integers.
        let is_other = (sample.to_f64() - value).abs() > 0.0 || sample > largest;
        if is_exact && (is_other || is_void) {
            return Some(value);
        }
        *to = match nodata {
            Some(nodata) if is_void => sample.off_nodata(nodata, largest),
            _ => sample,
        };
    }
    None
}
