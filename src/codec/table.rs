//! The codec table: one row per codec, with everything that differs between codecs. Plan, directories, messages, options,
//! and front ends read it instead of naming codecs.

use crate::error::{Error, Result};
use crate::tiff::{Tag, TagValue};

use super::compression::{Compression, DEFAULT_DEFLATE_LEVEL, DEFAULT_ZSTD_LEVEL};
use super::encoder::{Deflate, EncoderKind, Zstd};
use super::{TileFormat, lzw, zstd};

/// A codec: its code, name, parameter, and capabilities.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Codec {
    /// The value of tag 259.
    pub code: u16,
    /// The name, such as `deflate`.
    pub name: &'static str,
    /// The parameter, if the codec has one.
    pub parameter: Option<CodecParameter>,
    /// True if decoding returns the encoded samples exactly.
    pub lossless: bool,
    /// True if a [`Predictor`](crate::Predictor) can precede it.
    pub takes_predictor: bool,
    /// Readers that cannot decode it; empty if every reader can.
    pub missing_in: &'static [&'static str],
    /// Creates the option from the value of the parameter.
    pub(super) compression: fn(u8) -> Compression,
    pub(super) encoder: EncoderKind,
    /// An upper bound of the encoded size of a tile, from its size before encoding.
    pub(crate) max_len: fn(u64) -> u64,
    /// Additional directory tags of the codec, besides 259 and 317.
    pub(crate) tags: fn(&TileFormat) -> Vec<(Tag, TagValue)>,
    /// The reason if this build has no encoder.
    pub(super) unavailable: Option<&'static str>,
    /// The parameter that replaces the default for small images. Their tiles have little history to match against, and
    /// the additional effort takes milliseconds.
    pub(super) small_image: Option<u8>,
    /// The highest parameter at which predictors are compared.
    pub(super) trial_max: u8,
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

/// The parameter of a codec, an integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CodecParameter {
    /// The name of the option, such as `level`.
    pub name: &'static str,
    /// The smallest value.
    pub min: u8,
    /// The largest value.
    pub max: u8,
    /// The default value.
    pub default: u8,
}

impl CodecParameter {
    /// Returns a compression level from 1 (fastest) to `max`.
    const fn level(max: u8, default: u8) -> Option<Self> {
        Some(Self { name: "level", min: 1, max, default })
    }

    /// Checks the range of a value.
    pub(super) fn check(self, codec: &Codec, value: u32) -> Result<u8> {
        let Self { name, min, max, .. } = self;
        let in_range = u8::try_from(value).ok().filter(|value| (min..=max).contains(value));
        in_range
            .ok_or_else(|| Error::option(name, format!("{value} is out of range for {} ({min} to {max})", codec.name)))
    }
}

pub(super) static NONE: Codec = Codec {
    code: 1,
    name: "none",
    parameter: None,
    lossless: true,
    takes_predictor: false,
    missing_in: &[],
    compression: |_| Compression::None,
    encoder: EncoderKind::Stored,
    max_len: |len| len,
    tags: no_tags,
    unavailable: None,
    small_image: None,
    trial_max: u8::MAX,
};

pub(super) static LZW: Codec = Codec {
    code: 5,
    name: "lzw",
    parameter: None,
    lossless: true,
    takes_predictor: true,
    missing_in: &[],
    compression: |_| Compression::Lzw,
    encoder: EncoderKind::Bytes(|| Box::<lzw::Encoder>::default()),
    max_len: at_most_twice,
    tags: no_tags,
    unavailable: None,
    small_image: None,
    trial_max: u8::MAX,
};

pub(super) static DEFLATE: Codec = Codec {
    code: 8,
    name: "deflate",
    parameter: CodecParameter::level(9, DEFAULT_DEFLATE_LEVEL),
    lossless: true,
    takes_predictor: true,
    missing_in: &[],
    compression: |level| Compression::Deflate { level },
    encoder: EncoderKind::Bytes(|| Box::<Deflate>::default()),
    max_len: at_most_twice,
    tags: no_tags,
    unavailable: None,
    small_image: Some(DEFAULT_DEFLATE_LEVEL + 1),
    trial_max: u8::MAX,
};

pub(super) static ZSTD: Codec = Codec {
    code: 50_000,
    name: "zstd",
    parameter: CodecParameter::level(22, DEFAULT_ZSTD_LEVEL),
    lossless: true,
    takes_predictor: true,
    missing_in: &["web browsers", "GDAL before 2.3"],
    compression: |level| Compression::Zstd { level },
    encoder: EncoderKind::Bytes(|| Box::new(Zstd)),
    max_len: at_most_twice,
    tags: no_tags,
    unavailable: zstd::UNAVAILABLE,
    small_image: None,
    // Higher levels take long and give the same answer.
    trial_max: 9,
};

/// Bounds the output of all byte codecs: LZW takes at most 12 bits per byte plus a few codes, the other codecs less.
fn at_most_twice(len: u64) -> u64 {
    len.saturating_mul(2).saturating_add(1024)
}

fn no_tags(_: &TileFormat) -> Vec<(Tag, TagValue)> {
    Vec::new()
}
