//! WebP without loss (RFC 9649, VP8L), as libtiff stores it: one image per tile, RGB or RGBA.

use crate::spec::ImageSpec;

use super::compression::Compression;
use super::encoder::EncoderKind;
#[cfg(not(feature = "webp"))]
use super::encoder::Missing;
#[cfg(feature = "webp")]
use super::encoder::{SampleEncoder, TileSamples};

/// The quality at which nothing is lost, as in GDAL's COG driver.
pub(crate) const LOSSLESS_QUALITY: u8 = 100;

/// The constructor of the encoder.
#[cfg(feature = "webp")]
pub(super) const ENCODER: EncoderKind = EncoderKind::Samples(|| Box::new(Encoder));

/// The constructor of an encoder that reports the missing feature.
#[cfg(not(feature = "webp"))]
pub(super) const ENCODER: EncoderKind = EncoderKind::Samples(|| Box::new(Missing(MISSING)));

/// The reason why builds without the feature have no encoder.
const MISSING: &str = "webp needs the feature 'webp'";

/// The reason if this build has no encoder.
pub(super) const UNAVAILABLE: Option<&str> = if cfg!(feature = "webp") { None } else { Some(MISSING) };

/// Bounds the size of a tile: at most 15 bits per sample, and a few tables.
pub(super) fn max_len(len: u64) -> u64 {
    len.saturating_mul(2).saturating_add(8192)
}

/// Returns why WebP cannot encode planes of this many samples per pixel.
pub(super) fn misfit(codec: Compression, spec: &ImageSpec, samples: usize) -> Option<String> {
    if spec.bits() != 8 || spec.data_type != crate::sample::DataType::U8 || !matches!(samples, 3 | 4) {
        let (bits, data_type) = (spec.bits(), spec.data_type);
        return Some(format!(
            "webp takes three or four u8 bands with pixel interleave, not {samples} of {bits}-bit {data_type}; use deflate \
             or zstd"
        ));
    }
    let is_lossy = codec.parameter("quality") != Some(LOSSLESS_QUALITY.into());
    is_lossy.then(|| "only lossless webp is written; choose lossless, or a quality of 100, or use jpeg".to_owned())
}

/// Encodes tiles.
#[cfg(feature = "webp")]
struct Encoder;

#[cfg(feature = "webp")]
impl SampleEncoder for Encoder {
    fn encode(
        &mut self,
        _: Compression,
        tile: TileSamples<'_>,
        out: &mut Vec<u8>,
        decoded: Option<&mut Vec<u8>>,
    ) -> Result<(), String> {
        let size = tile.format.tile_size;
        let color = if tile.format.samples == 4 { image_webp::ColorType::Rgba8 } else { image_webp::ColorType::Rgb8 };
        let encoder = image_webp::WebPEncoder::new(&mut *out);
        encoder
            .encode(tile.samples, size.width, size.height, color)
            .map_err(|error| format!("webp: {error}; a tile side is at most 16383 pixels"))?;
        if let Some(decoded) = decoded {
            decoded.extend_from_slice(tile.samples);
        }
        Ok(())
    }
}
