//! Sources of a VRT that change what they take: values by scale, offset, and table; masks from nodata, alpha, or a mask.

use crate::error::{Error, Result};
use crate::executor::Executor;
use crate::geo::{GeoRef, Metadata};
use crate::pixels::{RowBuffer, scales_in_single};
use crate::sample::{DataType, NodataRange, Number, Value, dispatch, real};
use crate::source::RasterSource;
use crate::spec::{ImageSpec, Photometric};
use crate::validity::is_transparent;
use crate::view::{PixelSource, Stripe, StripeLayout};

use super::parse::Values;

/// The pixels of some bands of a source, with its mask, or one made from its alpha band.
pub(super) struct Taken<S> {
    inner: S,
    spec: ImageSpec,
    bands: Vec<u16>,
    rows: RowBuffer,
}

impl<S: RasterSource> Taken<S> {
    /// Takes bands, which must exist, with the mask if it is used.
    pub(super) fn new(inner: S, bands: Vec<u16>, use_mask: bool) -> Self {
        let all = inner.spec();
        let count = u16::try_from(bands.len()).unwrap_or(u16::MAX);
        let mut spec = ImageSpec { bands: count, photometric: Photometric::MinIsBlack, ..all.clone() };
        spec.extra_samples.clear();
        // Indices stay as they are; the table of the VRT counts.
        spec.color_map.clear();
        spec.mask = use_mask && (all.mask || all.alpha_band().is_some());
        Self { inner, spec, bands, rows: RowBuffer::default() }
    }
}

impl<S: RasterSource> PixelSource for Taken<S> {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn can_skip_rows(&self) -> bool {
        self.inner.can_skip_rows()
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        let all = self.inner.spec().clone();
        let mut read = self.rows.stripe(&all, StripeLayout::Planar, stripe.rows)?;
        self.inner.read_rows(first_row, &mut read, executor)?;
        let (bands, row_bytes, width) = (&self.bands, read.row_bytes(), read.width);
        let alpha = all.alpha_band().map(|(band, _)| band).filter(|_| !all.mask);
        stripe.fill(executor, |row, window, window_row| {
            let plane = |band: usize| &read.planes[band][row * row_bytes..][..row_bytes];
            window.put_bands(window_row, &bands.iter().map(|band| plane((*band).into())).collect::<Vec<_>>());
            let Some(to) = window.mask_row(window_row) else { return };
            if let Some(mask) = &read.mask {
                to.copy_from_slice(&mask[row * width..][..width]);
            } else if let Some(alpha) = alpha {
                dispatch!(all.data_type, T => {
                    let samples: &[T] = bytemuck::cast_slice(plane(alpha));
                    for (to, sample) in to.iter_mut().zip(samples) {
                        *to = if is_transparent(*sample) { 0 } else { u8::MAX };
                    }
                });
            }
        });
        Ok(())
    }
}

impl<S: RasterSource> RasterSource for Taken<S> {}

/// The mask of a source as a band: 0 or 255.
pub(super) struct MaskBand<S> {
    inner: S,
    spec: ImageSpec,
    rows: RowBuffer,
}

impl<S: RasterSource> MaskBand<S> {
    /// Takes the mask, which can also mask itself: only its valid pixels count then.
    pub(super) fn new(inner: S, masks_itself: bool) -> Self {
        let spec = ImageSpec::new(inner.spec().width, inner.spec().height, 1, DataType::U8).mask(masks_itself);
        Self { inner, spec, rows: RowBuffer::default() }
    }
}

impl<S: RasterSource> PixelSource for MaskBand<S> {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn can_skip_rows(&self) -> bool {
        self.inner.can_skip_rows()
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        let all = self.inner.spec().clone();
        let mut read = self.rows.stripe(&all, StripeLayout::Planar, stripe.rows)?;
        self.inner.read_rows(first_row, &mut read, executor)?;
        let (row_bytes, width) = (read.row_bytes(), read.width);
        stripe.fill(executor, |row, window, window_row| {
            let line: Vec<u8> = match &read.mask {
                Some(mask) => {
                    mask[row * width..][..width].iter().map(|mask| if *mask == 0 { 0 } else { 255 }).collect()
                }
                None => dispatch!(all.data_type, T => {
                    // Of the first band, as GDAL's masks from nodata.
                    let nodata = all.nodata_in_range().as_ref().and_then(NodataRange::<T>::of);
                    let samples: &[T] = bytemuck::cast_slice(&read.planes[0][row * row_bytes..][..row_bytes]);
                    let is_void = |sample: &T| nodata.is_some_and(|nodata| nodata.contains(*sample));
                    samples.iter().map(|sample| if is_void(sample) { 0 } else { 255 }).collect()
                }),
            };
            window.put_pixels(window_row, &line);
            if let Some(to) = window.mask_row(window_row) {
                to.copy_from_slice(&line);
            }
        });
        Ok(())
    }
}

impl<S: RasterSource> RasterSource for MaskBand<S> {}

/// The values of a source in another type, changed by scale, offset, and table. Samples that are left out are masked.
pub(super) struct Changed<S> {
    inner: S,
    spec: ImageSpec,
    values: Values,
    rows: RowBuffer,
}

impl<S: RasterSource> Changed<S> {
    /// Changes values as a VRT says.
    ///
    /// # Errors
    /// For complex samples.
    pub(super) fn new(inner: S, values: Values, data_type: DataType) -> Result<Self> {
        let all = inner.spec();
        if all.data_type.is_complex() || data_type.is_complex() {
            return Err(Error::unsupported("complex samples in a VRT source that changes them"));
        }
        let mut spec = ImageSpec { data_type, nodata: None, bits_per_sample: None, ..all.clone() };
        spec.mask |= values.nodata.is_some();
        Ok(Self { inner, spec, values, rows: RowBuffer::default() })
    }
}

impl<S: RasterSource> PixelSource for Changed<S> {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn can_skip_rows(&self) -> bool {
        self.inner.can_skip_rows()
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        let all = self.inner.spec().clone();
        let mut read = self.rows.stripe(&all, StripeLayout::Planar, stripe.rows)?;
        self.inner.read_rows(first_row, &mut read, executor)?;
        let (values, to, row_bytes, width) = (&self.values, &self.spec, read.row_bytes(), read.width);
        stripe.fill(executor, |row, window, window_row| {
            let mut voids = vec![false; width];
            let mut lines = Vec::with_capacity(read.planes.len());
            for plane in &read.planes {
                let bytes = &plane[row * row_bytes..][..row_bytes];
                lines.push(change(bytes, all.data_type, to, values, &mut voids));
            }
            window.put_bands(window_row, &lines.iter().map(Vec::as_slice).collect::<Vec<_>>());
            if let Some(mask) = window.mask_row(window_row) {
                for (column, to) in mask.iter_mut().enumerate() {
                    let valid = read.mask.as_ref().is_none_or(|mask| mask[row * width + column] != 0);
                    *to = if valid && !voids[column] { u8::MAX } else { 0 };
                }
            }
        });
        Ok(())
    }
}

impl<S: RasterSource> RasterSource for Changed<S> {
    fn geo(&self) -> &GeoRef {
        self.inner.geo()
    }

    fn metadata(&self) -> &Metadata {
        self.inner.metadata()
    }
}

/// Changes the samples of a row, and marks those that are left out.
fn change(bytes: &[u8], from: DataType, to: &ImageSpec, values: &Values, voids: &mut [bool]) -> Vec<u8> {
    let single = scales_in_single(from, to.data_type);
    let rounded = |value: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "rounds to single precision, which is meant")]
        let single_value = f64::from(value as f32);
        if single { single_value } else { value }
    };
    let lookup = |value: f64| rounded(look_up(&values.table, value));
    let changed = |value: f64| {
        let value = rounded(value);
        let value = values.linear.map_or(value, |(scale, offset)| rounded(value * scale + offset));
        if values.table.is_empty() { value } else { lookup(value) }
    };
    let of_type = real!(from, S => {
        let nodata = values.nodata.as_ref().and_then(NodataRange::<S>::of);
        let nan_is_nodata = values.nodata.is_some_and(|nodata| nodata.as_f64().is_nan());
        let samples: &[S] = bytemuck::cast_slice(bytes);
        let is_void = |sample: S| nodata.is_some_and(|nodata| nodata.contains(sample)) || nan_is_nodata && sample.is_nan();
        voids.iter_mut().zip(samples).for_each(|(void, sample)| *void |= is_void(*sample));
        let taken = samples.iter().map(|sample| (!is_void(*sample)).then(|| changed(sample.to_f64())));
        Some(taken.collect::<Vec<Option<f64>>>())
    });
    let of_type = of_type.unwrap_or_default();
    let result = real!(to.data_type, D => {
        let sample = |value: &Option<f64>| match value {
            None => <D as Value>::ZERO,
            #[expect(clippy::cast_possible_truncation, reason = "has single precision already")]
            Some(value) if single => D::from_f32(*value as f32),
            Some(value) => D::from_f64(*value),
        };
        let samples: Vec<D> = of_type.iter().map(sample).collect();
        Some(bytemuck::cast_slice(&samples).to_vec())
    });
    result.unwrap_or_default()
}

/// Returns the value of a table, linear between its pairs and constant beyond them.
fn look_up(table: &[(f64, f64)], value: f64) -> f64 {
    let after = table.partition_point(|(from, _)| *from < value);
    match (after.checked_sub(1).and_then(|before| table.get(before)), table.get(after)) {
        (_, Some((from, to))) if *from <= value => *to,
        (Some((low, low_to)), Some((high, high_to))) => low_to + (value - low) * ((high_to - low_to) / (high - low)),
        (None, Some((_, to))) | (Some((_, to)), None) => *to,
        (None, None) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_linear_between_their_pairs() {
        let table = [(0.0, 10.0), (10.0, 20.0), (10.0, 50.0), (20.0, 0.0)];
        let found: Vec<f64> =
            [-5.0, 0.0, 5.0, 10.0, 15.0, 20.0, 99.0].iter().map(|value| look_up(&table, *value)).collect();
        assert_eq!(found, [10.0, 10.0, 15.0, 20.0, 25.0, 0.0, 0.0]);
    }
}
