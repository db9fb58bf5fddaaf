//! JPEG in TIFF (Adobe TIFF Technical Note 2): abbreviated streams whose quantization tables are in tag 347, with Huffman
//! tables optimized for each tile. Streams and tables are those of libtiff with libjpeg-turbo.

#[cfg(feature = "jpeg")]
mod encode;
mod tables;

use crate::sample::DataType;
use crate::spec::{ImageSpec, Photometric};
use crate::tiff::{Tag, TagValue};

use super::compression::{Compression, JpegPhotometric, Subsampling};
use super::encoder::EncoderKind;
#[cfg(not(feature = "jpeg"))]
use super::encoder::Missing;
use super::{Components, TileFormat};

/// The constructor of the encoder.
#[cfg(feature = "jpeg")]
pub(super) const ENCODER: EncoderKind = EncoderKind::Samples(|| Box::<encode::Encoder>::default());

/// The constructor of an encoder that reports the missing feature.
#[cfg(not(feature = "jpeg"))]
pub(super) const ENCODER: EncoderKind = EncoderKind::Samples(|| Box::new(Missing(MISSING)));

/// The reason why builds without the feature have no encoder.
const MISSING: &str = "jpeg needs the feature 'jpeg'";

/// The reason if this build has no encoder.
pub(super) const UNAVAILABLE: Option<&str> = if cfg!(feature = "jpeg") { None } else { Some(MISSING) };

/// Bounds the size of a tile. A block of 64 samples takes at most 20 bits for DC and 26 bits for each other coefficient,
/// doubled if every byte is 0xFF and has to be stuffed; tables and headers take less than 2 KiB.
pub(super) fn max_len(len: u64) -> u64 {
    len.saturating_mul(7).saturating_add(2048)
}

/// Returns the parameters of the codec; `None` for other codecs.
fn parameters(compression: Compression) -> Option<(u8, Subsampling, JpegPhotometric)> {
    match compression {
        Compression::Jpeg { quality, subsampling, photometric } => Some((quality, subsampling, photometric)),
        _ => None,
    }
}

/// Returns the components of planes with this many samples per pixel.
pub(crate) fn components(compression: Compression, spec: &ImageSpec, samples: usize) -> Components {
    match parameters(compression) {
        Some((.., photometric)) if samples == 3 => {
            let converts = spec.photometric == Photometric::Rgb || photometric == JpegPhotometric::Ycbcr;
            if converts { Components::YCbCr } else { Components::Bands }
        }
        _ => Components::Bands,
    }
}

/// Returns the reason why planes with this many samples per pixel cannot be encoded, and what would work.
pub(super) fn misfit(compression: Compression, spec: &ImageSpec, samples: usize) -> Option<String> {
    let (_, subsampling, photometric) = parameters(compression)?;
    if spec.data_type != DataType::U8 || spec.bits() != 8 {
        let bits = spec.bits();
        let kind = if spec.data_type == DataType::U8 { format!("{bits}-bit") } else { spec.data_type.to_string() };
        return Some(format!("jpeg takes 8-bit samples (u8), not {kind}; use deflate or zstd, or convert to u8 first"));
    }
    if spec.has_color_map() {
        let reason = "jpeg would change palette indices to those of other colors; use deflate or zstd, or expand the \
                      palette to colors first";
        return Some(reason.to_owned());
    }
    if !matches!(samples, 1 | 3) {
        return Some(format!(
            "jpeg takes one or three bands with pixel interleave, not {samples}; use band or tile interleave"
        ));
    }
    let converts = components(compression, spec, samples) == Components::YCbCr;
    if photometric == JpegPhotometric::Ycbcr && !converts {
        return Some("photometric ycbcr needs three bands with pixel interleave; leave it out".to_owned());
    }
    if subsampling == Subsampling::S420 && !converts {
        return Some(
            "only the chroma of YCbCr can be subsampled, which three bands tagged as red, green, and blue become with \
             pixel interleave; leave jpeg-subsampling out"
                .to_owned(),
        );
    }
    None
}

/// Returns a hint for three bands that are stored as they are.
pub(super) fn hint(compression: Compression, spec: &ImageSpec, samples: usize) -> Option<String> {
    let stored = samples == 3 && components(compression, spec, samples) == Components::Bands;
    stored.then(|| {
        "the bands are not tagged as red, green, and blue, so jpeg stores each as it is; for a color composite, photometric \
         ycbcr makes a smaller file"
            .to_owned()
    })
}

/// Returns the columns and rows that share a value of Cb and Cr.
fn subsampling(format: &TileFormat, subsampling: Subsampling) -> u8 {
    match (format.components, subsampling) {
        (Components::YCbCr, Subsampling::Auto | Subsampling::S420) => 2,
        _ => 1,
    }
}

/// Returns the tags of a directory besides compression and photometric interpretation.
pub(super) fn tags(format: &TileFormat) -> Vec<(Tag, TagValue)> {
    let Some((quality, chosen, _)) = parameters(format.compression) else { return Vec::new() };
    let is_ycbcr = format.components == Components::YCbCr;
    let mut tags = vec![(Tag::JPEG_TABLES, TagValue::Undefined(tables::stream(quality, is_ycbcr)))];
    if is_ycbcr {
        tags.push((Tag::YCBCR_SUBSAMPLING, TagValue::Short(vec![subsampling(format, chosen).into(); 2])));
        // JFIF's full range. GDAL and libtiff write it, since TIFF's default is another.
        let full_range = [0, 255, 128, 255, 128, 255].map(|level| [level, 1]);
        tags.push((Tag::REFERENCE_BLACK_WHITE, TagValue::Rational(full_range.to_vec())));
    }
    tags
}
