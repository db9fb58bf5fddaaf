//! LERC (Esri; GDAL's tag 50674): samples within an error bound, bare or compressed once more.

#[cfg(any(feature = "geotiff", feature = "lerc"))]
pub(crate) mod blob;
#[cfg(feature = "lerc")]
mod encode;

#[cfg(feature = "lerc")]
pub(super) use encode::ENCODER;

use crate::sample::DataType;
use crate::spec::ImageSpec;
use crate::tiff::{Tag, TagValue};

use super::TileFormat;
use super::compression::{Compression, LercCompression};
#[cfg(not(feature = "lerc"))]
use super::encoder::{EncoderKind, Missing};

/// Codec version of the blobs: the one that all versions of GDAL since 2.4 read without a warning.
const VERSION: u32 = 4;

/// The constructor of an encoder that reports the missing feature.
#[cfg(not(feature = "lerc"))]
pub(super) const ENCODER: EncoderKind = EncoderKind::Samples(|| Box::new(Missing(MISSING)));

/// The reason why builds without the feature have no encoder.
const MISSING: &str = "lerc needs the feature 'lerc'";

/// The reason if this build has no encoder.
pub(super) const UNAVAILABLE: Option<&str> = if cfg!(feature = "lerc") { None } else { Some(MISSING) };

/// Bounds the size of a tile: raw samples, a mask per band, and what DEFLATE or ZSTD may add.
pub(super) fn max_len(len: u64) -> u64 {
    len.saturating_mul(4).saturating_add(4096)
}

/// Returns tag 50674: the codec version, and the compression of the blobs.
pub(super) fn tags(format: &TileFormat) -> Vec<(Tag, TagValue)> {
    let compression = match format.compression {
        Compression::Lerc { compression: LercCompression::Deflate { .. }, .. } => 1,
        Compression::Lerc { compression: LercCompression::Zstd { .. }, .. } => 2,
        _ => 0,
    };
    vec![(Tag::LERC_PARAMETERS, TagValue::Long(vec![VERSION, compression]))]
}

/// Returns why LERC cannot encode the samples.
pub(super) fn misfit(codec: Compression, spec: &ImageSpec, _: usize) -> Option<String> {
    let is_lossy = max_error(codec) > 0.0;
    let data_type = spec.data_type;
    if spec.bits() != data_type.bits() {
        return Some(format!(
            "lerc takes no samples of {} bits; widen them first, or use deflate or zstd",
            spec.bits()
        ));
    }
    if matches!(data_type, DataType::U64 | DataType::I64 | DataType::F16) || data_type.is_complex() {
        return Some(format!("lerc takes no {data_type} samples; use deflate or zstd, or convert them to f32 or f64"));
    }
    if spec.has_color_map() && is_lossy {
        return Some("an error bound is not defined for palette indices; use deflate or zstd, or an error of 0".into());
    }
    None
}

/// Returns a hint where other codecs make smaller files.
pub(super) fn hint(codec: Compression, spec: &ImageSpec, _: usize) -> Option<String> {
    let raw = spec.data_type.is_float() && max_error(codec) <= 0.0;
    raw.then(|| {
        "lerc stores floats uncompressed without an error; zstd with the float predictor makes smaller files".into()
    })
}

/// Returns the error bound of a codec.
fn max_error(codec: Compression) -> f64 {
    match codec {
        Compression::Lerc { max_error, .. } => max_error.value(),
        _ => 0.0,
    }
}
