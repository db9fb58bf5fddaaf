//! Previews: levels of a file as RGBA pixels.

use cogsmith::check;
use cogsmith::{
    DataType, ErrorKind, Executor, GeoTiffSource, ImageSpec, Photometric, PixelSource, ReadOptions, Stripe,
    StripeLayout,
};
use js_sys::{Function, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{Failure, thrown};
use crate::object::{Out, Result, number, refused};
use crate::reader::Reader;

/// Maximum number of pixels of a level that is drawn.
const MOST_PIXELS: u64 = 16 << 20;
/// Maximum size of the samples of such a level in bytes.
const MOST_BYTES: u64 = 512 << 20;
/// Share of the values that are clipped at either end of the color range.
const CUT: f64 = 0.02;

/// Draws a level (0 is full resolution) as `{ width, height, pixels, range, level }`, with red, green, blue, and alpha
/// for each pixel. Values that are not colors are stretched from their 2nd to their 98th percentile, or over `range` if
/// it is given; the range used is returned as `range`.
#[wasm_bindgen]
pub fn preview(read: Function, length: f64, level: usize, range: Option<Vec<f64>>) -> Result<JsValue, JsValue> {
    draw(Reader::new(read, length), level, range).map_err(thrown)
}

fn draw(reader: Reader, level: usize, range: Option<Vec<f64>>) -> Result<JsValue> {
    let info = check::inspect(&reader)?;
    let Some(shape) = info.levels.get(level) else {
        let reason = format!("there is no level {level}; the file has {}", info.levels.len());
        return Err(refused("level", reason));
    };
    let limit = |what: &str, value, limit| Failure::from(ErrorKind::Limit { what: what.to_owned(), value, limit });
    let pixels = shape.width.saturating_mul(shape.height);
    if pixels > MOST_PIXELS {
        return Err(limit("the number of pixels of a preview", pixels, MOST_PIXELS));
    }
    if pixels.saturating_mul(info.bands.saturating_mul(16)) > MOST_BYTES * 4 {
        return Err(limit("the bytes of a preview", pixels.saturating_mul(info.bands * 16), MOST_BYTES * 4));
    }
    let options = ReadOptions::default();
    let mut source = match level.checked_sub(1) {
        None => GeoTiffSource::from_reader(reader, &options)?,
        Some(overview) => GeoTiffSource::overview(reader, &options, overview)?,
    };
    let picture = Picture::read(&mut source)?;
    let range = range.unwrap_or_else(|| picture.range());
    let out = Out::default()
        .with("width", picture.spec.width)
        .with("height", picture.spec.height)
        .with("pixels", Uint8Array::from(&picture.paint(&range)[..]))
        .with("range", range.into_iter().map(JsValue::from).collect::<js_sys::Array>())
        .with("level", number(level as u64));
    Ok(out.into())
}

/// The displayed bands, as numbers.
struct Picture {
    spec: ImageSpec,
    /// One band for gray and palettes, three for RGB.
    bands: Vec<Vec<f64>>,
    /// Opacity of each pixel.
    alpha: Vec<u8>,
}

impl Picture {
    fn read(source: &mut GeoTiffSource) -> Result<Self> {
        let spec = source.spec().clone();
        let (width, rows, count) = (spec.width as usize, spec.height as usize, usize::from(spec.bands));
        let (pixels, size) = (width * rows, spec.data_type.size());
        // A multiple of eight bytes, so that any sample is aligned.
        let plane = (pixels * size).div_ceil(8) * 8;
        let mut bytes = vec![0u8; plane * count];
        let mut alpha = vec![255; pixels];
        let planes = bytes.chunks_mut(plane).map(|plane| &mut plane[..pixels * size]).collect();
        let mask = spec.mask.then_some(&mut alpha[..]);
        let mut stripe = Stripe::new(&spec, rows, StripeLayout::Planar, planes, mask)?;
        source.read_rows(0, &mut stripe, &Executor::serial())?;
        let colors = if spec.photometric == Photometric::Rgb && count >= 3 { 3 } else { 1 };
        let band = |band: usize| -> Vec<f64> {
            bytes[band * plane..][..pixels * size].chunks_exact(size).map(|one| sample(spec.data_type, one)).collect()
        };
        let bands: Vec<_> = (0..colors).map(band).collect();
        // If there is a mask, nodata is not used.
        let nodata = spec.nodata.filter(|_| !spec.mask).and_then(|nodata| nodata.equal_samples(spec.data_type));
        let is_nodata = |value: &f64| nodata.as_ref().is_some_and(|nodata| nodata.contains(value));
        for (pixel, alpha) in alpha.iter_mut().enumerate() {
            let none = |band: &Vec<f64>| band[pixel].is_nan() || is_nodata(&band[pixel]);
            if bands.iter().all(none) {
                *alpha = 0;
            }
        }
        let opacity = spec.extra_samples.iter().position(|extra| *extra != cogsmith::ExtraSample::Unspecified);
        if let Some(index) = opacity
            && spec.data_type == DataType::U8
        {
            let values = &bytes[(usize::from(spec.photometric.color_bands()) + index) * plane..][..pixels];
            alpha.iter_mut().zip(values).for_each(|(alpha, value)| *alpha = (*alpha).min(*value));
        }
        Ok(Self { spec, bands, alpha })
    }

    /// Returns whether samples are RGB bytes, which need no stretching.
    fn is_bytes(&self) -> bool {
        self.spec.data_type == DataType::U8 && self.bands.len() == 3
    }

    /// Returns the values that become 0 and 255, for all bands.
    fn range(&self) -> Vec<f64> {
        if self.spec.has_color_map() || self.is_bytes() {
            return vec![0.0, 255.0];
        }
        let valid = |band: &Vec<f64>| -> Vec<f64> {
            let shown = band.iter().zip(&self.alpha).filter(|(value, alpha)| **alpha > 0 && value.is_finite());
            shown.map(|(value, _)| *value).collect()
        };
        let mut values: Vec<f64> = self.bands.iter().flat_map(valid).collect();
        if values.is_empty() {
            return vec![0.0, 1.0];
        }
        values.sort_unstable_by(f64::total_cmp);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank"
        )]
        let at = |share: f64| values[((values.len() - 1) as f64 * share) as usize];
        let (low, high) = (at(CUT), at(1.0 - CUT));
        if low < high { vec![low, high] } else { vec![low - 1.0, low + 1.0] }
    }

    fn paint(&self, range: &[f64]) -> Vec<u8> {
        let (low, high) = (range.first().copied().unwrap_or(0.0), range.get(1).copied().unwrap_or(1.0));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped; NaN is transparent")]
        let byte = |value: f64| ((value - low) / (high - low) * 255.0).clamp(0.0, 255.0).round() as u8;
        let entries = self.spec.color_map.len() / 3;
        let mut out = Vec::with_capacity(self.alpha.len() * 4);
        for (pixel, alpha) in self.alpha.iter().enumerate() {
            let value = self.bands[0][pixel];
            let color = if self.spec.has_color_map() {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index of 16 bits")]
                let entry = value as usize;
                // The high byte of 16 bits.
                [0, 1, 2].map(|part| {
                    self.spec.color_map.get(part * entries + entry).map_or(0, |value| value.to_be_bytes()[0])
                })
            } else if let [red, green, blue] = &self.bands[..] {
                [red, green, blue].map(|band| byte(band[pixel]))
            } else if self.spec.photometric == Photometric::MinIsWhite {
                [255 - byte(value); 3]
            } else {
                [byte(value); 3]
            };
            out.extend_from_slice(&color);
            out.push(*alpha);
        }
        out
    }
}

/// Converts a sample to a number: for complex samples the real part, for 64-bit integers the nearest double.
#[expect(clippy::cast_precision_loss, reason = "for the eye")]
fn sample(data_type: DataType, bytes: &[u8]) -> f64 {
    macro_rules! read {
        ($type:ty) => {
            bytes.first_chunk().map_or(f64::NAN, |bytes| <$type>::from_ne_bytes(*bytes) as f64)
        };
    }
    match data_type {
        DataType::U8 => read!(u8),
        DataType::I8 => read!(i8),
        DataType::U16 => read!(u16),
        DataType::I16 | DataType::CI16 => read!(i16),
        DataType::U32 => read!(u32),
        DataType::I32 | DataType::CI32 => read!(i32),
        DataType::U64 => read!(u64),
        DataType::I64 => read!(i64),
        DataType::F16 => bytes.first_chunk().map_or(f64::NAN, |bytes| half(u16::from_ne_bytes(*bytes))),
        DataType::F32 | DataType::CF32 => read!(f32),
        DataType::F64 | DataType::CF64 => read!(f64),
        // No other type yet; such an image is shown without data.
        _ => f64::NAN,
    }
}

/// Converts a half-precision float (IEEE 754).
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}
