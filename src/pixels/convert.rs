//! Other data types and other values.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, OptionField, Result};
use crate::executor::Executor;
use crate::geo::{GeoRef, Metadata};
use crate::sample::{DataType, Nodata, NodataRange, Number, Value, real};
use crate::source::RasterSource;
use crate::spec::ImageSpec;
use crate::view::{PixelSource, Stripe, StripeLayout};

use super::Rescale;
use super::buffer::{RowBuffer, rows_of};

/// The changes of values.
pub(super) struct Conversion<'a> {
    pub(super) unscale: bool,
    pub(super) rescale: &'a [Rescale],
    pub(super) data_type: Option<DataType>,
    /// Bits per sample in the file.
    pub(super) bits: Option<u16>,
    /// The nodata value of the result; `None` for the source's.
    pub(super) nodata: Option<Nodata>,
}

/// value * scale + offset
#[derive(Debug, Clone, Copy, PartialEq)]
struct Linear {
    scale: f64,
    offset: f64,
}

impl Linear {
    const IDENTITY: Self = Self { scale: 1.0, offset: 0.0 };

    fn of(from: (f64, f64), to: (f64, f64)) -> Self {
        let scale = (to.1 - to.0) / (from.1 - from.0);
        Self { scale, offset: to.0 - from.0 * scale }
    }
}

/// A source with the values of another one in another type or range.
pub(super) struct ConvertedSource<S> {
    inner: S,
    spec: ImageSpec,
    geo: GeoRef,
    metadata: Metadata,
    /// One per band, or one for all.
    maps: Vec<Linear>,
    rows: RowBuffer,
}

impl<S: RasterSource> ConvertedSource<S> {
    pub(super) fn new(inner: S, conversion: &Conversion<'_>) -> Result<Self> {
        let all = inner.spec();
        let option = if conversion.unscale {
            OptionField::Unscale
        } else if !conversion.rescale.is_empty() {
            OptionField::Rescale
        } else if conversion.data_type.is_some() {
            OptionField::DataType
        } else {
            OptionField::BitsPerSample
        };
        if all.has_color_map() {
            return Err(Error::option(option, "indices of a palette are not quantities; expand the palette first"));
        }
        let data_type = conversion.data_type.unwrap_or(match all.data_type.size() {
            _ if !conversion.unscale => all.data_type,
            _ if all.data_type.is_complex() => all.data_type,
            1 | 2 => DataType::F32,
            _ if all.data_type == DataType::F32 => DataType::F32,
            _ => DataType::F64,
        });
        if all.data_type.is_complex() || data_type.is_complex() {
            let reason = format!("complex samples ({} to {data_type}) are not converted", all.data_type);
            return Err(Error::option(option, reason));
        }
        let nodata = conversion.nodata.or(all.nodata);
        if let Some(reason) = nodata.and_then(|value| value.misfit(data_type)) {
            let hint = if conversion.nodata.is_none() { "; set one that the type can hold" } else { "" };
            return Err(Error::option(OptionField::Nodata, format!("{reason}{hint}")));
        }
        let maps = maps(all, inner.metadata(), data_type, conversion)?;
        let (mut geo, mut metadata) = (inner.geo().clone(), inner.metadata().clone());
        metadata.drop_statistics();
        if conversion.unscale || !conversion.rescale.is_empty() {
            geo.drop_vertical_scale();
            describe(&mut metadata, all.bands, &maps, conversion.unscale)?;
        }
        let keeps_bits = data_type == all.data_type && !conversion.unscale && conversion.rescale.is_empty();
        let bits_per_sample = conversion.bits.or(all.bits_per_sample.filter(|_| keeps_bits));
        let spec = ImageSpec { data_type, nodata, bits_per_sample, overviews: Vec::new(), ..all.clone() };
        Ok(Self { inner, spec, geo, metadata, maps, rows: RowBuffer::default() })
    }
}

/// Returns the mapping of every band, or one for all.
fn maps(all: &ImageSpec, metadata: &Metadata, data_type: DataType, conversion: &Conversion<'_>) -> Result<Vec<Linear>> {
    let alpha = all.tagged_alpha().map(|(band, _)| band);
    if conversion.unscale {
        let quantity = |band| Linear { scale: metadata.scale(band), offset: metadata.offset(band) };
        let maps: Vec<_> = (0..all.bands).map(quantity).collect();
        if maps.iter().all(|map| *map == Linear::IDENTITY) {
            return Err(Error::option(
                OptionField::Unscale,
                "no band has a scale or an offset in its metadata; leave it out",
            ));
        }
        return Ok(maps);
    }
    let map = |rescale: &Rescale| Linear::of(rescale.from, rescale.to.unwrap_or_else(|| range(data_type)));
    let maps = match conversion.rescale {
        [] => return Ok(vec![Linear::IDENTITY]),
        [one] => vec![map(one); usize::from(all.bands)],
        several if several.len() == usize::from(all.bands) => several.iter().map(map).collect(),
        several => {
            let reason =
                format!("{} mappings for {} bands; give one for all, or one per band", several.len(), all.bands);
            return Err(Error::option(OptionField::Rescale, reason));
        }
    };
    let of_alpha = Linear::of(range(all.data_type), range(data_type));
    Ok(maps.into_iter().enumerate().map(|(band, map)| if Some(band) == alpha { of_alpha } else { map }).collect())
}

/// Returns the smallest and the largest integer of a type; 0 and 1 for floats.
fn range(data_type: DataType) -> (f64, f64) {
    if data_type.is_float() {
        return (0.0, 1.0);
    }
    let [low, high] = crate::sample::dispatch!(data_type, T => <T as Value>::LIMITS).map(|limit| limit.as_f64());
    (low, high)
}

/// Adapts the scale and offset of bands that have them: the quantities that values stand for are unchanged.
fn describe(metadata: &mut Metadata, bands: u16, maps: &[Linear], unscale: bool) -> Result<()> {
    for (band, map) in (0..bands).zip(maps) {
        let before = Linear { scale: metadata.scale(band), offset: metadata.offset(band) };
        if before == Linear::IDENTITY {
            continue;
        }
        let after = if unscale {
            Linear::IDENTITY
        } else {
            let scale = before.scale / map.scale;
            Linear { scale, offset: before.offset - map.offset * scale }
        };
        metadata.set_scale(band, after.scale)?;
        metadata.set_offset(band, after.offset)?;
    }
    Ok(())
}

impl<S: RasterSource> PixelSource for ConvertedSource<S> {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn can_skip_rows(&self) -> bool {
        self.inner.can_skip_rows()
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        let all = self.inner.spec().clone();
        let layout = if self.maps.len() == 1 { stripe.layout } else { StripeLayout::Planar };
        let at_once = RowBuffer::rows_at_once(&all, stripe.rows);
        // The first row with a sample that cannot be converted.
        let failed: Mutex<Option<usize>> = Mutex::new(None);
        for start in (0..stripe.rows).step_by(at_once) {
            let count = at_once.min(stripe.rows - start);
            let mut read = self.rows.stripe(&all, layout, count)?;
            let first = first_row.saturating_add(u32::try_from(start).unwrap_or(u32::MAX));
            self.inner.read_rows(first, &mut read, executor)?;
            let row_bytes = read.row_bytes();
            let samples = if layout == StripeLayout::Chunky { read.bands } else { 1 };
            rows_of(stripe, start, count).fill(executor, |row, window, window_row| {
                let mask = read.mask.as_ref().map(|mask| &mask[row * read.width..][..read.width]);
                let planes = read.planes.iter().enumerate().map(|(plane, bytes)| {
                    let map = self.maps.get(plane).copied().unwrap_or(self.maps[0]);
                    convert(&bytes[row * row_bytes..][..row_bytes], &all, &self.spec, map, (mask, samples))
                });
                let planes: Option<Vec<Vec<u8>>> = planes.collect();
                let Some(planes) = planes else {
                    let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                    *failed = Some(failed.map_or(start + row, |other| other.min(start + row)));
                    return;
                };
                if layout == StripeLayout::Chunky {
                    window.put_pixels(window_row, &planes[0]);
                } else {
                    window.put_bands(window_row, &planes.iter().map(Vec::as_slice).collect::<Vec<_>>());
                }
                if let (Some(mask), Some(target)) = (mask, window.mask_row(window_row)) {
                    target.copy_from_slice(mask);
                }
            });
        }
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(row) => {
                let row = first_row as usize + row;
                let reason =
                    format!("row {row} has NaN, which {} does not have; set a nodata value", self.spec.data_type);
                Err(Error::option(OptionField::DataType, reason))
            }
        }
    }
}

impl<S: RasterSource> RasterSource for ConvertedSource<S> {
    fn geo(&self) -> &GeoRef {
        &self.geo
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn warnings(&self) -> &[String] {
        self.inner.warnings()
    }
}

/// Converts the samples of a row, whose pixels have `samples` each. `None` if a valid one is NaN and the type has no NaN.
fn convert(
    bytes: &[u8],
    from: &ImageSpec,
    to: &ImageSpec,
    map: Linear,
    (mask, samples): (Option<&[u8]>, usize),
) -> Option<Vec<u8>> {
    let is_masked = |sample: usize| mask.is_some_and(|mask| mask[sample / samples] == 0);
    // Doubles do not hold all integers of 64 bits.
    let is_wide = |spec: &ImageSpec| matches!(spec.data_type, DataType::I64 | DataType::U64);
    if map == Linear::IDENTITY && is_wide(from) && (is_wide(to) || to.data_type == DataType::F32) {
        return Some(convert_wide(bytes, from, to));
    }
    let values = real!(from.data_type, S => Some(values::<S>(bytemuck::cast_slice(bytes), from.nodata_in_range())))?;
    let single = if map == Linear::IDENTITY {
        !is_wider_than_single(from.data_type)
    } else {
        scales_in_single(from.data_type, to.data_type)
    };
    real!(to.data_type, D => {
        let nodata = to.nodata.as_ref().and_then(NodataRange::<D>::of);
        let void = to.nodata.as_ref().and_then(<D as Value>::from_nodata);
        let rounding = Rounding { map, nodata, single, largest: D::largest(to.bits()) };
        let mut result = Vec::with_capacity(values.len());
        let outcome = values.iter().enumerate().try_for_each(|(sample, value)| {
            result.push(match (value, void) {
                (Some(value), _) if !value.is_nan() => rounding.sample(*value),
                // NaN stays NaN where the type has it.
                (Some(value), _) if D::MAY_BE_NAN => D::from_f64(*value),
                (_, Some(void)) => void,
                _ if is_masked(sample) => D::ZERO,
                _ => return ControlFlow::Break(()),
            });
            ControlFlow::Continue(())
        });
        outcome.is_continue().then(|| bytemuck::cast_slice(&result).to_vec())
    })
}

fn is_wider_than_single(data_type: DataType) -> bool {
    data_type.size() >= 4 && data_type != DataType::F32
}

/// Returns whether GDAL scales in single precision: unless a type needs more (`VRTComplexSource`).
pub(crate) fn scales_in_single(from: DataType, to: DataType) -> bool {
    let from_double = is_wider_than_single(from) && from != DataType::F64 && to != DataType::U8;
    !is_wider_than_single(to) && !from_double
}

/// Returns the values of samples; `None` for nodata.
fn values<S: Value>(samples: &[S], nodata: Option<Nodata>) -> Vec<Option<f64>> {
    let nodata = nodata.as_ref().and_then(NodataRange::<S>::of);
    let is_nodata = |sample: S| nodata.is_some_and(|nodata| nodata.contains(sample));
    samples.iter().map(|&sample| (!is_nodata(sample)).then(|| sample.to_f64())).collect()
}

/// The conversion of values to samples.
struct Rounding<D> {
    map: Linear,
    nodata: Option<NodataRange<D>>,
    /// True if values and results are rounded to single precision first.
    single: bool,
    largest: D,
}

impl<D: Number> Rounding<D> {
    /// Returns the nearest sample that is not nodata.
    fn sample(&self, value: f64) -> D {
        #[expect(clippy::cast_possible_truncation, reason = "rounds to single precision, which is meant")]
        let single = |value: f64| value as f32;
        let sample = if self.map == Linear::IDENTITY {
            // Floats that are out of range stay finite, as in GDAL.
            let [low, high] = D::LIMITS.map(|limit| limit.as_f64());
            let value = if D::MAY_BE_NAN && value.is_finite() { value.clamp(low, high) } else { value };
            if self.single { D::from_f32(single(value)) } else { D::from_f64(value) }
        } else if self.single {
            D::from_f32(single(f64::from(single(value)) * self.map.scale + self.map.offset))
        } else {
            D::from_f64(value * self.map.scale + self.map.offset)
        };
        let sample = if sample.to_f64() > self.largest.to_f64() { self.largest } else { sample };
        match self.nodata {
            Some(nodata) if nodata.contains(sample) => sample.off_nodata(nodata, self.largest),
            _ => sample,
        }
    }
}

/// Converts integers of 64 bits to others, or to single precision.
fn convert_wide(bytes: &[u8], from: &ImageSpec, to: &ImageSpec) -> Vec<u8> {
    fn each<S: Value + Into<i128>, D: Number>(
        bytes: &[u8],
        (from, to): (&ImageSpec, &ImageSpec),
        convert: impl Fn(i128) -> D,
    ) -> Vec<u8> {
        let own = from.nodata_in_range().as_ref().and_then(NodataRange::<S>::of);
        let nodata = to.nodata.as_ref().and_then(NodataRange::<D>::of);
        let sample = |&sample: &S| {
            let converted = convert(sample.into());
            match nodata {
                Some(nodata) if own.is_some_and(|own| own.contains(sample)) => nodata.value(),
                Some(nodata) if nodata.contains(converted) => converted.off_nodata(nodata, D::largest(u16::MAX)),
                _ => converted,
            }
        };
        let result: Vec<D> = bytemuck::cast_slice::<u8, S>(bytes).iter().map(sample).collect();
        bytemuck::cast_slice(&result).to_vec()
    }
    let specs = (from, to);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the type")]
    let (signed, unsigned) = (
        |value: i128| value.clamp(i64::MIN.into(), i64::MAX.into()) as i64,
        |value: i128| value.clamp(0, u64::MAX.into()) as u64,
    );
    #[expect(clippy::cast_precision_loss, reason = "rounds to single precision, which is meant")]
    let float = |value: i128| value as f32;
    match (from.data_type, to.data_type) {
        (DataType::I64, DataType::I64) => each::<i64, _>(bytes, specs, signed),
        (DataType::I64, DataType::U64) => each::<i64, _>(bytes, specs, unsigned),
        (DataType::I64, _) => each::<i64, _>(bytes, specs, float),
        (_, DataType::I64) => each::<u64, _>(bytes, specs, signed),
        (_, DataType::U64) => each::<u64, _>(bytes, specs, unsigned),
        _ => each::<u64, _>(bytes, specs, float),
    }
}
