//! WebP (RFC 9649), as libtiff stores it: one image per tile, RGB or RGBA. Without loss (VP8L) in Rust; with loss (VP8) by
//! libwebp, since encoders in Rust need at least 12 % more bytes for the same quality.

use crate::spec::ImageSpec;

use super::compression::Compression;
use super::encoder::EncoderKind;
#[cfg(not(feature = "webp"))]
use super::encoder::Missing;
#[cfg(feature = "webp")]
use super::encoder::{Decoded, SampleEncoder, TileSamples};

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

/// Returns whether a tile of this quality is encoded with loss.
pub(super) const fn is_lossy(quality: u8) -> bool {
    cfg!(feature = "webp-c") && quality != LOSSLESS_QUALITY
}

/// Bounds the size of a tile: at most 15 bits per sample, and a few tables. With loss, fewer.
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
    let has_loss = codec.parameter("quality") != Some(LOSSLESS_QUALITY.into());
    if has_loss && !cfg!(feature = "webp-c") {
        let reason = "lossy webp needs the feature 'webp-c'; choose lossless, or a quality of 100, or use jpeg";
        return Some(reason.to_owned());
    }
    (has_loss && samples == 4)
        .then(|| "lossy webp takes three bands, not four; choose lossless, or use jpeg".to_owned())
}

/// Encodes tiles.
#[cfg(feature = "webp")]
struct Encoder;

#[cfg(feature = "webp")]
impl SampleEncoder for Encoder {
    fn encode(
        &mut self,
        compression: Compression,
        tile: TileSamples<'_>,
        out: &mut Vec<u8>,
        decoded: Option<&mut Decoded>,
    ) -> Result<(), String> {
        #[cfg(feature = "webp-c")]
        if let Compression::WebP { quality } = compression
            && is_lossy(quality)
        {
            return lossy::encode(quality, tile, out, decoded);
        }
        let Compression::WebP { .. } = compression else { return Err(super::encoder::not_for(compression)) };
        let size = tile.format.tile_size;
        let color = if tile.format.samples == 4 { image_webp::ColorType::Rgba8 } else { image_webp::ColorType::Rgb8 };
        let encoder = image_webp::WebPEncoder::new(&mut *out);
        encoder
            .encode(tile.samples, size.width, size.height, color)
            .map_err(|error| format!("webp: {error}; a tile side is at most 16383 pixels"))?;
        if let Some(decoded) = decoded {
            decoded.samples.extend_from_slice(tile.samples);
        }
        Ok(())
    }
}

/// Tiles with loss.
#[cfg(feature = "webp-c")]
mod lossy {
    use std::io::Cursor;

    use super::{Decoded, TileSamples};
    use crate::codec::encoder::repeat_edges;
    use crate::codec::fill::Tile;

    /// Columns and rows of a macroblock, whose pixels a lossy stream changes together.
    const MACROBLOCK: usize = 16;

    /// Appends the stream of a tile, with libtiff's parameters: the default preset and method.
    pub(super) fn encode(
        quality: u8,
        tile: TileSamples<'_>,
        out: &mut Vec<u8>,
        decoded: Option<&mut Decoded>,
    ) -> Result<(), String> {
        let TileSamples { format, samples, inside, mask, nodata } = tile;
        let size = format.tile_size;
        let (width, height) = (size.width as usize, size.height as usize);
        if let Some(mask) = mask {
            Tile { samples, pixel: format.samples, width, inside }.fill(mask, MACROBLOCK, nodata);
        }
        repeat_edges(samples, format.samples, (width, height), inside);
        let encoder = libwebp::Encoder::from_rgb(samples, size.width, size.height);
        let stream = encoder
            .encode_simple(false, quality.into())
            .map_err(|error| format!("webp: {error:?}; a tile side is at most 16383 pixels"))?;
        out.extend_from_slice(&stream);
        if let Some(decoded) = decoded {
            let failed = |error| format!("webp: {error}");
            decoded.samples.resize(samples.len(), 0);
            let mut decoder = image_webp::WebPDecoder::new(Cursor::new(&*stream)).map_err(failed)?;
            decoder.read_image(&mut decoded.samples).map_err(failed)?;
        }
        Ok(())
    }
}
