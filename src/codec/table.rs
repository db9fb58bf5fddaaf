//! The codec table: one row per codec, with everything that differs between codecs. Plan, directories, messages, options,
//! and front ends read it instead of naming codecs.

use crate::error::OptionField;
use crate::spec::ImageSpec;
use crate::tiff::{Tag, TagValue};

use super::compression::{
    Compression, DEFAULT_DEFLATE_LEVEL, DEFAULT_JPEG_QUALITY, DEFAULT_ZSTD_LEVEL, JpegPhotometric, LercCompression,
    MaxError, Subsampling,
};
use super::encoder::{Deflate, EncoderKind, Zstd};
use super::parameter::{CodecParameter, ParameterRange, ParameterValue};
use super::{TileFormat, jpeg, lerc, lzw, packbits, webp, zstd};

/// A codec: its code, name, parameters, and capabilities.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Codec {
    /// The value of tag 259.
    pub code: u16,
    /// The name, such as `deflate`.
    pub name: &'static str,
    /// The parameters.
    pub parameters: &'static [CodecParameter],
    /// True if decoding returns the encoded samples exactly.
    pub lossless: bool,
    /// True if decoded samples depend on others of the tile: nodata and alpha do not survive it, and a mask takes their
    /// place.
    pub mixes_pixels: bool,
    /// True if a [`Predictor`](crate::Predictor) can precede it.
    pub takes_predictor: bool,
    /// Readers that cannot decode it; empty if every reader can.
    pub missing_in: &'static [&'static str],
    pub(super) encoder: EncoderKind,
    /// An upper bound of the encoded size of a tile, from its size before encoding.
    pub(crate) max_len: fn(u64) -> u64,
    /// Additional directory tags of the codec, besides 259 and 317.
    pub(crate) tags: fn(&TileFormat) -> Vec<(Tag, TagValue)>,
    /// The reason if this build has no encoder.
    pub(super) unavailable: Option<&'static str>,
    /// Returns the reason if the codec cannot encode planes of this many samples per pixel of an image, and what would
    /// work.
    pub(crate) misfit: fn(Compression, &ImageSpec, usize) -> Option<String>,
    /// Returns a hint for such planes, if another value of a parameter may be better.
    pub(crate) hint: fn(Compression, &ImageSpec, usize) -> Option<String>,
}

impl Codec {
    /// Returns whether tiles are stored uncompressed, so that their sizes are known in advance.
    pub(crate) fn is_stored(&self) -> bool {
        matches!(self.encoder, EncoderKind::Stored)
    }

    /// Returns whether the codec encodes samples instead of bytes.
    pub(crate) fn takes_samples(&self) -> bool {
        matches!(self.encoder, EncoderKind::Samples(_))
    }
}

/// Returns a compression level from 1 (fastest) to `max`.
const fn level(
    max: u8,
    default: u8,
    get: fn(Compression) -> Option<ParameterValue<'static>>,
    set: fn(Compression, ParameterValue<'_>) -> Option<Compression>,
) -> CodecParameter {
    let range = ParameterRange::Integers { min: 1, max };
    CodecParameter {
        name: "level",
        field: OptionField::Level,
        range,
        default: ParameterValue::Integer(default as u32),
        get,
        set,
    }
}

pub(super) static NONE: Codec = Codec {
    code: 1,
    name: "none",
    parameters: &[],
    lossless: true,
    mixes_pixels: false,
    takes_predictor: false,
    missing_in: &[],
    encoder: EncoderKind::Stored,
    max_len: |len| len,
    tags: no_tags,
    unavailable: None,
    misfit: nothing,
    hint: nothing,
};

pub(super) static LZW: Codec = Codec {
    code: 5,
    name: "lzw",
    parameters: &[],
    lossless: true,
    mixes_pixels: false,
    takes_predictor: true,
    missing_in: &[],
    encoder: EncoderKind::Bytes(|| Box::<lzw::Encoder>::default()),
    max_len: at_most_twice,
    tags: no_tags,
    unavailable: None,
    misfit: nothing,
    hint: nothing,
};

pub(super) static PACKBITS: Codec = Codec {
    code: 32_773,
    name: "packbits",
    parameters: &[],
    lossless: true,
    mixes_pixels: false,
    takes_predictor: false,
    missing_in: &[],
    encoder: EncoderKind::Bytes(|| Box::new(packbits::Encoder)),
    max_len: at_most_twice,
    tags: no_tags,
    unavailable: None,
    misfit: nothing,
    hint: nothing,
};

pub(super) static DEFLATE: Codec = Codec {
    code: 8,
    name: "deflate",
    parameters: &[level(
        9,
        DEFAULT_DEFLATE_LEVEL,
        |codec| match codec {
            Compression::Deflate { level } => Some(level.into()),
            _ => None,
        },
        |_, level| level.byte().map(|level| Compression::Deflate { level }),
    )],
    lossless: true,
    mixes_pixels: false,
    takes_predictor: true,
    missing_in: &[],
    encoder: EncoderKind::Bytes(|| Box::<Deflate>::default()),
    max_len: at_most_twice,
    tags: no_tags,
    unavailable: None,
    misfit: nothing,
    hint: nothing,
};

pub(super) static ZSTD: Codec = Codec {
    code: 50_000,
    name: "zstd",
    parameters: &[level(
        22,
        DEFAULT_ZSTD_LEVEL,
        |codec| match codec {
            Compression::Zstd { level } => Some(level.into()),
            _ => None,
        },
        |_, level| level.byte().map(|level| Compression::Zstd { level }),
    )],
    lossless: true,
    mixes_pixels: false,
    takes_predictor: true,
    missing_in: &["web browsers", "GDAL before 2.3"],
    encoder: EncoderKind::Bytes(|| Box::new(Zstd)),
    max_len: at_most_twice,
    tags: no_tags,
    unavailable: zstd::UNAVAILABLE,
    misfit: nothing,
    hint: nothing,
};

/// The default JPEG parameters: those of GDAL.
pub(super) const JPEG_DEFAULT: Compression = Compression::Jpeg {
    quality: DEFAULT_JPEG_QUALITY,
    subsampling: Subsampling::Auto,
    photometric: JpegPhotometric::Auto,
};

pub(super) static JPEG: Codec = Codec {
    code: 7,
    name: "jpeg",
    parameters: &[
        CodecParameter {
            name: "quality",
            field: OptionField::Quality,
            range: ParameterRange::Integers { min: 1, max: 100 },
            default: ParameterValue::Integer(DEFAULT_JPEG_QUALITY as u32),
            get: |codec| match codec {
                Compression::Jpeg { quality, .. } => Some(quality.into()),
                _ => None,
            },
            set: |codec, value| match codec {
                Compression::Jpeg { subsampling, photometric, .. } => {
                    Some(Compression::Jpeg { quality: value.byte()?, subsampling, photometric })
                }
                _ => None,
            },
        },
        CodecParameter {
            name: "jpeg-subsampling",
            field: OptionField::JpegSubsampling,
            range: ParameterRange::Names(&["auto", "420", "444"]),
            default: ParameterValue::Name("auto"),
            get: |codec| match codec {
                Compression::Jpeg { subsampling, .. } => Some(subsampling.name().into()),
                _ => None,
            },
            set: |codec, value| match codec {
                Compression::Jpeg { quality, photometric, .. } => {
                    Some(Compression::Jpeg { quality, subsampling: value.parse()?, photometric })
                }
                _ => None,
            },
        },
        CodecParameter {
            name: "photometric",
            field: OptionField::Photometric,
            range: ParameterRange::Names(&["auto", "ycbcr"]),
            default: ParameterValue::Name("auto"),
            get: |codec| match codec {
                Compression::Jpeg { photometric, .. } => Some(photometric.name().into()),
                _ => None,
            },
            set: |codec, value| match codec {
                Compression::Jpeg { quality, subsampling, .. } => {
                    Some(Compression::Jpeg { quality, subsampling, photometric: value.parse()? })
                }
                _ => None,
            },
        },
    ],
    lossless: false,
    mixes_pixels: true,
    takes_predictor: false,
    missing_in: &[],
    encoder: jpeg::ENCODER,
    max_len: jpeg::max_len,
    tags: jpeg::tags,
    unavailable: jpeg::UNAVAILABLE,
    misfit: jpeg::misfit,
    hint: jpeg::hint,
};

/// Returns the row of WebP, whose quality decides whether it is lossless.
const fn webp(lossless: bool) -> Codec {
    Codec {
        code: 50_001,
        name: "webp",
        parameters: &[CodecParameter {
            name: "quality",
            field: OptionField::Quality,
            range: ParameterRange::Integers { min: 1, max: 100 },
            default: ParameterValue::Integer(DEFAULT_JPEG_QUALITY as u32),
            get: |codec| match codec {
                Compression::WebP { quality } => Some(quality.into()),
                _ => None,
            },
            set: |codec, value| match codec {
                Compression::WebP { .. } => Some(Compression::WebP { quality: value.byte()? }),
                _ => None,
            },
        }],
        lossless,
        mixes_pixels: !lossless,
        takes_predictor: false,
        missing_in: &["GDAL before 2.4", "geotiff.js in Node"],
        encoder: webp::ENCODER,
        max_len: webp::max_len,
        tags: no_tags,
        unavailable: webp::UNAVAILABLE,
        misfit: webp::misfit,
        hint: nothing,
    }
}

pub(super) static WEBP: Codec = webp(true);

/// WebP of a quality below 100, in builds with libwebp.
pub(super) static WEBP_LOSSY: Codec = webp(false);

/// The error of LERC.
const MAX_Z_ERROR: CodecParameter = CodecParameter {
    name: "max-z-error",
    field: OptionField::MaxZError,
    range: ParameterRange::NotNegative,
    default: ParameterValue::Number(0.0),
    get: |codec| match codec {
        Compression::Lerc { max_error, .. } => Some(max_error.value().into()),
        _ => None,
    },
    set: |codec, value| match codec {
        Compression::Lerc { compression, .. } => {
            Some(Compression::Lerc { max_error: MaxError::new(value.number()?).ok()?, compression })
        }
        _ => None,
    },
};

/// Returns the row of LERC in an outer compression.
const fn lerc_in(
    name: &'static str,
    parameters: &'static [CodecParameter],
    unavailable: Option<&'static str>,
) -> Codec {
    Codec {
        code: 34_887,
        name,
        parameters,
        lossless: false,
        mixes_pixels: false,
        takes_predictor: false,
        missing_in: &["GDAL before 2.4"],
        encoder: lerc::ENCODER,
        max_len: lerc::max_len,
        tags: lerc::tags,
        unavailable,
        misfit: lerc::misfit,
        hint: lerc::hint,
    }
}

pub(super) static LERC: Codec = lerc_in("lerc", &[MAX_Z_ERROR], lerc::UNAVAILABLE);

pub(super) static LERC_DEFLATE: Codec = lerc_in(
    "lerc_deflate",
    &[
        MAX_Z_ERROR,
        level(
            9,
            DEFAULT_DEFLATE_LEVEL,
            |codec| match codec {
                Compression::Lerc { compression: LercCompression::Deflate { level }, .. } => Some(level.into()),
                _ => None,
            },
            |codec, value| match codec {
                Compression::Lerc { max_error, .. } => Some(Compression::Lerc {
                    max_error,
                    compression: LercCompression::Deflate { level: value.byte()? },
                }),
                _ => None,
            },
        ),
    ],
    lerc::UNAVAILABLE,
);

pub(super) static LERC_ZSTD: Codec = lerc_in(
    "lerc_zstd",
    &[
        MAX_Z_ERROR,
        level(
            22,
            DEFAULT_ZSTD_LEVEL,
            |codec| match codec {
                Compression::Lerc { compression: LercCompression::Zstd { level }, .. } => Some(level.into()),
                _ => None,
            },
            |codec, value| match codec {
                Compression::Lerc { max_error, .. } => {
                    Some(Compression::Lerc { max_error, compression: LercCompression::Zstd { level: value.byte()? } })
                }
                _ => None,
            },
        ),
    ],
    if lerc::UNAVAILABLE.is_some() { lerc::UNAVAILABLE } else { zstd::UNAVAILABLE },
);

/// Bounds the output of all byte codecs: LZW takes at most 12 bits per byte plus a few codes, the other codecs less.
fn at_most_twice(len: u64) -> u64 {
    len.saturating_mul(2).saturating_add(1024)
}

fn no_tags(_: &TileFormat) -> Vec<(Tag, TagValue)> {
    Vec::new()
}

/// All codecs of bytes encode any image, and have nothing to add.
fn nothing(_: Compression, _: &ImageSpec, _: usize) -> Option<String> {
    None
}
